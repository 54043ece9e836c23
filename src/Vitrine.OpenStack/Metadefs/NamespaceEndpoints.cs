using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Metadata;
using Vitrine.OpenStack.Identity;
using Vitrine.OpenStack.Images;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>Namespaces: listed, made with all that is in them, shown, changed and deleted.</summary>
internal static class NamespaceEndpoints
{
    public static async Task<JsonHttpResult<MetadefNamespaceList>> List(
        HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        const string Path = "/v2/metadefs/namespaces";
        var query = GlanceQuery.Of(context.Request);
        var caller = context.GetCaller();
        var asked = ReadQuery(query);
        var after = query.Marker is { } marker ? await definitions.GetAsync(marker, caller, cancellationToken) : null;
        var spaces = asked.Limit == 0 ? [] : await definitions.ListAsync(asked with { After = after }, caller, cancellationToken);
        var next = spaces.Count > 0 && spaces.Count == asked.Limit ? query.LinkTo(Path, spaces[^1].Name) : null;
        return MetadefJson.Answer(
            new MetadefNamespaceList(
                [.. spaces.Select(space => MetadefNamespace.From(space))], query.LinkTo(Path, marker: null), next, "/v2/schemas/metadefs/namespaces"),
            MetadefJson.Default.MetadefNamespaceList);
    }

    public static async Task<JsonHttpResult<MetadefNamespace>> Create(
        HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var caller = context.GetCaller();
        var space = await definitions.CreateAsync(
            caller, now => MetadefBody.ReadNamespace(body.RootElement, caller.RequireProject(), now), cancellationToken);

        // Names have colons, which may stand in a path as they are.
        var name = Uri.EscapeDataString(space.Name).Replace("%3A", ":", StringComparison.Ordinal);
        context.Response.Headers.Location = GlanceUrls.Root(context) + MetadefNamespace.PathOf(name);
        return MetadefJson.Answer(MetadefNamespace.From(space), MetadefJson.Default.MetadefNamespace, StatusCodes.Status201Created);
    }

    public static async Task<JsonHttpResult<MetadefNamespace>> Show(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        var found = await definitions.GetAsync(space, context.GetCaller(), cancellationToken);
        var type = GlanceQuery.Of(context.Request).Last("resource_type");
        return Answer(found, found.ResourceTypes.Find(link => link.Name == type)?.Prefix ?? "");
    }

    /// <summary>Replaces what the namespace says of itself; what is in it stays.</summary>
    public static async Task<JsonHttpResult<MetadefNamespace>> Update(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var caller = context.GetCaller();
        var changed = await definitions.ChangeAsync(
            space, caller,
            (current, now) =>
            {
                var asked = MetadefBody.ReadNamespace(body.RootElement, caller.RequireProject(), now);
                return current with
                {
                    Name = asked.Name,
                    DisplayName = asked.DisplayName,
                    Description = asked.Description,
                    Public = asked.Public,
                    Protected = asked.Protected,
                    Owner = asked.Owner,
                    UpdatedAt = now,
                };
            },
            cancellationToken);
        return Answer(changed with { ResourceTypes = [], Properties = [], Objects = [], Tags = [] });
    }

    public static async Task<NoContent> Delete(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        await definitions.DeleteAsync(space, context.GetCaller(), cancellationToken);
        return TypedResults.NoContent();
    }

    private static JsonHttpResult<MetadefNamespace> Answer(DefinitionNamespace space, string prefix = "") =>
        MetadefJson.Answer(MetadefNamespace.From(space, prefix), MetadefJson.Default.MetadefNamespace);

    private static NamespaceQuery ReadQuery(GlanceQuery query) => new()
    {
        Public = query.Last("visibility") is { Length: > 0 } word ? MetadefBody.ReadVisibility(word) : null,
        ResourceTypes = query.Last("resource_types")?.Split(','),
        Sort = (query.Last("sort_key") ?? "created_at") switch
        {
            "created_at" => NamespaceSortKey.CreatedAt,
            "updated_at" => NamespaceSortKey.UpdatedAt,
            "namespace" => NamespaceSortKey.Name,
            var key => throw GlanceRefusalException.BadRequest($"Unsupported sort_key '{key}'; use created_at, updated_at or namespace."),
        },
        Descending = MetadefSorting.IsDescending(query),
        Limit = query.Limit(),
    };
}
