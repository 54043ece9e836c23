using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Limits;
using Vitrine.Nodes;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Images;

/// <summary>Images whose content a client sends.</summary>
public sealed class ImageUploads
{
    private readonly ImageLibrary _library;
    private readonly ICatalogue _catalogue;
    private readonly StoreRegistry _stores;
    private readonly StorePlacement _placement;
    private readonly TransferDesk _desk;
    private readonly TransferHolds _holds;
    private readonly OpenUploads _open;
    private readonly IUploadPartCatalogue _parts;

    internal ImageUploads(
        ImageLibrary library, ICatalogue catalogue, StoreRegistry stores, StorePlacement placement, TransferDesk desk, TransferHolds holds,
        OpenUploads open, IUploadPartCatalogue parts)
    {
        (_library, _catalogue, _stores, _placement, _desk, _holds, _open, _parts) = (library, catalogue, stores, placement, desk, holds, open, parts);
    }

    /// <summary>Describes a new image and begins an upload of its content: both, or neither.</summary>
    /// <param name="length">The length of the file in bytes.</param>
    /// <param name="expected">The sum of the file, where the client knows it beforehand.</param>
    public async Task<(Image Image, Transfer Transfer)> RegisterAsync(
        long length, Checksum? expected, StoreChoice? store, Caller caller, Func<Image, Image> describe, CancellationToken cancellationToken)
    {
        CheckLength(length);
        var image = _library.Draft(caller, id: null, owner: null, describe);
        return await BeginAsync(image, length, expected, store, cancellationToken);
    }

    /// <summary>Begins an upload that a client sends in as many requests as it takes.</summary>
    /// <param name="length">The length of the file in bytes.</param>
    /// <param name="expected">The sum of the file, where the client knows it beforehand.</param>
    public async Task<Transfer> BeginAsync(
        ImageId id, long length, Checksum? expected, StoreChoice? store, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("upload an image");
        CheckLength(length);
        var image = await _library.GetOwnAsync(id, caller, cancellationToken);
        return (await BeginAsync(image, length, expected, store, cancellationToken)).Transfer;
    }

    /// <summary>Where an upload goes on: how many bytes the store has of it.</summary>
    public async Task<Transfer> FindOffsetAsync(TransferId id, Caller caller, CancellationToken cancellationToken)
    {
        var transfer = await _desk.GetAsync(id, caller, cancellationToken);
        return transfer is { Kind: TransferKind.Upload, IsOver: false }
            ? transfer with { Moved = await _open.LengthAsync(transfer, cancellationToken) }
            : transfer;
    }

    /// <summary>When the upload is given up, if nothing more comes of it.</summary>
    public DateTimeOffset ExpiryOf(Transfer transfer) => (transfer.LastProgress ?? transfer.CreatedAt) + _holds.Options.StagingLifetime;

    /// <summary>Takes what a client sends, from an offset on. With the last byte the content is checked and the image active.</summary>
    /// <returns>The transfer as it stands afterwards; over, if these were the last bytes.</returns>
    /// <exception cref="UploadOffsetException">The store has more or fewer bytes than the offset.</exception>
    /// <exception cref="UploadBusyException">Another request is sending.</exception>
    /// <exception cref="NodeDrainingException">This node takes nothing new; another does.</exception>
    /// <exception cref="StoreElsewhereException">This node does not reach the store; another does.</exception>
    public async Task<Transfer> AppendAsync(TransferId id, long offset, Stream body, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("upload an image");
        var transfer = await _desk.GetAsync(id, caller, cancellationToken);
        if (transfer.Kind is not TransferKind.Upload || transfer.IsOver)
            throw new TransferStateException(id, transfer.State, "it takes no more bytes");

        _holds.Duty.CheckTakesBodies();
        _stores.CheckReaches(transfer.Store, _holds.Node);
        if ((await _parts.ListAsync(id, cancellationToken)).Count > 0)
            throw new TransferStateException(id, transfer.State, "it comes in parts");

        return await _open.UseAsync(transfer, hold => AppendAsync(hold, offset, body, cancellationToken), cancellationToken);
    }

    /// <summary>Takes the whole content in one request. When it returns, the image is active.</summary>
    /// <param name="length">What the client announced; null where it did not.</param>
    public Task ReceiveAsync(
        ImageId id, Stream body, long? length, StoreChoice? store, Caller caller, CancellationToken cancellationToken) => ReceiveAsync(
            "upload an image", id, body, length, store, (image, transfer, now) => image.Receive(transfer, now),
            hold => hold.CompleteAsync(CancellationToken.None), caller, cancellationToken);

    /// <summary>Takes the whole content in one request and keeps it, until <see cref="ImportStagedAsync"/> is asked to make it the image's.</summary>
    /// <param name="length">What the client announced; null where it did not.</param>
    /// <exception cref="ContentLengthException">More or fewer bytes came than were announced.</exception>
    /// <exception cref="ContentEmptyException">Not one came.</exception>
    public Task StageAsync(ImageId id, Stream body, long? length, Caller caller, CancellationToken cancellationToken) => ReceiveAsync(
        "stage an image", id, body, length, store: null, (image, transfer, now) => image.Stage(transfer, now),
        hold => hold.StageAsync(cancellationToken), caller, cancellationToken);

    /// <summary>Has what is staged checked and made the image's content. Answers at once.</summary>
    /// <param name="requestId">The name of the request that asks, for finding it again in logs.</param>
    /// <exception cref="ImageStatusException">Nothing is staged for the image.</exception>
    /// <exception cref="TransferStateException">The client is still sending it.</exception>
    public async Task ImportStagedAsync(ImageId id, StoreChoice? choice, string? requestId, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("import an image");
        var image = await _library.GetOwnAsync(id, caller, cancellationToken);
        var now = _holds.Time.Now();
        var importing = image.Import(now);
        var staged = await _holds.Transfers.FindAsync(image.Transfer!.Value, cancellationToken)
            ?? throw new ImageStatusException(id, image.Status, ImageStatus.Staged);

        // What is there already need not go anywhere first, whatever the order in which stores were named.
        var stores = (await _placement.ChooseAsync(choice, cancellationToken)).Select(s => s.Name).OrderByDescending(s => s == staged.Store);
        var import = staged.Import(caller.User, requestId, [.. stores]);
        await _catalogue.SaveAsync(
            new CatalogueChange
            {
                Image = importing,
                Transfers = [import],
                WithoutReplicasIn = [staged.Store],
                Within = [QuotaResource.Size],
                Replicas = [new Replica(id, import.Store, ReplicaState.Receiving, Digest: null, import.Length, now)],
            },
            cancellationToken);
        await _holds.Scheduler.ScheduleAsync(import.Id, cancellationToken);
    }

    /// <summary>Closes uploads that stand still, and gives up those that stood still, or lay staged, for the whole staging lifetime.</summary>
    public async Task TidyAsync(CancellationToken cancellationToken)
    {
        await _open.TidyAsync(_holds.Options.IdleTimeout, cancellationToken);

        var oldest = _holds.Time.GetUtcNow() - _holds.Options.StagingLifetime;
        var query = new TransferQuery
        {
            Kinds = [TransferKind.Upload, TransferKind.Stream],
            States = [TransferState.Queued, TransferState.Running],
            Limit = int.MaxValue,
        };
        foreach (var transfer in await _holds.Transfers.ListAsync(query, cancellationToken))
        {
            if ((transfer.LastProgress ?? transfer.CreatedAt) < oldest && _stores.Has(transfer.Store) && !await IsJoinedAsync(transfer.Id, cancellationToken))
                await ExpireAsync(transfer, cancellationToken);
        }
    }

    /// <summary>Puts back what this node has of uploads that no client is sending to, so that nothing keeps them here.</summary>
    public Task ReleaseAsync(CancellationToken cancellationToken) => _open.ReleaseAsync(cancellationToken);

    private async Task<(Image Image, Transfer Transfer)> BeginAsync(
        Image image, long length, Checksum? expected, StoreChoice? store, CancellationToken cancellationToken)
    {
        var transfer = await NewTransferAsync(image, TransferKind.Upload, length, expected, store, cancellationToken);
        if (_stores.Has(transfer.Store))
            await _stores.CheckRoomAsync(transfer.Store, length, cancellationToken);
        var now = _holds.Time.Now();
        var receiving = await SaveAsync(image.Receive(transfer, now), transfer, now, cancellationToken);
        return (receiving, transfer with { Version = 1 });
    }

    private static void CheckLength(long length)
    {
        if (length <= 0)
            throw new InvalidFieldException("length", "an image has at least one byte");
    }

    /// <summary>True where the client has done its part, and it is a node that takes its time to put the parts together.</summary>
    private async Task<bool> IsJoinedAsync(TransferId upload, CancellationToken cancellationToken) =>
        (await _parts.ListAsync(upload, cancellationToken)).Any(p => p.Place is not null);

    private async Task ExpireAsync(Transfer transfer, CancellationToken cancellationToken)
    {
        if (await _holds.TakeAsync(transfer.Id, cancellationToken) is not { } hold)
            return;

        await using (hold)
            await hold.FailAsync(_holds.Describe(new UploadExpiredException(transfer.Id), TransferSteps.Waiting), keepStaged: false);
    }

    /// <param name="begin">What receiving makes of the image.</param>
    /// <param name="complete">What becomes of the whole.</param>
    private async Task ReceiveAsync(
        string action, ImageId id, Stream body, long? length, StoreChoice? store, Func<Image, Transfer, DateTimeOffset, Image> begin,
        Func<TransferHold, Task> complete, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember(action);
        var image = await _library.GetOwnAsync(id, caller, cancellationToken);
        _holds.Duty.CheckTakesBodies();
        var transfer = await NewTransferAsync(image, TransferKind.Stream, length, expected: null, store, cancellationToken);
        _stores.CheckReaches(transfer.Store, _holds.Node);
        await _stores.CheckRoomAsync(transfer.Store, length, cancellationToken);
        var now = _holds.Time.Now();
        var running = transfer.Take(_holds.Node.Instance, _holds.Node.Name, now);
        await using var hold = _holds.Hold(running with { Version = 1 });
        await SaveAsync(begin(image, running, now), running, now, cancellationToken);
        try
        {
            await hold.OpenAsync(cancellationToken);
            await hold.ChangeAsync(t => t.Connect(length, 0, validator: null, _holds.Time.Now()), cancellationToken);
            await hold.ReceiveAsync(body, cancellationToken);
            await complete(hold);
        }
        catch (TransferLostException)
        {
            await hold.LetGoAsync();
            throw;
        }
        catch (Exception failure)
        {
            // The client may be gone, but the image must not stay as if it were still sending.
            var cause = failure is OperationCanceledException or IOException ? new UploadInterruptedException(hold.Transfer.Image) : failure;
            await hold.FailAsync(_holds.Describe(cause, hold.Transfer.Step), keepStaged: false);
            throw;
        }
    }

    private async Task<Transfer> AppendAsync(TransferHold hold, long offset, Stream body, CancellationToken cancellationToken)
    {
        // The last bytes may have come in a request that broke off at its very end.
        if (await hold.TryCompleteEarlierAsync(cancellationToken))
            return hold.Transfer;
        if (hold.Length != offset)
            throw new UploadOffsetException(hold.Transfer.Id, hold.Length, offset);

        await hold.ChangeAsync(t => t.Connect(t.Length, offset, validator: null, _holds.Time.Now()), cancellationToken);
        try
        {
            await hold.ReceiveAsync(body, cancellationToken);
            if (hold.IsWhole)
                await hold.CompleteAsync(CancellationToken.None);
            else
                await hold.FlushAsync(CancellationToken.None);

            return hold.Transfer;
        }
        catch (LibraryException failure) when (failure is not (TransferLostException or StoreUnavailableException or StoreFullException
            or UploadChecksumException or QuotaExceededException))
        {
            // What came is wrong and will not become right: the upload is over. A full or absent store may come back, as may room in a quota.
            await hold.FailAsync(_holds.Describe(failure, hold.Transfer.Step), keepStaged: false);
            throw;
        }
    }

    private async Task<Transfer> NewTransferAsync(
        Image image, TransferKind kind, long? length, Checksum? expected, StoreChoice? store, CancellationToken cancellationToken)
    {
        var stores = await _placement.ChooseAsync(store, cancellationToken);
        return new Transfer
        {
            Id = TransferId.New(),
            Image = image.Id,
            Project = image.Owner,
            Kind = kind,
            Store = stores[0].Name,
            FurtherStores = [.. stores.Skip(1).Select(s => s.Name)],
            Length = length <= _holds.Options.MaxImageSize || length is null
                ? length
                : throw new LimitExceededException("bytes of an image", _holds.Options.MaxImageSize),
            Expected = expected,
            CreatedAt = _holds.Time.Now(),
        };
    }

    private async Task<Image> SaveAsync(Image begun, Transfer transfer, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var receiving = begun with { Size = transfer.Length };
        var limits = await _holds.Limits.ReadAsync(cancellationToken);
        await _catalogue.SaveAsync(
            new CatalogueChange
            {
                Image = receiving,
                Transfers = [transfer],
                MostOpenUploads = limits[LimitName.UploadsPerProject],
                Within = [QuotaResource.Images, QuotaResource.Uploading, QuotaResource.Size, QuotaResource.Staged],
                Replicas = [new Replica(begun.Id, transfer.Store, ReplicaState.Receiving, Digest: null, transfer.Length, now)],
            },
            cancellationToken);
        return receiving with { Version = receiving.Version + 1 };
    }
}
