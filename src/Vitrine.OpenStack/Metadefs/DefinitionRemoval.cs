using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Metadata;
using Vitrine.OpenStack.Identity;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>Takes definitions out of a namespace, whatever kind they are of.</summary>
internal static class DefinitionRemoval
{
    /// <param name="without">The namespace without them; says first that they are not there.</param>
    /// <param name="kind">What a protected namespace is said to keep.</param>
    public static async Task<NoContent> RemoveAsync(
        this DefinitionLibrary definitions, string space, HttpContext context, Func<DefinitionNamespace, DefinitionNamespace> without,
        DefinitionKind kind, string name, CancellationToken cancellationToken)
    {
        await definitions.ChangeAsync(space, context.GetCaller(), (current, _) => without(current).RequireUnprotected(kind, name), cancellationToken);
        return TypedResults.NoContent();
    }
}
