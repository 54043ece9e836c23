using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Metadata;
using Vitrine.OpenStack.Identity;
using Vitrine.OpenStack.Images;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>The properties that a namespace defines.</summary>
internal static class PropertyEndpoints
{
    public static async Task<JsonHttpResult<MetadefPropertyMap>> List(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        var found = await definitions.GetAsync(space, context.GetCaller(), cancellationToken);
        return MetadefJson.Answer(new MetadefPropertyMap(MetadefProperty.MapOf(found.Properties)), MetadefJson.Default.MetadefPropertyMap);
    }

    /// <summary>By its name, or by the name that it has on resources of the type that the query names.</summary>
    public static async Task<JsonHttpResult<MetadefProperty>> Show(
        string space, string name, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        var found = await definitions.GetAsync(space, context.GetCaller(), cancellationToken);
        return GlanceQuery.Of(context.Request).Last("resource_type") is { Length: > 0 } type
            ? Answer(found.Properties.Get(WithoutPrefix(name, found.ResourceTypes.Get(type).Prefix)))
            : Answer(found.Properties.Get(name));
    }

    public static async Task<JsonHttpResult<MetadefProperty>> Create(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var property = PropertyBody.Read(body.RootElement);
        await definitions.ChangeAsync(
            space, context.GetCaller(), (current, _) => current with { Properties = current.Properties.With(property) }, cancellationToken);
        return Answer(property, StatusCodes.Status201Created);
    }

    public static async Task<JsonHttpResult<MetadefProperty>> Update(
        string space, string name, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var property = PropertyBody.Read(body.RootElement);
        await definitions.ChangeAsync(
            space, context.GetCaller(), (current, _) => current with { Properties = current.Properties.Changed(name, _ => property) },
            cancellationToken);
        return Answer(property);
    }

    public static Task<NoContent> Delete(
        string space, string name, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken) => definitions.RemoveAsync(
            space, context, current => current with { Properties = current.Properties.Without(name) }, DefinitionKind.Property, name, cancellationToken);

    public static Task<NoContent> DeleteAll(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken) => definitions.RemoveAsync(
            space, context, current => current with { Properties = [] }, DefinitionKind.Namespace, space, cancellationToken);

    private static string WithoutPrefix(string name, string? prefix) => prefix is { Length: > 0 } && name.StartsWith(prefix, StringComparison.Ordinal)
        ? name[prefix.Length..]
        : throw GlanceRefusalException.NotFound($"Property {name} does not start with the expected resource type association prefix of '{prefix}'.");

    private static JsonHttpResult<MetadefProperty> Answer(DefinedProperty property, int status = StatusCodes.Status200OK) =>
        MetadefJson.Answer(MetadefProperty.From(property), MetadefJson.Default.MetadefProperty, status);
}
