using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;

namespace Vitrine.OpenStack.Images;

/// <summary>The cache of images, which administrators look into and clear.</summary>
/// <remarks>
/// Nodes read from stores and keep no copies, so that nothing is ever cached: what can be said of that is said, and what would have to
/// be done is refused as Glance refuses it where no cache is set up.
/// </remarks>
internal static class CacheEndpoints
{
    private const string TargetHeader = "x-image-cache-clear-target";

    private static readonly string[] Targets = ["", "cache", "queue"];

    public static JsonHttpResult<GlanceCache> List(HttpContext context)
    {
        context.GetCaller().RequireAdmin("see what is cached");
        return GlanceJson.Answer(new GlanceCache([], []), GlanceJson.Default.GlanceCache);
    }

    public static NoContent Clear(HttpContext context)
    {
        context.GetCaller().RequireAdmin("clear the cache");
        return Targets.Contains(context.Request.Headers[TargetHeader].ToString(), StringComparer.OrdinalIgnoreCase)
            ? TypedResults.NoContent()
            : throw GlanceRefusalException.BadRequest($"If provided '{TargetHeader}' must be 'cache', 'queue' or empty string.");
    }

    public static async Task<NoContent> Delete(string id, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        await library.GetAsync(ImageEndpoints.IdOf(id), caller, cancellationToken);
        caller.RequireAdmin("delete from the cache");
        return TypedResults.NoContent();
    }

    public static async Task<NoContent> Queue(string id, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        await library.GetAsync(ImageEndpoints.IdOf(id), caller, cancellationToken);
        caller.RequireAdmin("have an image cached");
        throw GlanceRefusalException.NotFound("Caching via API is not supported at this site.");
    }
}

/// <summary>What is cached, and what is to be.</summary>
internal sealed record GlanceCache(IReadOnlyList<string> CachedImages, IReadOnlyList<string> QueuedImages);
