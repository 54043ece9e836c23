using Microsoft.Extensions.Logging;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Transfers;

namespace Vitrine.Stores;

/// <summary>Frees what nobody refers to: content without a replica, and what transfers that are over have left behind.</summary>
public sealed partial class ContentSweeper
{
    private readonly StoreRegistry _stores;
    private readonly IReplicaCatalogue _replicas;
    private readonly ITransferCatalogue _transfers;
    private readonly IImageCatalogue _images;
    private readonly IStoreOperationCatalogue _operations;
    private readonly LibraryOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ContentSweeper> _logger;

    public ContentSweeper(
        StoreRegistry stores, IReplicaCatalogue replicas, ITransferCatalogue transfers, IImageCatalogue images,
        IStoreOperationCatalogue operations, LibraryOptions options, TimeProvider time, ILogger<ContentSweeper> logger)
    {
        (_stores, _replicas, _transfers, _images, _operations) = (stores, replicas, transfers, images, operations);
        (_options, _time, _logger) = (options, time, logger);
    }

    /// <summary>Looks through a store once. What is in use, or on its way, stays.</summary>
    /// <returns>What was freed; nothing where the store does not answer, whose turn comes again.</returns>
    public async Task<SweepResult> SweepAsync(string store, CancellationToken cancellationToken)
    {
        var result = new SweepResult(0, 0, 0);
        try
        {
            result += await SweepContentAsync(store, cancellationToken);
            result += await SweepStagedAsync(store, cancellationToken);
        }
        catch (StoreUnavailableException failure)
        {
            LogUnavailable(failure, store);
        }

        return result;
    }

    /// <summary>Frees one content at once, if nobody refers to it.</summary>
    public Task<bool> TryRemoveAsync(string store, Digest digest, CancellationToken cancellationToken) =>
        TryRemoveAsync(store, digest, () => Task.FromResult(true), cancellationToken);

    /// <param name="mayGo">Asked once it is sure that the catalogue does not want it.</param>
    private async Task<bool> TryRemoveAsync(string store, Digest digest, Func<Task<bool>> mayGo, CancellationToken cancellationToken)
    {
        if (!await _replicas.TryBeginRemovalAsync(store, digest, cancellationToken))
            return false;

        try
        {
            if (!await mayGo())
                return false;

            await _stores.Contents(store).DeleteAsync(digest, cancellationToken);
        }
        finally
        {
            // Content that could not be removed is found again by the next sweep; until then it may be claimed.
            await _replicas.EndRemovalAsync(store, digest, CancellationToken.None);
        }

        LogRemoved(digest, store);
        return true;
    }

    /// <summary>The same for who has done what he came for, whatever becomes of the space: what stays, the next sweep finds.</summary>
    internal async Task TryFreeAsync(string store, Digest digest)
    {
        // Another zone's store is swept there.
        if (!_stores.Has(store))
            return;

        try
        {
            await TryRemoveAsync(store, digest, CancellationToken.None);
        }
        catch (LibraryException failure)
        {
            LogNotFreed(failure, digest, store);
        }
    }

    /// <summary>The same for what a transfer left staged that nobody works on.</summary>
    internal async Task TryDiscardAsync(Transfer ended)
    {
        try
        {
            await TryDiscardAsync(ended.Store, StagingKey.Of(ended.Id, ended.StagingTurn), CancellationToken.None);
        }
        catch (LibraryException failure)
        {
            LogNotDiscarded(failure, ended.Id, ended.Store);
        }
    }

    private async Task<SweepResult> SweepContentAsync(string store, CancellationToken cancellationToken)
    {
        var result = new SweepResult(0, 0, 0);
        Func<Digest, bool>? isDescribed = null;
        await foreach (var content in _stores.Contents(store).ListAsync(cancellationToken))
        {
            if (await TryRemoveAsync(store, content.Digest, () => MayGoAsync(content.Digest), cancellationToken))
                result += new SweepResult(1, 0, content.Length);
        }

        return result;

        // To read what the store describes takes a while, and most sweeps find nothing to remove.
        async Task<bool> MayGoAsync(Digest digest) => !(isDescribed ??= await FindForgottenAsync(store, cancellationToken))(digest);
    }

    /// <summary>
    /// The contents of images that the store describes and the catalogue never heard of: they wait for a rebuild. All may be, where a description
    /// cannot be read.
    /// </summary>
    private async Task<Func<Digest, bool>> FindForgottenAsync(string store, CancellationToken cancellationToken)
    {
        var forgotten = new HashSet<Digest>();
        if (_stores.Contents(store).Descriptions is not { } descriptions)
            return forgotten.Contains;

        var unreadable = 0;
        await foreach (var document in descriptions.ListAsync(cancellationToken))
        {
            if (ImageDescription.TryRead(document.Span) is not { Image: { Content: { } content } image })
                unreadable++;
            else if (await _images.FindAsync(image.Id, cancellationToken) is null && forgotten.Add(content.Digest))
                LogForgotten(image.Id, store);
        }

        if (unreadable == 0)
            return forgotten.Contains;

        LogUnreadable(unreadable, store);
        return _ => true;
    }

    private async Task<SweepResult> SweepStagedAsync(string store, CancellationToken cancellationToken)
    {
        var result = new SweepResult(0, 0, 0);
        await foreach (var staged in _stores.Contents(store).ListStagedAsync(cancellationToken))
        {
            if (!await IsWantedAsync(staged, cancellationToken) && await TryDiscardAsync(store, staged.Key, cancellationToken))
                result += new SweepResult(0, 1, staged.Length);
        }

        return result;
    }

    private async Task<bool> TryDiscardAsync(string store, StagingKey key, CancellationToken cancellationToken)
    {
        try
        {
            await _stores.Contents(store).DiscardAsync(key, cancellationToken);
            return true;
        }
        catch (WriterBusyException)
        {
            // Whoever still writes has not noticed yet that it is over, and discards it himself then.
            return false;
        }
    }

    /// <summary>Transfers and checks under way keep their bytes, and imports that a user may retry do for a while.</summary>
    private async Task<bool> IsWantedAsync(StagedContent staged, CancellationToken cancellationToken)
    {
        if (staged.Key.Check is { } check)
            return await _operations.FindAsync(check, cancellationToken) is { IsOver: false };
        if (staged.Key.Transfer is not { } id)
            return false;

        var transfer = await _transfers.FindAsync(id, cancellationToken);
        return transfer switch
        {
            null => false,
            { IsOver: false } => true,
            { State: TransferState.Failed, CanBeginAnew: true } =>
                _time.GetUtcNow() - staged.LastWrite < _options.StagingLifetime && await MayBeRetriedAsync(transfer, cancellationToken),
            _ => false,
        };
    }

    private async Task<bool> MayBeRetriedAsync(Transfer transfer, CancellationToken cancellationToken) =>
        await _images.FindAsync(transfer.Image, cancellationToken) is { } image
        && (transfer.Kind is TransferKind.Copy ? image.Status is ImageStatus.Active : image.Status is ImageStatus.Failed && image.Transfer == transfer.Id);

    [LoggerMessage(LogLevel.Error, "Nothing that no image refers to is removed from store {Store}: {Descriptions} descriptions in it are damaged or of a later release, and may be of that")]
    private partial void LogUnreadable(int descriptions, string store);

    [LoggerMessage(LogLevel.Information, "Content {Digest} was removed from store {Store}: no image refers to it")]
    private partial void LogRemoved(Digest digest, string store);

    [LoggerMessage(LogLevel.Warning, "Content {Digest} in store {Store} is left to the next sweep")]
    private partial void LogNotFreed(Exception failure, Digest digest, string store);

    [LoggerMessage(LogLevel.Warning, "What transfer {Transfer} left staged in store {Store} is left to the next sweep")]
    private partial void LogNotDiscarded(Exception failure, TransferId transfer, string store);

    [LoggerMessage(LogLevel.Warning, "Store {Store} has image {Image}, of which the catalogue knows nothing; a rebuild of the store brings it back")]
    private partial void LogForgotten(ImageId image, string store);

    [LoggerMessage(LogLevel.Warning, "Store {Store} was not swept")]
    private partial void LogUnavailable(Exception failure, string store);
}

/// <param name="Bytes">Bytes that were freed.</param>
public readonly record struct SweepResult(int Contents, int Staged, long Bytes)
{
    public static SweepResult operator +(SweepResult a, SweepResult b) => Add(a, b);

    public static SweepResult Add(SweepResult a, SweepResult b) => new(a.Contents + b.Contents, a.Staged + b.Staged, a.Bytes + b.Bytes);
}
