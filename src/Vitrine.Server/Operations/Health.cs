using Vitrine.Nodes;
using Vitrine.Stores;

namespace Vitrine.Server.Operations;

/// <summary>Whether this node can do its work: the catalogue answers, and the default store takes bytes.</summary>
/// <remarks>The answer is kept for a few seconds, so that asking often costs nothing.</remarks>
internal sealed class Health(INodeCatalogue catalogue, StoreRegistry stores, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _one = new(1);
    private HealthReport? _last;

    public async Task<HealthReport> CheckAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_last is null || time.GetUtcNow() - _last.At >= Freshness)
                _last = await LookAsync(cancellationToken);
            return _last;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<HealthReport> LookAsync(CancellationToken cancellationToken)
    {
        var checks = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["catalogue"] = await TryAsync(token => catalogue.ListAsync(token), cancellationToken),
        };
        foreach (var store in stores.All)
            checks[$"store {store.Name}"] = await TryAsync(token => stores.Contents(store.Name).ProbeAsync(token), cancellationToken);

        return new HealthReport(checks, time.GetUtcNow());
    }

    private async Task<string> TryAsync(Func<CancellationToken, Task> check, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await check(both.Token).WaitAsync(both.Token);
            return HealthReport.Fine;
        }
        catch (LibraryException failure)
        {
            return failure.Message;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return $"no answer within {Patience.TotalSeconds:0} s";
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            // What a driver says may name hosts and users; the log has it, the world does not.
            return "not available";
        }
    }
}

/// <param name="Checks">What was looked at, and <c>ok</c> or what is wrong with it.</param>
internal sealed record HealthReport(IReadOnlyDictionary<string, string> Checks, DateTimeOffset At)
{
    public const string Fine = "ok";

    public bool IsReady => Checks.Values.All(c => c == Fine);
}
