namespace Vitrine.Server.Operations;

/// <summary>Ends a process that was told to stop and does not: a scheduler whose database is gone tries to reach it for ever, and hears nothing meanwhile.</summary>
/// <remarks>What was acknowledged survives the end of the process at any moment; this loses no more than that.</remarks>
internal static class StopLimit
{
    /// <summary>For what comes after the time that the host gives its parts.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private static ITimer? _timer;

    /// <param name="given">The time that the host gives its parts, from the moment at which it begins to stop.</param>
    public static void Watch(IHostApplicationLifetime lifetime, TimeSpan given) => lifetime.ApplicationStopping.Register(() =>
        _timer = TimeProvider.System.CreateTimer(_ => End(given + Grace), state: null, given + Grace, Timeout.InfiniteTimeSpan));

    private static void End(TimeSpan limit)
    {
        Console.Error.WriteLine($"vitrine-server: not stopped {limit.TotalSeconds:0} seconds after it was told to, so the process ends itself.");
        Environment.Exit(1);
    }
}
