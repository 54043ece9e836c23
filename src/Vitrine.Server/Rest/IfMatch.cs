using Microsoft.Net.Http.Headers;
using Vitrine.Images;

namespace Vitrine.Server.Rest;

/// <summary>Changes on condition that an image still is what the client saw: If-Match (RFC 9110, 13.1.1) with the entity tag of an answer.</summary>
internal static class IfMatch
{
    /// <summary>The tag of an image's record: it changes with whatever can be changed of it.</summary>
    public static string TagOf(Image image) => $"\"{image.Version}\"";

    /// <summary>What a request asks of the image that it changes; null for nothing.</summary>
    /// <returns>It throws <see cref="VersionMismatchException"/> for an image that is another by now.</returns>
    /// <exception cref="InvalidFieldException">The header is no list of entity tags.</exception>
    public static Action<Image>? ConditionOf(HttpRequest request)
    {
        if (request.Headers.IfMatch.Count == 0)
            return null;
        if (!EntityTagHeaderValue.TryParseStrictList(request.Headers.IfMatch!, out var tags))
            throw new InvalidFieldException("If-Match", "is no list of entity tags");
        if (tags.Contains(EntityTagHeaderValue.Any))
            return null;

        return image =>
        {
            if (!tags.Any(t => !t.IsWeak && t.Tag == TagOf(image)))
                throw new VersionMismatchException($"Image {image.Id} was changed since it had the tag that the request names.");
        };
    }

    /// <summary>Marks an endpoint that goes by the header.</summary>
    public static RouteHandlerBuilder HonoursIfMatch(this RouteHandlerBuilder endpoint) => endpoint.WithMetadata(Honoured.Mark);

    /// <summary>Refuses changes of what has no tag, where the header would else be passed over in silence.</summary>
    public static TBuilder RefuseIfMatchElsewhere<TBuilder>(this TBuilder group) where TBuilder : IEndpointConventionBuilder =>
        group.AddEndpointFilter((context, next) =>
        {
            var http = context.HttpContext;
            var isChange = !HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method);
            return isChange && http.Request.Headers.IfMatch.Count > 0 && http.GetEndpoint()?.Metadata.GetMetadata<Honoured>() is null
                ? throw new VersionMismatchException("What the request changes has no entity tag.")
                : next(context);
        });

    private sealed class Honoured
    {
        public static readonly Honoured Mark = new();
    }
}

/// <summary>The request was to be done only if something had a certain version, which it has not.</summary>
internal sealed class VersionMismatchException(string reason) : LibraryException(reason)
{
    public override string Code => "version-mismatch";

    public override string Remedy => "Read it again, and repeat the change with its new tag, or without If-Match.";
}
