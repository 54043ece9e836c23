using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Vitrine.Access;
using Vitrine.Nodes;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>Carries one import to its end, or as far as this node lives; another node carries on from there.</summary>
public sealed partial class TransferRunner
{
    private readonly TransferHolds _holds;
    private readonly SourceRegistry _sources;
    private readonly StoreRegistry _stores;
    private readonly ISecretProtector _secrets;
    private readonly INodeCatalogue _nodes;
    private readonly ConcurrentDictionary<TransferId, bool> _running = [];
    private readonly ILogger<TransferRunner> _logger;

    internal TransferRunner(
        TransferHolds holds, SourceRegistry sources, StoreRegistry stores, ISecretProtector secrets, INodeCatalogue nodes, ILogger<TransferRunner> logger)
    {
        (_holds, _sources, _stores, _secrets, _nodes, _logger) = (holds, sources, stores, secrets, nodes, logger);
    }

    /// <summary>
    /// Works on the transfer until it is over or the node stops. Returns at once where a living node is at it already: being
    /// told twice is no harm.
    /// </summary>
    public async Task RunAsync(TransferId id, CancellationToken stopping)
    {
        if (!_running.TryAdd(id, true))
            return;

        try
        {
            if (!await IsElsewhereAsync(id, stopping))
                await RunAloneAsync(id, stopping);
        }
        finally
        {
            _running.TryRemove(id, out _);
        }
    }

    private async Task<bool> IsElsewhereAsync(TransferId id, CancellationToken stopping)
    {
        var holder = (await _holds.Transfers.FindAsync(id, stopping))?.Node;
        return holder is not null && holder != _holds.Node.Instance
            && (await _nodes.ListAsync(stopping)).Any(n => n.Instance == holder && n.IsAlive(_holds.Time.GetUtcNow()));
    }

    private async Task RunAloneAsync(TransferId id, CancellationToken stopping)
    {
        using var scope = _logger.BeginScope(new Dictionary<string, object> { ["TransferId"] = id.ToString() });
        TransferHold? hold = null;
        try
        {
            hold = await _holds.TakeAsync(id, stopping);
            if (hold is not null)
                await CarryAsync(hold, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested && hold is not null)
        {
            await ReleaseAsync(hold);
            throw;
        }
        catch (TransferLostException) when (hold is not null)
        {
            LogLost(id);
            await DiscardIfOverAsync(hold);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            await FailAsync(id, hold, failure);
        }
        finally
        {
            if (hold is not null)
                await hold.DisposeAsync();
        }
    }

    private async Task CarryAsync(TransferHold hold, CancellationToken stopping)
    {
        if (await hold.TryCompleteEarlierAsync(stopping))
            return;

        switch (hold.Transfer.Kind)
        {
            case TransferKind.Upload: // the client goes on when it comes back
                await hold.ChangeAsync(t => t.Release(), stopping);
                break;
            case TransferKind.Stream:
                throw new UploadInterruptedException(hold.Transfer.Image);
            default:
                await FetchAsync(hold, stopping);
                break;
        }
    }

    private async Task FetchAsync(TransferHold hold, CancellationToken stopping)
    {
        while (!await TryAttemptAsync(hold, stopping))
            await WaitAsync(hold.Transfer.NextAttemptAt!.Value, stopping);

        await hold.CompleteAsync(stopping);
    }

    private async Task WaitAsync(DateTimeOffset until, CancellationToken stopping)
    {
        var wait = until - _holds.Time.GetUtcNow();
        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, _holds.Time, stopping);
    }

    /// <returns>False where the attempt failed in a way that may pass, and another is due.</returns>
    private async Task<bool> TryAttemptAsync(TransferHold hold, CancellationToken stopping)
    {
        try
        {
            await AttemptAsync(hold, stopping);
            return true;
        }
        catch (LibraryException failure) when (MayPass(failure) && hold.Transfer.Fruitless + 1 < _holds.Options.MaxFruitlessAttempts)
        {
            await hold.CloseAsync(stopping);
            var described = _holds.Describe(failure, hold.Transfer.Step);
            await hold.ChangeAsync(t => t.Retry(described, _holds.Time.Now() + Backoff(t.Fruitless)), stopping);
            LogRetrying(hold.Transfer.Id, described.Code, described.Cause, hold.Transfer.NextAttemptAt);
            return false;
        }
    }

    private async Task AttemptAsync(TransferHold hold, CancellationToken stopping)
    {
        var address = new Uri(_secrets.Unprotect(hold.Transfer.SourceSecret!));
        await hold.OpenAsync(stopping);
        await hold.ChangeAsync(t => t.Reach(), stopping);

        // All bytes came in an earlier run that ended before they were checked.
        if (hold.Length > 0 && hold.Length == hold.Transfer.Length)
            return;

        await using var reading = await _sources.For(address).OpenAsync(address, hold.Length, hold.Transfer.Validator, stopping);
        if (reading.Offset != hold.Length)
            await BeginAgainAsync(hold, reading, stopping);
        if (reading.Length > _holds.Options.MaxImageSize)
            throw new LimitExceededException("bytes of an image", _holds.Options.MaxImageSize);

        await _stores.CheckRoomAsync(hold.Transfer.Store, reading.Length - hold.Length, stopping);
        await hold.ChangeAsync(t => NoteResume(t, reading).Connect(reading.Length, hold.Length, reading.Validator, _holds.Time.Now()), stopping);
        await hold.ReceiveAsync(reading.Body, stopping);
    }

    private static async Task BeginAgainAsync(TransferHold hold, SourceReading reading, CancellationToken stopping)
    {
        await hold.RestartAsync(stopping);
        var changed = reading.CanResume && hold.Transfer.Validator is not null && hold.Transfer.Validator != reading.Validator;
        await hold.ChangeAsync(
            t => t.Note(changed
                ? "The file at the source changed during the transfer, which began again from the start."
                : "The source does not support ranges, so the transfer began again from the start."),
            stopping);
    }

    private static Transfer NoteResume(Transfer transfer, SourceReading reading) => reading.CanResume
        ? transfer
        : transfer.Note("The source does not support ranges: after a cut connection the transfer begins again from the start.");

    private static bool MayPass(LibraryException failure) => failure is SourceException { MayPass: true } or StoreUnavailableException;

    /// <summary>A quarter of a second after progress, then doubling up to a minute, so that eight attempts span some four minutes.</summary>
    private static TimeSpan Backoff(int fruitless) =>
        fruitless == 0 ? TimeSpan.FromMilliseconds(250) : TimeSpan.FromSeconds(Math.Min(60, 1 << Math.Min(fruitless, 6)));

    private async Task FailAsync(TransferId id, TransferHold? hold, Exception failure)
    {
        if (failure is not LibraryException)
            LogUnexpected(failure, id);
        try
        {
            if (hold is not null)
                await hold.FailAsync(_holds.Describe(failure, hold.Transfer.Step), keepStaged: failure is LibraryException known && MayPass(known));
        }
        catch (TransferLostException)
        {
            await DiscardIfOverAsync(hold!);
        }
    }

    private async Task ReleaseAsync(TransferHold hold)
    {
        try
        {
            await hold.CloseAsync(CancellationToken.None);
            await hold.ChangeAsync(t => t.Release(), CancellationToken.None);
        }
        catch (LibraryException failure)
        {
            LogUnexpected(failure, hold.Transfer.Id);
        }
    }

    /// <summary>Cancelled or deleted: the bytes go. Taken by another node: they are that node's now.</summary>
    private async Task DiscardIfOverAsync(TransferHold hold)
    {
        if (await _holds.Transfers.FindAsync(hold.Transfer.Id, CancellationToken.None) is null or { IsOver: true })
            await hold.DiscardAsync(CancellationToken.None);
    }

    [LoggerMessage(LogLevel.Information, "Transfer {Transfer} was taken away from this node")]
    private partial void LogLost(TransferId transfer);

    [LoggerMessage(LogLevel.Information, "Transfer {Transfer} tries again at {Next}: {Code}: {Cause}")]
    private partial void LogRetrying(TransferId transfer, string code, string cause, DateTimeOffset? next);

    [LoggerMessage(LogLevel.Error, "Transfer {Transfer} ran into something unexpected")]
    private partial void LogUnexpected(Exception failure, TransferId transfer);
}
