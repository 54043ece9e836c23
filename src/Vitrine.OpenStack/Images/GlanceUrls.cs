using Microsoft.AspNetCore.Http;

namespace Vitrine.OpenStack.Images;

/// <summary>Absolute addresses, made of the host that the client itself used.</summary>
internal static class GlanceUrls
{
    /// <summary>Where the face begins, without a slash at the end; its versions lie below.</summary>
    public static string Root(HttpContext context) => Host(context) + Prefix(context);

    /// <summary>Where a client without a token goes for one.</summary>
    public static string Keystone(HttpContext context) => Host(context) + "/identity";

    private static string Host(HttpContext context) => $"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}";

    private static string Prefix(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<GlancePrefix>()?.Value ?? "";
}

/// <summary>The path under which the face is mapped.</summary>
internal sealed record GlancePrefix(string Value);
