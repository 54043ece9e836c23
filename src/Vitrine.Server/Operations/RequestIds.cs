using System.Text.RegularExpressions;

namespace Vitrine.Server.Operations;

/// <summary>Gives each request an id that its log lines, its answer and its error carry; a client's own is taken over.</summary>
internal static partial class RequestIds
{
    public const string Header = "x-openstack-request-id";

    public static void UseRequestIds(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        var sent = context.Request.Headers[Header].ToString();
        context.TraceIdentifier = WellFormed().IsMatch(sent) ? sent : $"req-{Guid.NewGuid()}";
        context.Response.Headers[Header] = context.TraceIdentifier;
        return next(context);
    });

    [GeneratedRegex("^req-[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 100)]
    private static partial Regex WellFormed();
}
