using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Metadata;
using Vitrine.OpenStack.Identity;
using Vitrine.OpenStack.Images;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>The objects that a namespace defines: properties that belong together.</summary>
internal static class ObjectEndpoints
{
    /// <summary>All of them: here Glance has limits and markers in its words, but no pages.</summary>
    public static async Task<JsonHttpResult<MetadefObjectList>> List(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        var query = GlanceQuery.Of(context.Request);
        MetadefSorting.IsDescending(query);
        if (query.Limit() == 0)
            throw GlanceRefusalException.BadRequest("limit param must be positive");

        var found = await definitions.GetAsync(space, context.GetCaller(), cancellationToken);
        return MetadefJson.Answer(
            // The path of the schema begins without a slash, as in Glance.
            new MetadefObjectList([.. found.Objects.Select(o => MetadefObject.From(found.Name, o))], "v2/schemas/metadefs/objects"),
            MetadefJson.Default.MetadefObjectList);
    }

    public static async Task<JsonHttpResult<MetadefObject>> Show(
        string space, string name, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        var found = await definitions.GetAsync(space, context.GetCaller(), cancellationToken);
        return Answer(found, name);
    }

    public static async Task<JsonHttpResult<MetadefObject>> Create(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var changed = await definitions.ChangeAsync(
            space, context.GetCaller(),
            (current, now) => current with { Objects = current.Objects.With(MetadefBody.ReadObject(body.RootElement, now)) }, cancellationToken);
        return Answer(changed, changed.Objects[^1].Name, StatusCodes.Status201Created);
    }

    public static async Task<JsonHttpResult<MetadefObject>> Update(
        string space, string name, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var changed = await definitions.ChangeAsync(
            space, context.GetCaller(),
            (current, now) => current with
            {
                Objects = current.Objects.Changed(
                    name, old => MetadefBody.ReadObject(body.RootElement, now) with { CreatedAt = old.CreatedAt }),
            },
            cancellationToken);
        return Answer(changed, MetadefBody.Required(body.RootElement, "name"));
    }

    public static Task<NoContent> Delete(
        string space, string name, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken) => definitions.RemoveAsync(
            space, context, current => current with { Objects = current.Objects.Without(name) }, DefinitionKind.Object, name, cancellationToken);

    public static Task<NoContent> DeleteAll(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken) => definitions.RemoveAsync(
            space, context, current => current with { Objects = [] }, DefinitionKind.Namespace, space, cancellationToken);

    private static JsonHttpResult<MetadefObject> Answer(DefinitionNamespace space, string name, int status = StatusCodes.Status200OK) =>
        MetadefJson.Answer(MetadefObject.From(space.Name, space.Objects.Get(name)), MetadefJson.Default.MetadefObject, status);
}
