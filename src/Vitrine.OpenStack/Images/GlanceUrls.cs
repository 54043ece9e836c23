using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.OpenStack.Identity;

namespace Vitrine.OpenStack.Images;

/// <summary>Absolute addresses, as seen from where the client asked.</summary>
internal static class GlanceUrls
{
    /// <summary>Where the face begins, without a slash at the end; its versions lie below.</summary>
    public static string Root(HttpContext context) =>
        context.RequestServices.GetRequiredService<ServiceCatalogue>().BaseUrl(context.Request)
        + context.GetEndpoint()?.Metadata.GetMetadata<GlancePrefix>()?.Value;
}

/// <summary>The path under which the face is mapped, without a slash at the end.</summary>
internal sealed record GlancePrefix(string Value);
