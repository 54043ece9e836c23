using Microsoft.Extensions.Logging;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Quotas;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>A transfer that this node has taken, with the content it receives, until it is let go.</summary>
/// <remarks>
/// Every change is stored before anybody sees it, and is refused with <see cref="TransferLostException"/> once another node,
/// a cancel or a deletion has come between.
/// </remarks>
internal sealed partial class TransferHold : IAsyncDisposable
{
    /// <summary>Glance's clients read these.</summary>
    private static readonly ChecksumAlgorithm[] Published = [ChecksumAlgorithm.Md5, ChecksumAlgorithm.Sha512];

    private readonly TransferHolds _holds;
    private Ingest? _ingest;

    internal TransferHold(TransferHolds holds, Transfer transfer)
    {
        (_holds, Transfer) = (holds, transfer);
    }

    public Transfer Transfer { get; private set; }

    /// <summary>How many bytes are here.</summary>
    public long Length => Opened.Length;

    /// <summary>True where the content is open and all of the announced bytes are here.</summary>
    public bool IsWhole => _ingest is { Length: > 0 } ingest && ingest.Length == Transfer.Length;

    private Ingest Opened => _ingest ?? throw new InvalidOperationException("The transfer's content is not open.");

    // The operator may have taken the store away since, which is a failure of the transfer like others.
    private IContentStore Store => _holds.Stores.Contents(Transfer.Store);

    // Of what is copied, all that can be known is known; its digest is computed to see that it came right.
    private IReadOnlyCollection<ChecksumAlgorithm> Sums => Transfer switch
    {
        { Kind: TransferKind.Copy } => [],
        { Expected: { } expected } => [.. Published, expected.Algorithm],
        _ => Published,
    };

    private StagingKey Key => StagingKey.Of(Transfer.Id, Transfer.StagingTurn);

    /// <summary>Opens what the store holds of the content, and looks at it again, so that it need not come again.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        if (_ingest is not null)
            return;

        var store = Transfer.Kind is TransferKind.Copy ? await _holds.Routes.FindAsync(Transfer.Store, cancellationToken) : Store;
        IAsyncDisposable opened = await store.OpenWriterAsync(Key, cancellationToken);
        try
        {
            var writer = (ContentWriter)opened;
            var ingest = new Ingest(writer, _holds.Inspector, Sums, _holds.Time, digest => _holds.FindSumsAsync(digest, Sums));
            opened = ingest;
            if (writer.Length > 0)
                await ChangeAsync(t => t with { Step = TransferSteps.Rereading }, cancellationToken);
            await ingest.RereadAsync(cancellationToken);
            _ingest = ingest;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets go of the content; what came stays in the store, durable if the store can still be written to.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        if (_ingest is null)
            return;

        await using var closing = _ingest;
        _ingest = null;
        try
        {
            if (Transfer.State is not TransferState.Done)
                await closing.FlushAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogNotFlushed(_holds.Logger, failure, Transfer.Id);
        }
    }

    /// <summary>Stores the next state of the transfer.</summary>
    public async Task ChangeAsync(Func<Transfer, Transfer> change, CancellationToken cancellationToken)
    {
        var next = change(Transfer);
        if (next != Transfer)
            await SaveAsync(() => Task.FromResult(new CatalogueChange { Transfers = [next], Within = WithinAfter(next) }), cancellationToken);
    }

    /// <summary>What more bytes, here or announced, are held against. What the library does of its own accord is held against nothing.</summary>
    private QuotaResource[] WithinAfter(Transfer next) =>
        Transfer.Operation is null && (next.Moved > Transfer.Moved || next.Length > (Transfer.Length ?? 0)) ? [QuotaResource.Size, QuotaResource.Staged] : [];

    /// <summary>Looks whether the transfer is still this node's.</summary>
    /// <exception cref="TransferLostException">It was cancelled, deleted, or taken by another.</exception>
    public async Task ConfirmAsync(CancellationToken cancellationToken)
    {
        if ((await _holds.Transfers.FindAsync(Transfer.Id, cancellationToken))?.Version != Transfer.Version)
            throw new TransferLostException(Transfer.Id);
    }

    /// <summary>Drops what came, for a source that begins again.</summary>
    public Task RestartAsync(CancellationToken cancellationToken) => Opened.RestartAsync(cancellationToken);

    /// <summary>Takes what a source or a client sends, to its end, and keeps the record up to date meanwhile.</summary>
    public Task ReceiveAsync(Stream body, CancellationToken cancellationToken)
    {
        var paced = _holds.Bandwidth.Pace(body, isCopy: Transfer.SourceStore is not null);
        return Opened.TakeAsync(paced, Transfer.Length, _holds.Options.MaxImageSize, ReportAsync, cancellationToken);
    }

    // Also when the work is called off: what came is here.
    private Task ReportAsync(long fetched) => ChangeAsync(t => t.Advance(Opened.Length, fetched, _holds.Time.Now()), CancellationToken.None);

    /// <summary>Takes what another store of the library has.</summary>
    public async Task ReceiveAsync(ContentReader replica, CancellationToken cancellationToken)
    {
        if (await Opened.TryTakeByNameAsync(replica, ReportAsync, read => _holds.Bandwidth.SpendAsync(read, isCopy: true, cancellationToken), cancellationToken))
            return;

        await using var body = new ContentStream(replica, Length);
        await ReceiveAsync(body, cancellationToken);
    }

    /// <summary>Takes what came in parts as the content, from where an earlier run of it was.</summary>
    public Task AssembleAsync(ContentReader parts, CancellationToken cancellationToken)
    {
        return Opened.TakeAsync(new ContentStream(parts, Length), Transfer.Length, _holds.Options.MaxImageSize, ReportAsync, cancellationToken);

        async Task ReportAsync(long _)
        {
            await ChangeAsync(t => t.Assemble(Opened.Length), CancellationToken.None);
            await _holds.Stores.CheckReserveAsync(Transfer.Store, CancellationToken.None);
        }
    }

    /// <summary>Makes what came so far survive a power cut.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => Opened.FlushAsync(cancellationToken);

    /// <summary>Takes what was staged in another store than the one that is to have it.</summary>
    public async Task ReceiveStagedAsync(string store, CancellationToken cancellationToken)
    {
        await using var writer = await _holds.Stores.Contents(store).OpenWriterAsync(Key, cancellationToken);
        await using var body = new ContentStream(new StagedReader(writer), Length);
        await ReceiveAsync(body, cancellationToken);
    }

    /// <summary>Ends the transfer without content. What came is kept only where going on makes sense.</summary>
    /// <remarks>Where somebody else has ended it already, or has taken it, that is how it stays.</remarks>
    public async Task FailAsync(TransferFailure failure, bool keepStaged)
    {
        try
        {
            await SaveFailureAsync(failure);
        }
        catch (TransferLostException)
        {
            await LetGoAsync();
            return;
        }

        if (keepStaged)
            await CloseAsync(CancellationToken.None);
        else
            await DiscardAsync();
    }

    /// <summary>Gives up what was taken away. Cancelled or deleted: the bytes go. Taken by another node: they are that node's now.</summary>
    public async Task LetGoAsync()
    {
        await DisposeAsync();
        if (await _holds.IsOverAsync(Transfer.Id, CancellationToken.None))
            await DiscardAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _holds.Forget(this);
        if (_ingest is { } ingest)
            await ingest.DisposeAsync();
        _ingest = null;

        // What was made of the file is the content now; the file has served, as has what was staged elsewhere.
        if (Transfer is { State: TransferState.Done, Content.Source: { } source })
        {
            await DiscardAsync(Key);
            if (source is { Wrapper: not null, Format: not null })
                await DiscardAsync(UnpackedKey);
        }

        if (Transfer is { State: TransferState.Done, Kind: TransferKind.Import, SourceStore: { } staged })
            await DiscardAsync(staged, Key);
    }

    /// <summary>Removes what came.</summary>
    private async Task DiscardAsync()
    {
        await DisposeAsync();
        await DiscardAsync(Key);
        await DiscardAsync(UnpackedKey);
        await DiscardAsync(ConvertedKey);
        if (Transfer is { Kind: TransferKind.Import, SourceStore: { } staged })
            await DiscardAsync(staged, Key);
    }

    private Task DiscardAsync(StagingKey key) => DiscardAsync(Transfer.Store, key);

    /// <summary>Removes what is staged under a key. What cannot be removed now, the sweeper removes.</summary>
    private async Task DiscardAsync(string store, StagingKey key)
    {
        try
        {
            await _holds.Stores.Contents(store).DiscardAsync(key, CancellationToken.None);
        }
        catch (LibraryException failure)
        {
            LogNotDiscarded(_holds.Logger, failure, Transfer.Id);
        }
    }

    private async Task SaveFailureAsync(TransferFailure failure)
    {
        // Whatever was cancelled, the record must not stay as if the work went on.
        var now = _holds.Time.Now();
        await SaveAsync(
            async () => TransferChanges.End(
                Transfer.Fail(failure, now), await _holds.GetImageAsync(Transfer, CancellationToken.None),
                await _holds.Replicas.ListAsync([Transfer.Image], CancellationToken.None), now),
            CancellationToken.None);
        _holds.Count(Transfer);
        LogFailed(_holds.Logger, Transfer.Id, Transfer.Image, failure.Code, failure.Cause);
    }

    /// <param name="decide">The change, with this transfer first, made of what the catalogue says at this moment.</param>
    private async Task<CatalogueChange> SaveAsync(Func<Task<CatalogueChange>> decide, CancellationToken cancellationToken)
    {
        while (true)
        {
            var change = await decide();
            try
            {
                await _holds.Catalogue.SaveAsync(change, cancellationToken);
                Transfer = change.Transfers[0] with { Version = Transfer.Version + 1 };
                return change;
            }
            catch (ConcurrentChangeException)
            {
                // A user may have changed the image meanwhile, which is no reason to stop; whoever changed the transfer has taken it away.
                if (change.Image is null || (await _holds.Transfers.FindAsync(Transfer.Id, cancellationToken))?.Version != Transfer.Version)
                    throw new TransferLostException(Transfer.Id);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "What came of transfer {Transfer} could not be made durable")]
    private static partial void LogNotFlushed(ILogger logger, Exception failure, TransferId transfer);

    [LoggerMessage(LogLevel.Warning, "What came of transfer {Transfer} is left to the sweeper")]
    private static partial void LogNotDiscarded(ILogger logger, Exception failure, TransferId transfer);

    [LoggerMessage(LogLevel.Warning, "Transfer {Transfer} of image {Image} failed: {Code}: {Cause}")]
    private static partial void LogFailed(ILogger logger, TransferId transfer, ImageId image, string code, string cause);
}
