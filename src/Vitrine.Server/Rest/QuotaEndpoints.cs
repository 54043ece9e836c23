using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Vitrine.Access;
using Vitrine.Client;
using Vitrine.OpenStack.Identity;
using Vitrine.OpenStack.Identity.External;
using Vitrine.Quotas;

namespace Vitrine.Server.Rest;

/// <summary>The quotas of projects: seen by their users, and set by administrators.</summary>
internal static class QuotaEndpoints
{
    public static void MapQuotas(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("").WithTags("Quotas");
        group.MapGet("/projects/{project}/quotas", Show).WithName("ShowQuotas")
            .WithSummary("Shows what a project may have, and how much of it is used.").Produces<QuotaList>();
        group.MapPatch("/projects/{project}/quotas", Change).WithName("ChangeQuotas")
            .WithSummary("Sets what a project may have; for administrators.").Accepts<QuotaChange>("application/json").Produces<QuotaList>();
        group.MapGet("/quotas", ShowDefaults).WithName("ShowDefaultQuotas")
            .WithSummary("Shows what projects may have that have no quotas of their own.").Produces<QuotaList>();
        group.MapPatch("/quotas", ChangeDefaults).WithName("ChangeDefaultQuotas")
            .WithSummary("Sets what projects may have that have no quotas of their own; for administrators.")
            .Accepts<QuotaChange>("application/json").Produces<QuotaList>();
    }

    private static async Task<JsonHttpResult<QuotaList>> Show(
        string project, HttpContext context, ProjectQuotas quotas, IdentityAdministration identity, IOptions<OpenStackOptions> cloud,
        CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        return await ListAsync(await FindAsync(project, identity, cloud.Value.Keystone, caller, cancellationToken), quotas, caller, cancellationToken);
    }

    private static async Task<JsonHttpResult<QuotaList>> Change(
        string project, HttpContext context, ProjectQuotas quotas, IdentityAdministration identity, IOptions<OpenStackOptions> cloud,
        CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        caller.RequireAdmin("set a quota");
        var found = await FindAsync(project, identity, cloud.Value.Keystone, caller, cancellationToken);
        await ChangeAsync(found, context, quotas, caller, cancellationToken);
        return await ListAsync(found, quotas, caller, cancellationToken);
    }

    private static Task<JsonHttpResult<QuotaList>> ShowDefaults(HttpContext context, ProjectQuotas quotas, CancellationToken cancellationToken) =>
        ListDefaultsAsync(quotas, context.GetCaller(), cancellationToken);

    private static async Task<JsonHttpResult<QuotaList>> ChangeDefaults(HttpContext context, ProjectQuotas quotas, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        caller.RequireAdmin("set a quota");
        await ChangeAsync(project: null, context, quotas, caller, cancellationToken);
        return await ListDefaultsAsync(quotas, caller, cancellationToken);
    }

    private static async Task ChangeAsync(
        ProjectId? project, HttpContext context, ProjectQuotas quotas, Caller caller, CancellationToken cancellationToken)
    {
        var said = await context.Request.ReadAsync(LibraryJson.Default.QuotaChange, cancellationToken);
        var changes = said.Limits.Select(l => (Resource: EnumWords.Parse<QuotaResource>(l.Key, "limits"), Limit: l.Value)).ToList();
        foreach (var (resource, limit) in changes)
            await quotas.SetAsync(project, resource, limit, caller, cancellationToken);
    }

    private static async Task<JsonHttpResult<QuotaList>> ListAsync(
        ProjectId project, ProjectQuotas quotas, Caller caller, CancellationToken cancellationToken)
    {
        var states = await quotas.GetAsync(project, caller, cancellationToken);
        return Answer(project.Value, states.Select(s => new QuotaRecord(s.Resource.Word(), LimitOf(s.Limit), s.Use, s.IsOwn)));
    }

    private static async Task<JsonHttpResult<QuotaList>> ListDefaultsAsync(ProjectQuotas quotas, Caller caller, CancellationToken cancellationToken)
    {
        var limits = (await quotas.ListAsync(caller, cancellationToken)).Where(q => q.Project is null).ToDictionary(q => q.Resource, q => q.Limit);
        return Answer(project: null, Enum.GetValues<QuotaResource>().Select(r =>
            new QuotaRecord(r.Word(), LimitOf(limits.GetValueOrDefault(r, Quota.Unlimited)), Used: null, IsOwn: limits.ContainsKey(r))));
    }

    /// <summary>A project by its id, or by its name in the caller's domain where no other has it; of a cloud with a Keystone of its own by its id alone.</summary>
    private static async Task<ProjectId> FindAsync(
        string project, IdentityAdministration identity, ExternalKeystoneOptions keystone, Caller caller, CancellationToken cancellationToken)
    {
        // Keystone writes its ids in small letters, and takes them in any.
        var id = keystone.IsUsed ? project.ToLowerInvariant() : project;
        if (id == caller.Project?.Value)
            return caller.RequireProject();

        caller.RequireAdmin("see the quotas of another project");
        if (keystone.IsUsed)
            return IdOf(id);

        var named = await identity.ListProjectsAsync(caller, new IdentityQuery(caller.Domain, project), cancellationToken);
        return named is [var only] ? only.Id : (await identity.GetProjectAsync(caller, new ProjectId(project), cancellationToken)).Id;
    }

    /// <summary>The library knows no project of a cloud that has a Keystone, whose ids are 32 hexadecimal digits.</summary>
    private static ProjectId IdOf(string project) => Guid.TryParseExact(project, "N", out _)
        ? new ProjectId(project)
        : throw new InvalidFieldException("project", "must be the id of a project of the cloud: its names are its own Keystone's");

    private static long? LimitOf(long limit) => limit == Quota.Unlimited ? null : limit;

    private static JsonHttpResult<QuotaList> Answer(string? project, IEnumerable<QuotaRecord> records) =>
        TypedResults.Json(new QuotaList(project, [.. records]), LibraryJson.Default.QuotaList);
}
