using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Vitrine.Access;
using Vitrine.Quotas;

namespace Vitrine.OpenStack.Identity;

/// <summary>Quotas as Keystone's unified limits: registered ones hold for every project that has none of its own.</summary>
/// <remarks>Only the image service's are kept, as nobody else would hold anything against them.</remarks>
internal static class LimitEndpoints
{
    public static void MapLimits(this IEndpointRouteBuilder v3)
    {
        v3.MapRead("/registered_limits", ListRegistered);
        v3.MapPost("/registered_limits", Register);
        v3.MapRead("/registered_limits/{id}", ShowRegistered);
        v3.MapPatch("/registered_limits/{id}", UpdateRegistered);
        v3.MapDelete("/registered_limits/{id}", DeleteRegistered);

        v3.MapRead("/limits/model", Model);
        v3.MapRead("/limits", List);
        v3.MapPost("/limits", Create);
        v3.MapRead("/limits/{id}", Show);
        v3.MapPatch("/limits/{id}", Update);
        v3.MapDelete("/limits/{id}", Delete);
    }

    private static async Task<JsonHttpResult<RegisteredLimitsAnswer>> ListRegistered(
        HttpContext context, ProjectQuotas quotas, ServiceCatalogue catalogue, CancellationToken cancellationToken)
    {
        var found = (await quotas.ListAsync(context.GetCaller(), cancellationToken)).Where(q => q.Project is null && Fits(q, context.Request, catalogue));
        return Registered(found, context, context.SelfLinks());
    }

    private static async Task<JsonHttpResult<RegisteredLimitsAnswer>> Register(
        HttpContext context, ProjectQuotas quotas, ServiceCatalogue catalogue, CancellationToken cancellationToken)
    {
        var registered = (await ReadAsync(context, "registered_limits", cancellationToken))
            .Select(body => ReadQuota(body, project: null, "default_limit", catalogue)).ToList();
        await quotas.CreateAsync(registered, context.GetCaller(), cancellationToken);
        return Registered(registered, context, links: null, StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<RegisteredLimitAnswer>> ShowRegistered(
        string id, HttpContext context, ProjectQuotas quotas, CancellationToken cancellationToken) =>
        Registered(await FindAsync(id, isRegistered: true, context, quotas, cancellationToken), context);

    private static async Task<JsonHttpResult<RegisteredLimitAnswer>> UpdateRegistered(
        string id, HttpContext context, ProjectQuotas quotas, CancellationToken cancellationToken)
    {
        var body = await KeystoneBody.ReadAsync(context.Request, "registered_limit", cancellationToken);
        return Registered(await UpdateAsync(id, isRegistered: true, body, "default_limit", context, quotas, cancellationToken), context);
    }

    private static Task<NoContent> DeleteRegistered(string id, HttpContext context, ProjectQuotas quotas, CancellationToken cancellationToken) =>
        DeleteAsync(id, isRegistered: true, context, quotas, cancellationToken);

    private static async Task<JsonHttpResult<LimitsAnswer>> List(
        HttpContext context, ProjectQuotas quotas, ServiceCatalogue catalogue, CancellationToken cancellationToken)
    {
        var (project, domain) = (context.Request.Asked("project_id"), context.Request.Asked("domain_id"));
        var found = (await quotas.ListAsync(context.GetCaller(), cancellationToken)).Where(q =>
            q.Project is { } own && (project is null || own.Value == project) && domain is null && Fits(q, context.Request, catalogue));
        return Limits(found, context, context.SelfLinks());
    }

    private static async Task<JsonHttpResult<LimitsAnswer>> Create(
        HttpContext context, ProjectQuotas quotas, IdentityAdministration identity, ServiceCatalogue catalogue, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        var limits = new List<Quota>();
        foreach (var body in await ReadAsync(context, "limits", cancellationToken))
        {
            if (body.OptionalText("domain_id") is not null)
                throw new InvalidFieldException("limits.domain_id", "must be left out: limits are those of projects");

            var project = await identity.GetProjectAsync(caller, new ProjectId(body.Text("project_id")), cancellationToken);
            limits.Add(ReadQuota(body, project.Id, "resource_limit", catalogue));
        }

        await quotas.CreateAsync(limits, caller, cancellationToken);
        return Limits(limits, context, links: null, StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<LimitAnswer>> Show(
        string id, HttpContext context, ProjectQuotas quotas, CancellationToken cancellationToken) =>
        Limit(await FindAsync(id, isRegistered: false, context, quotas, cancellationToken), context);

    private static async Task<JsonHttpResult<LimitAnswer>> Update(
        string id, HttpContext context, ProjectQuotas quotas, CancellationToken cancellationToken)
    {
        var body = await KeystoneBody.ReadAsync(context.Request, "limit", cancellationToken);
        return Limit(await UpdateAsync(id, isRegistered: false, body, "resource_limit", context, quotas, cancellationToken), context);
    }

    private static Task<NoContent> Delete(string id, HttpContext context, ProjectQuotas quotas, CancellationToken cancellationToken) =>
        DeleteAsync(id, isRegistered: false, context, quotas, cancellationToken);

    private static JsonHttpResult<LimitModelAnswer> Model() => TypedResults.Json(
        new LimitModelAnswer(new LimitModel("flat", "A limit holds for its project alone, and projects have no projects within them.")),
        KeystoneJson.Default.LimitModelAnswer);

    private static async Task<IReadOnlyList<KeystoneObject>> ReadAsync(HttpContext context, string wrapper, CancellationToken cancellationToken)
    {
        // Who may not create one learns nothing of what a request must look like.
        context.GetCaller().RequireAdmin($"create {wrapper}");
        var bodies = (await KeystoneBody.ReadAsync(context.Request, cancellationToken)).Objects(wrapper);
        return bodies.Count > 0 ? bodies : throw new InvalidFieldException(wrapper, "must be a list of at least one");
    }

    private static Quota ReadQuota(KeystoneObject body, ProjectId? project, string limit, ServiceCatalogue catalogue)
    {
        if (body.Text("service_id") is not { } service || service != ServiceCatalogue.ImageServiceId)
            throw new InvalidFieldException("service_id", "must be that of the image service");
        if (body.OptionalText("region_id") is { } region && region != catalogue.Region)
            throw new InvalidFieldException("region_id", $"must be left out, or be {catalogue.Region}");

        return new Quota(
            QuotaId.New(), project, LimitNames.Parse(body.Text("resource_name"), "resource_name"), body.Number(limit),
            body.OptionalText("description") ?? "");
    }

    private static async Task<Quota> FindAsync(
        string id, bool isRegistered, HttpContext context, ProjectQuotas quotas, CancellationToken cancellationToken)
    {
        var quota = await quotas.FindAsync(id, context.GetCaller(), cancellationToken);
        return quota.Project is null == isRegistered ? quota : throw new QuotaNotFoundException(id);
    }

    private static async Task<Quota> UpdateAsync(
        string id, bool isRegistered, KeystoneObject body, string limit, HttpContext context, ProjectQuotas quotas, CancellationToken cancellationToken)
    {
        var quota = await FindAsync(id, isRegistered, context, quotas, cancellationToken);
        if (body.OptionalText("resource_name") is { } name && name != LimitNames.Of(quota.Resource))
            throw new InvalidFieldException("resource_name", "stays what it is; delete the limit, and create another");

        var description = body.IsCleared("description") ? "" : body.OptionalText("description");
        return await quotas.UpdateAsync(id, body.OptionalNumber(limit), description, context.GetCaller(), cancellationToken);
    }

    private static async Task<NoContent> DeleteAsync(
        string id, bool isRegistered, HttpContext context, ProjectQuotas quotas, CancellationToken cancellationToken)
    {
        await FindAsync(id, isRegistered, context, quotas, cancellationToken);
        await quotas.DeleteAsync(id, context.GetCaller(), cancellationToken);
        return TypedResults.NoContent();
    }

    private static bool Fits(Quota quota, HttpRequest request, ServiceCatalogue catalogue) =>
        (request.Asked("service_id") is not { } service || service == ServiceCatalogue.ImageServiceId)
        && (request.Asked("region_id") is not { } region || region == catalogue.Region)
        && (request.Asked("resource_name") is not { } name || name == LimitNames.Of(quota.Resource));

    private static JsonHttpResult<RegisteredLimitAnswer> Registered(Quota quota, HttpContext context) => TypedResults.Json(
        new RegisteredLimitAnswer(KeystoneRegisteredLimit.From(quota, context.RootUrl())), KeystoneJson.Default.RegisteredLimitAnswer);

    private static JsonHttpResult<RegisteredLimitsAnswer> Registered(
        IEnumerable<Quota> quotas, HttpContext context, ListLinks? links, int status = StatusCodes.Status200OK) => TypedResults.Json(
            new RegisteredLimitsAnswer([.. quotas.Select(q => KeystoneRegisteredLimit.From(q, context.RootUrl()))], links),
            KeystoneJson.Default.RegisteredLimitsAnswer, statusCode: status);

    private static JsonHttpResult<LimitAnswer> Limit(Quota quota, HttpContext context) => TypedResults.Json(
        new LimitAnswer(KeystoneLimit.From(quota, context.RootUrl())), KeystoneJson.Default.LimitAnswer);

    private static JsonHttpResult<LimitsAnswer> Limits(
        IEnumerable<Quota> quotas, HttpContext context, ListLinks? links, int status = StatusCodes.Status200OK) => TypedResults.Json(
            new LimitsAnswer([.. quotas.Select(q => KeystoneLimit.From(q, context.RootUrl()))], links), KeystoneJson.Default.LimitsAnswer, statusCode: status);
}
