namespace Vitrine.Server.Rest;

/// <summary>Lets pages of any origin upload by ticket. Nothing else of the server answers them.</summary>
internal static class UploadPages
{
    private static readonly TimeSpan PreflightLifetime = TimeSpan.FromHours(1);

    private static readonly string[] Methods = [HttpMethods.Head, HttpMethods.Patch, HttpMethods.Post, HttpMethods.Delete, HttpMethods.Options];

    // Not Authorization: a page has a ticket, and no business with a token.
    private static readonly string[] Sent =
    [
        "Content-Type", "X-Requested-With", "X-Request-ID", TusHeaders.MethodOverride, TusHeaders.Resumable, TusHeaders.Offset, TusHeaders.Length,
        TusHeaders.Concat, TusHeaders.Checksum, "Upload-Metadata",
        UploadFormEndpoints.Signature, UploadFormEndpoints.Metadata, UploadFormEndpoints.Expires,
    ];

    private static readonly string[] Shown =
    [
        "Location", TusHeaders.Resumable, TusHeaders.Version, TusHeaders.Extension, TusHeaders.MaxSize, TusHeaders.ChecksumAlgorithm, TusHeaders.Offset,
        TusHeaders.Length, TusHeaders.Expires, TusHeaders.Concat,
    ];

    public static IApplicationBuilder UseUploadsFromPages(this IApplicationBuilder app) => app.UseWhen(
        context => context.Request.Path.StartsWithSegments(RestEndpoints.UploadsPath),
        uploads => uploads.UseCors(policy => policy
            .AllowAnyOrigin().WithMethods(Methods).WithHeaders(Sent).WithExposedHeaders(Shown).SetPreflightMaxAge(PreflightLifetime)));
}
