using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Metadata;
using Vitrine.OpenStack.Identity;
using Vitrine.OpenStack.Images;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>The types of resources, and which of them a namespace is meant for.</summary>
internal static class ResourceTypeEndpoints
{
    public static async Task<JsonHttpResult<MetadefResourceTypeList>> List(DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        var types = await definitions.ListResourceTypesAsync(cancellationToken);
        return MetadefJson.Answer(
            new MetadefResourceTypeList([.. types.Select(type => new MetadefResourceType(type.Name, GlanceTime.Of(type.CreatedAt)))]),
            MetadefJson.Default.MetadefResourceTypeList);
    }

    public static async Task<JsonHttpResult<MetadefAssociationList>> ListOfNamespace(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        var found = await definitions.GetAsync(space, context.GetCaller(), cancellationToken);
        return MetadefJson.Answer(
            new MetadefAssociationList([.. found.ResourceTypes.Select(MetadefAssociation.From)]), MetadefJson.Default.MetadefAssociationList);
    }

    public static async Task<JsonHttpResult<MetadefAssociation>> Associate(
        string space, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var changed = await definitions.ChangeAsync(
            space, context.GetCaller(),
            (current, now) => current with { ResourceTypes = current.ResourceTypes.With(MetadefBody.ReadAssociation(body.RootElement, now)) },
            cancellationToken);
        return MetadefJson.Answer(
            MetadefAssociation.From(changed.ResourceTypes[^1]), MetadefJson.Default.MetadefAssociation, StatusCodes.Status201Created);
    }

    public static Task<NoContent> Dissociate(
        string space, string type, HttpContext context, DefinitionLibrary definitions, CancellationToken cancellationToken) => definitions.RemoveAsync(
            space, context, current => current with { ResourceTypes = current.ResourceTypes.Without(type) }, DefinitionKind.ResourceType, type, cancellationToken);
}
