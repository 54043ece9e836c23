using Microsoft.AspNetCore.Http.Features;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>The ticket that a request had in its address.</summary>
internal sealed record TicketFeature(string Ticket);

/// <summary>
/// Takes tickets out of addresses before anything else sees a request: the scopes of the log, traces and measurements take the path at its very
/// beginning, and would keep what opens an upload.
/// </summary>
internal sealed class TicketHiding(IServiceProvider services) : IHttpContextFactory
{
    /// <summary>What stands in the ticket's place.</summary>
    public const string Word = "ticket";

    private const string Folder = RestEndpoints.UploadsPath + "/";

    private readonly DefaultHttpContextFactory _contexts = new(services);

    public HttpContext Create(IFeatureCollection featureCollection)
    {
        if (featureCollection.Get<IHttpRequestFeature>() is { } request && request.Path.StartsWith(Folder, StringComparison.OrdinalIgnoreCase))
            Hide(request, featureCollection);
        return _contexts.Create(featureCollection);
    }

    public void Dispose(HttpContext httpContext) => _contexts.Dispose(httpContext);

    private static void Hide(IHttpRequestFeature request, IFeatureCollection features)
    {
        var end = request.Path.IndexOf('/', Folder.Length) is > 0 and var slash ? slash : request.Path.Length;
        var name = request.Path[Folder.Length..end];
        if (TransferId.TryParse(name, out _) || name.Equals(UploadFormEndpoints.Folder, StringComparison.OrdinalIgnoreCase))
            return;

        features.Set(new TicketFeature(name));
        request.Path = request.RawTarget = $"{Folder}{Word}{request.Path[end..]}";
    }
}
