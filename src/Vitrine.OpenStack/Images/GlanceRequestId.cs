using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Vitrine.OpenStack.Images;

/// <summary>The name of a request, by which a client's log, ours and the tasks it began are found together.</summary>
internal static class GlanceRequestId
{
    private const string Header = "x-openstack-request-id";
    private const string Prefix = "req-";

    public static RouteGroupBuilder WithRequestIds(this RouteGroupBuilder group) =>
        group.AddEndpointFilter((context, next) =>
        {
            Begin(context.HttpContext);
            return next(context);
        });

    private static void Begin(HttpContext context)
    {
        var id = FromClient(context.Request) ?? Prefix + Guid.NewGuid().ToString("D");
        context.TraceIdentifier = id;
        context.Response.Headers[Header] = id;
    }

    /// <summary>Only what looks like one is taken over: it comes to stand in our logs.</summary>
    private static string? FromClient(HttpRequest request) =>
        request.Headers[Header] is [{ } given] && given.StartsWith(Prefix, StringComparison.Ordinal)
        && Guid.TryParseExact(given.AsSpan(Prefix.Length), "D", out _)
            ? given
            : null;
}
