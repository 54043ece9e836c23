using Microsoft.AspNetCore.Http.HttpResults;

namespace Vitrine.Server.Operations;

/// <summary>What machines ask of a server: does it live, can it work, how is it doing.</summary>
internal static class MonitoringEndpoints
{
    public static IServiceCollection AddMonitoring(this IServiceCollection services) =>
        services.AddSingleton<Health>().AddSingleton<PrometheusMetrics>().AddSingleton<LibraryGauges>();

    public static void MapMonitoring(this IEndpointRouteBuilder app)
    {
        // It counts from the moment it is made, which must not be that of the first question.
        app.ServiceProvider.GetRequiredService<PrometheusMetrics>();

        app.MapGet("/healthz", () => TypedResults.Text("ok\n")).ExcludeFromDescription();
        app.MapGet("/readyz", Ready).ExcludeFromDescription();
        app.MapGet("/metrics", Metrics).ExcludeFromDescription();
    }

    private static async Task<JsonHttpResult<IReadOnlyDictionary<string, string>>> Ready(Health health, CancellationToken cancellationToken)
    {
        var report = await health.CheckAsync(cancellationToken);
        return TypedResults.Json(
            report.Checks, statusCode: report.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<ContentHttpResult> Metrics(PrometheusMetrics metrics, LibraryGauges gauges, CancellationToken cancellationToken)
    {
        await gauges.RefreshAsync(cancellationToken);
        return TypedResults.Text(metrics.Print(), PrometheusMetrics.ContentType);
    }
}
