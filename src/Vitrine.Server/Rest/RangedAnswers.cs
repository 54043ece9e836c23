using Microsoft.Net.Http.Headers;
using Vitrine.OpenStack.Content;
using Vitrine.Stores;

namespace Vitrine.Server.Rest;

/// <summary>Answers with what never changes: conditions and ranges as RFC 9110 has them.</summary>
internal static class RangedAnswers
{
    /// <summary>Answers 200, 206, 304 or 416. The entity tag is set already.</summary>
    /// <param name="content">Is disposed.</param>
    public static async Task<IResult> SendRangesAsync(this HttpContext context, ContentReader content, CancellationToken cancellationToken)
    {
        var headers = context.Request.GetTypedHeaders();
        var tag = context.Response.GetTypedHeaders().ETag!;
        if (context.Request.HasAlready(tag))
            return await RefuseAsync(content, StatusCodes.Status304NotModified);

        // A range of another version would be joined with what the client has: then it gets the whole.
        var asked = headers.IfRange is { } condition && condition.EntityTag?.Compare(tag, useStrongComparison: true) is not true
            ? new RangeHeader.Absent()
            : RangeHeader.Parse(context.Request.Headers.Range, content.Length);
        if (asked is RangeHeader.Unsatisfiable)
        {
            context.Response.Headers.ContentRange = $"bytes */{content.Length}";
            return await RefuseAsync(content, StatusCodes.Status416RangeNotSatisfiable);
        }

        await ContentResponse.SendAsync(context, content, (asked as RangeHeader.Ranges)?.List, cancellationToken);
        return Results.Empty;
    }

    /// <summary>Whether the client says that it has what an entity tag names (If-None-Match).</summary>
    public static bool HasAlready(this HttpRequest request, EntityTagHeaderValue tag) => request.GetTypedHeaders().IfNoneMatch
        .Any(known => known.Compare(tag, useStrongComparison: false) || known.Equals(EntityTagHeaderValue.Any));

    private static async Task<IResult> RefuseAsync(ContentReader content, int status)
    {
        await content.DisposeAsync();
        return TypedResults.StatusCode(status);
    }
}
