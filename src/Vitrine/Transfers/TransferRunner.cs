using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.Extensions.Logging;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Nodes;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>Carries one import or copy to its end, or as far as this node lives; another node carries on from there.</summary>
public sealed partial class TransferRunner
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly TransferHolds _holds;
    private readonly SourceRegistry _sources;
    private readonly StoreRegistry _stores;
    private readonly ReplicaReaders _readers;
    private readonly IUploadPartCatalogue _parts;
    private readonly ISecretProtector _secrets;
    private readonly INodeCatalogue _nodes;
    private readonly NodeDuty _duty;
    private readonly ConcurrentDictionary<TransferId, bool> _running = [];
    private readonly ILogger<TransferRunner> _logger;

    internal TransferRunner(
        TransferHolds holds, SourceRegistry sources, StoreRegistry stores, ReplicaReaders readers, IUploadPartCatalogue parts, ISecretProtector secrets, INodeCatalogue nodes,
        NodeDuty duty, ILogger<TransferRunner> logger)
    {
        (_holds, _sources, _stores, _readers, _parts, _secrets, _nodes, _duty, _logger) =
            (holds, sources, stores, readers, parts, secrets, nodes, duty, logger);
    }

    /// <summary>
    /// Works on the transfer until it is over, the node stops or is drained. Returns at once where a living node is at it already, where
    /// this one takes no work or does not reach the stores, or where a limit is reached: being told twice is no harm, nor is being told in vain.
    /// </summary>
    public async Task RunAsync(TransferId id, CancellationToken stopping)
    {
        if (!_duty.TakesWork || !_running.TryAdd(id, true))
            return;

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping, _duty.Leaving);
        var isGivenBack = false;
        try
        {
            if (await IsOursAsync(id, ending.Token))
                await RunAloneAsync(id, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            isGivenBack = true;
        }
        finally
        {
            _running.TryRemove(id, out _);
        }

        if (isGivenBack)
            await _holds.Scheduler.ScheduleAsync(id, stopping);
    }

    /// <summary>True where this node has all stores that the transfer needs.</summary>
    public async Task<bool> ReachesAsync(Transfer transfer, CancellationToken cancellationToken) =>
        _stores.Has(transfer.Store) && transfer switch
        {
            { Kind: TransferKind.Copy } => await _readers.ReachesSourceAsync(transfer, cancellationToken),
            { Kind: TransferKind.Import, SourceStore: { } staged } => _stores.Has(staged),
            _ => true,
        };

    /// <summary>
    /// True for a transfer that the catalogue gives to this run although nothing in it works on it any more, as after a failure
    /// that could not be recorded because the catalogue was away.
    /// </summary>
    /// <remarks>An upload is not abandoned while its client may still send.</remarks>
    public bool HasAbandoned(Transfer transfer) =>
        transfer.Node == _holds.Node.Instance
        && transfer is { IsOver: false } and not { Kind: TransferKind.Upload, State: not (TransferState.Verifying or TransferState.Retrying) }
        && !_running.ContainsKey(transfer.Id) && !_holds.IsHeld(transfer.Id);

    /// <summary>Puts back what this run has abandoned and takes up no more, as it is drained or runs no transfers, so that another node can.</summary>
    public async Task GiveBackAbandonedAsync(CancellationToken cancellationToken)
    {
        var query = new TransferQuery { Kinds = [TransferKind.Import, TransferKind.Copy, TransferKind.Upload], States = Transfer.LivingStates, Limit = int.MaxValue };
        foreach (var transfer in await _holds.Transfers.ListAsync(query, cancellationToken))
        {
            if (!HasAbandoned(transfer))
                continue;

            await using var hold = _holds.Hold(transfer);
            await ReleaseAsync(hold);
        }
    }

    private async Task<bool> IsOursAsync(TransferId id, CancellationToken stopping) =>
        await _holds.Transfers.FindAsync(id, stopping) is { IsOver: false } transfer
        && !await IsElsewhereAsync(transfer, stopping) && await ReachesAsync(transfer, stopping);

    private async Task<bool> IsElsewhereAsync(Transfer transfer, CancellationToken stopping) =>
        transfer.Node is { } holder && holder != _holds.Node.Instance
        && (await _nodes.ListAsync(stopping)).Any(n => n.Instance == holder && n.IsAlive(_holds.Time.GetUtcNow()));

    private async Task RunAloneAsync(TransferId id, CancellationToken stopping)
    {
        using var scope = _logger.BeginScope(new Dictionary<string, object> { ["TransferId"] = id.ToString() });
        TransferHold? hold = null;
        try
        {
            hold = await _holds.TakeToRunAsync(id, stopping);
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
            await hold.LetGoAsync();
        }
        catch (Exception failure) when (!stopping.IsCancellationRequested || failure is not OperationCanceledException)
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
        while (!await TryAttemptAsync(hold, stopping))
            await WaitAsync(hold, hold.Transfer.NextAttemptAt!.Value, stopping);
    }

    /// <summary>Waits, but not on for a transfer that was cancelled or retried meanwhile.</summary>
    private async Task WaitAsync(TransferHold hold, DateTimeOffset until, CancellationToken stopping)
    {
        while (until - _holds.Time.GetUtcNow() is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(left < LookInterval ? left : LookInterval, _holds.Time, stopping);
            await hold.ConfirmAsync(stopping);
        }
    }

    /// <returns>False where the attempt failed in a way that may pass, and another is due.</returns>
    private async Task<bool> TryAttemptAsync(TransferHold hold, CancellationToken stopping)
    {
        try
        {
            await AttemptAsync(hold, stopping);
            return true;
        }
        catch (Exception failure) when (MayPass(failure, hold.Transfer) && hold.Transfer.Fruitless + 1 < _holds.Options.MaxFruitlessAttempts)
        {
            // What came of a source that broke off is in order; what became of a write that failed must be looked at again.
            if (failure is not SourceException)
                await hold.CloseAsync(stopping);

            var described = _holds.Describe(failure, hold.Transfer.Step);
            await hold.ChangeAsync(t => t.Retry(described, _holds.Time.Now() + Backoff(t.Fruitless)), stopping);
            LogRetrying(hold.Transfer.Id, described.Code, described.Cause, hold.Transfer.NextAttemptAt);
            return false;
        }
    }

    private async Task AttemptAsync(TransferHold hold, CancellationToken stopping)
    {
        if (await hold.TryCompleteEarlierAsync(stopping))
            return;
        if (IsHeldByNobodyAlive(hold.Transfer))
            await hold.ChangeAsync(t => t.BeginBeside(), stopping);

        switch (hold.Transfer.Kind)
        {
            case TransferKind.Stream:
                throw new UploadInterruptedException(hold.Transfer.Image);
            case TransferKind.Upload:
                await FinishUploadAsync(hold, stopping);
                break;
            case TransferKind.Copy:
                await CopyAsync(hold, stopping);
                break;
            default:
                await FetchAsync(hold, stopping);
                break;
        }
    }

    /// <summary>True where whoever had the bytes was waited for, who would have let go of them if he could.</summary>
    private bool IsHeldByNobodyAlive(Transfer transfer) =>
        transfer is { IsLimited: true, CanBeginAnew: true, Failure.Code: WriterBusyException.Word } && transfer.Fruitless == _holds.Options.PatienceWithWriters;

    /// <summary>Checks an upload whose bytes all came. Another goes on when its client comes back.</summary>
    private async Task FinishUploadAsync(TransferHold hold, CancellationToken stopping)
    {
        List<UploadPart> parts = [.. (await _parts.ListAsync(hold.Transfer.Id, stopping)).Where(p => p.Place is not null).OrderBy(p => p.Place)];
        if (parts.Count > 0)
        {
            await AssembleAsync(hold, parts, stopping);
            return;
        }

        if (hold.Transfer.Moved == hold.Transfer.Length)
            await hold.OpenAsync(stopping);

        if (hold.IsWhole)
            await hold.CompleteAsync(stopping);
        else
            await ReleaseAsync(hold);
    }

    private async Task AssembleAsync(TransferHold hold, List<UploadPart> parts, CancellationToken stopping)
    {
        // First, so that nobody takes it for an upload whose client may still send, however long it is to read again what is here.
        await hold.ChangeAsync(t => t.Assemble(t.Assembled), stopping);
        await hold.OpenAsync(stopping);
        if (!hold.IsWhole)
        {
            await using var joined = new JoinedParts(_stores.Contents(hold.Transfer.Store), parts);
            await hold.AssembleAsync(joined, stopping);
        }

        await hold.CompleteAsync(stopping);
        foreach (var part in parts)
            await DiscardAsync(hold.Transfer.Store, part);
    }

    /// <summary>What of it cannot be removed now, the sweeper removes: the upload is over.</summary>
    private async Task DiscardAsync(string store, UploadPart part)
    {
        try
        {
            await _stores.Contents(store).DiscardAsync(part.Key, CancellationToken.None);
        }
        catch (LibraryException failure)
        {
            LogPartLeft(failure, part.Number, part.Upload);
        }
    }

    private async Task FetchAsync(TransferHold hold, CancellationToken stopping)
    {
        await hold.OpenAsync(stopping);
        if (!hold.IsWhole)
            await (hold.Transfer.SourceSecret is { } secret ? ReceiveAsync(hold, secret, stopping) : ReceiveStagedAsync(hold, stopping));

        await hold.CompleteAsync(stopping);
    }

    private async Task ReceiveStagedAsync(TransferHold hold, CancellationToken stopping)
    {
        if (hold.Transfer.SourceStore is not { } store)
            throw new UploadInterruptedException(hold.Transfer.Image);

        await _stores.CheckRoomAsync(hold.Transfer.Store, hold.Transfer.Length - hold.Length, stopping);
        await hold.ChangeAsync(t => t.Reach().Connect(t.Length, hold.Length, validator: null, _holds.Time.Now()), stopping);
        await hold.ReceiveStagedAsync(store, stopping);
        if (!hold.IsWhole)
            throw new UploadInterruptedException(hold.Transfer.Image);
    }

    private async Task ReceiveAsync(TransferHold hold, string secret, CancellationToken stopping)
    {
        var mirrors = new Mirrors(
            _sources, Mirrors.Split(_secrets.Unprotect(secret)), isProven: hold.Transfer.Expected is not null, _logger);
        await hold.ChangeAsync(t => t.Reach(), stopping);
        await using var reading = await mirrors.OpenAsync(hold.Length, hold.Transfer.Length, hold.Transfer.Validator, stopping);
        if (reading.Offset != hold.Length)
            await BeginAgainAsync(hold, reading, stopping);
        if (reading.Length > _holds.Options.MaxImageSize)
            throw new LimitExceededException("bytes of an image", _holds.Options.MaxImageSize);

        await _stores.CheckRoomAsync(hold.Transfer.Store, reading.Length - hold.Length, stopping);
        await hold.ChangeAsync(t => NoteResume(t, reading).Connect(reading.Length, hold.Length, reading.Validator, _holds.Time.Now()), stopping);
        await hold.ReceiveAsync(reading.Body, stopping);
    }

    private async Task CopyAsync(TransferHold hold, CancellationToken stopping)
    {
        await hold.OpenAsync(stopping);
        if (!hold.IsWhole)
            await ReadReplicaAsync(hold, hold.Transfer.Content!, stopping);

        await hold.CompleteAsync(stopping);
    }

    private async Task ReadReplicaAsync(TransferHold hold, ContentFacts content, CancellationToken stopping)
    {
        var store = await _readers.ChooseAsync(hold.Transfer, stopping);
        await hold.ChangeAsync(t => t.Reach() with { SourceStore = store }, stopping);
        await _stores.CheckRoomAsync(hold.Transfer.Store, content.Size - hold.Length, stopping);
        var source = await _holds.Routes.FindAsync(store, stopping);
        await using var reader = await source.OpenAsync(content.Digest, stopping);
        await hold.ChangeAsync(t => t.Connect(content.Size, hold.Length, validator: null, _holds.Time.Now()), stopping);
        await hold.ReceiveAsync(reader, stopping);
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

    /// <summary>A store or a catalogue that does not answer may do so soon; so may a writer end whose node was taken for dead.</summary>
    /// <remarks>What is copied may be sound in another store that has it.</remarks>
    private static bool MayPass(Exception failure, Transfer transfer) =>
        failure is SourceException { MayPass: true } or StoreUnavailableException or WriterBusyException or CatalogueUnavailableException or DbException
        || (transfer.Kind is TransferKind.Copy && failure is (StoreDamagedException or ContentMissingException));

    /// <summary>A quarter of a second after progress, then doubling up to a minute, so that eight attempts span some four minutes.</summary>
    private static TimeSpan Backoff(int fruitless) =>
        fruitless == 0 ? TimeSpan.FromMilliseconds(250) : TimeSpan.FromSeconds(Math.Min(60, 1 << Math.Min(fruitless, 6)));

    private async Task FailAsync(TransferId id, TransferHold? hold, Exception failure)
    {
        if (failure is not LibraryException)
            LogUnexpected(failure, id);
        if (hold is not null)
            await hold.FailAsync(_holds.Describe(failure, hold.Transfer.Step), keepStaged: MayPass(failure, hold.Transfer));
    }

    /// <summary>Puts the transfer back, for whoever comes next.</summary>
    private static async Task ReleaseAsync(TransferHold hold)
    {
        try
        {
            await hold.CloseAsync(CancellationToken.None);
            await hold.ChangeAsync(t => t.Release(), CancellationToken.None);
        }
        catch (TransferLostException)
        {
            await hold.LetGoAsync();
        }
    }

    [LoggerMessage(LogLevel.Information, "Transfer {Transfer} was taken away from this node")]
    private partial void LogLost(TransferId transfer);

    [LoggerMessage(LogLevel.Information, "Transfer {Transfer} tries again at {Next}: {Code}: {Cause}")]
    private partial void LogRetrying(TransferId transfer, string code, string cause, DateTimeOffset? next);

    [LoggerMessage(LogLevel.Warning, "Part {Number} of upload {Upload} is left to the sweeper")]
    private partial void LogPartLeft(Exception failure, int number, TransferId upload);

    [LoggerMessage(LogLevel.Error, "Transfer {Transfer} ran into something unexpected")]
    private partial void LogUnexpected(Exception failure, TransferId transfer);
}
