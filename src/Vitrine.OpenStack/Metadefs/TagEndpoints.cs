using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Metadata;
using Vitrine.OpenStack.Identity;
using Vitrine.OpenStack.Images;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>The tags that a namespace defines.</summary>
internal static class TagEndpoints
{
    /// <summary>Says whether a list of tags is added to those that are there, or replaces them.</summary>
    private const string AppendHeader = "X-Openstack-Append";

    public static async Task<JsonHttpResult<MetadefTagList>> List(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        var query = GlanceQuery.Of(context.Request);
        var limit = query.Last("limit") is null ? DefinitionRules.MaxTags : query.Limit();
        var found = await definitions.GetAsync(space, context.GetCaller(), cancellationToken);
        var ordered = Order(found.Tags, query);
        var rest = query.Marker is { Length: > 0 } marker ? ordered.RemoveRange(0, ordered.IndexOf(found.Tags.Get(marker)) + 1) : ordered;
        return MetadefJson.Answer(new MetadefTagList([.. rest.Take(limit).Select(MetadefTagName.From)]), MetadefJson.Default.MetadefTagList);
    }

    public static async Task<JsonHttpResult<MetadefTag>> Show(
        string space, string tag, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        var found = await definitions.GetAsync(space, context.GetCaller(), cancellationToken);
        return Answer(found.Tags.Get(tag));
    }

    public static async Task<JsonHttpResult<MetadefTag>> Create(
        string space, string tag, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        var changed = await definitions.ChangeAsync(
            space, context.GetCaller(), (current, now) => current with { Tags = current.Tags.With(new DefinedTag(tag, now, now)) }, cancellationToken);
        return Answer(changed.Tags.Get(tag), StatusCodes.Status201Created);
    }

    public static async Task<JsonHttpResult<MetadefTagList>> CreateSeveral(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var names = MetadefBody.ReadTagNames(body.RootElement);
        var append = IsTrue(context.Request.Headers[AppendHeader].ToString());
        await definitions.ChangeAsync(
            space, context.GetCaller(),
            (current, now) => names.Count == 0 ? current : current with
            {
                Tags = names.Aggregate(append ? current.Tags : [], (tags, name) => tags.With(new DefinedTag(name, now, now))),
            },
            cancellationToken);
        return MetadefJson.Answer(
            new MetadefTagList([.. names.Select(name => new MetadefTagName(name))]), MetadefJson.Default.MetadefTagList, StatusCodes.Status201Created);
    }

    public static async Task<JsonHttpResult<MetadefTag>> Rename(
        string space, string tag, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var name = MetadefBody.ReadTagName(body.RootElement);
        var changed = await definitions.ChangeAsync(
            space, context.GetCaller(),
            (current, now) => current with { Tags = current.Tags.Changed(tag, old => old with { Name = name, UpdatedAt = now }) }, cancellationToken);
        return Answer(changed.Tags.Get(name));
    }

    public static Task<NoContent> Delete(
        string space, string tag, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken) => definitions.RemoveAsync(
            space, context, current => current with { Tags = current.Tags.Without(tag) }, DefinitionKind.Tag, tag, cancellationToken);

    public static Task<NoContent> DeleteAll(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken) => definitions.RemoveAsync(
            space, context, current => current with { Tags = [] }, DefinitionKind.Namespace, space, cancellationToken);

    /// <summary>Tags of one moment are in the order in which they were given.</summary>
    private static ImmutableList<DefinedTag> Order(ImmutableList<DefinedTag> tags, GlanceQuery query)
    {
        var ascending = (query.Last("sort_key") ?? "created_at") switch
        {
            "created_at" => tags.OrderBy(tag => tag.CreatedAt),
            "updated_at" => tags.OrderBy(tag => tag.UpdatedAt),
            "name" => tags.OrderBy(tag => tag.Name, StringComparer.Ordinal),
            var key => throw GlanceRefusalException.BadRequest($"Unsupported sort_key '{key}'; use created_at, updated_at or name."),
        };
        return MetadefSorting.IsDescending(query) ? [.. ascending.Reverse()] : [.. ascending];
    }

    private static bool IsTrue(string text) => text.Trim().ToLowerInvariant() is "true" or "t" or "yes" or "y" or "on" or "1";

    private static JsonHttpResult<MetadefTag> Answer(DefinedTag tag, int status = StatusCodes.Status200OK) =>
        MetadefJson.Answer(MetadefTag.From(tag), MetadefJson.Default.MetadefTag, status);
}
