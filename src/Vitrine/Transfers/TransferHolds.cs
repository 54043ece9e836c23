using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Images;
using Vitrine.Limits;
using Vitrine.Nodes;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>Takes transfers for this node.</summary>
internal sealed class TransferHolds(
    ICatalogue catalogue, ITransferCatalogue transfers, IImageCatalogue images, IReplicaCatalogue replicas, StoreRegistry stores, SyncRoutes routes,
    IFormatInspector inspector, IContentWrappers wrappers, IDiskFormats formats, ITransferScheduler scheduler, LimitDesk limits,
    IncomingBandwidth bandwidth, NodeDuty duty, ThisNode node, LibraryOptions options, TimeProvider time,
    IMeterFactory meters, ILogger<TransferHolds> logger)
{
    private readonly Counter<long> _ended = meters.Create("Vitrine").CreateCounter<long>("vitrine.transfers.ended", description: "Transfers that ended, by kind and state.");

    private readonly ConcurrentDictionary<TransferHold, TransferId> _held = [];

    public ICatalogue Catalogue => catalogue;
    public IFormatInspector Inspector => inspector;
    public IContentWrappers Wrappers => wrappers;
    public IDiskFormats Formats => formats;
    public ITransferCatalogue Transfers => transfers;
    public IReplicaCatalogue Replicas => replicas;
    public StoreRegistry Stores => stores;
    public SyncRoutes Routes => routes;
    public ITransferScheduler Scheduler => scheduler;
    public LimitDesk Limits => limits;
    public IncomingBandwidth Bandwidth => bandwidth;
    public NodeDuty Duty => duty;
    public ThisNode Node => node;
    public LibraryOptions Options => options;
    public TimeProvider Time => time;
    public ILogger Logger => logger;

    /// <summary>Takes a transfer, from the queue or from a run that is gone.</summary>
    /// <returns>Null where it is over, a limit is reached, or somebody else took it at this moment.</returns>
    public Task<TransferHold?> TakeAsync(TransferId id, CancellationToken cancellationToken) => TakeAsync(id, static _ => true, cancellationToken);

    /// <summary>The same, to carry it on: what is staged waits for its owner, and nobody runs it, though whoever was told to may have seen it while it came.</summary>
    public Task<TransferHold?> TakeToRunAsync(TransferId id, CancellationToken cancellationToken) => TakeAsync(id, static t => !t.IsStaged, cancellationToken);

    /// <summary>Holds a transfer that is this node's already.</summary>
    public TransferHold Hold(Transfer transfer)
    {
        var hold = new TransferHold(this, transfer);
        _held[hold] = transfer.Id;
        return hold;
    }

    public void Forget(TransferHold hold) => _held.TryRemove(hold, out _);

    /// <summary>True while somebody in this process works on the transfer.</summary>
    public bool IsHeld(TransferId id) => _held.Values.Contains(id);

    /// <summary>True where nobody will go on with the transfer, unless a user wants it anew.</summary>
    public async Task<bool> IsOverAsync(TransferId id, CancellationToken cancellationToken) =>
        await transfers.FindAsync(id, cancellationToken) is null or { IsOver: true };

    /// <exception cref="TransferLostException">The image was deleted meanwhile.</exception>
    public async Task<Image> GetImageAsync(Transfer transfer, CancellationToken cancellationToken) =>
        await images.FindAsync(transfer.Image, cancellationToken) is { Status: not ImageStatus.Deleted } image
            ? image
            : throw new TransferLostException(transfer.Id);

    /// <summary>The sums of a content that some image has, by what its record says.</summary>
    /// <param name="wanted">Beside SHA-256.</param>
    /// <returns>Null where not all of them are known.</returns>
    public async Task<IReadOnlyDictionary<ChecksumAlgorithm, string>?> FindSumsAsync(Digest digest, IReadOnlyCollection<ChecksumAlgorithm> wanted)
    {
        var query = new ImageQuery { Sight = new ImageSight(Everything: true, Project: null, Domain: ""), Sha256 = digest.Hex, Limit = 1 };
        if (await images.ListAsync(query, CancellationToken.None) is not [{ Content: { } content }])
            return null;

        var sums = new Dictionary<ChecksumAlgorithm, string>
        {
            [ChecksumAlgorithm.Sha256] = digest.Hex,
            [ChecksumAlgorithm.Md5] = content.Md5,
            [ChecksumAlgorithm.Sha512] = content.Sha512,
        };
        return wanted.All(sums.ContainsKey) ? sums : null;
    }

    public TransferFailure Describe(Exception failure, string step) => (CatalogueUnavailableException.From(failure) ?? failure) is LibraryException known
        ? new TransferFailure(known.Code, step, known.Message, known.Remedy, node.Name, time.Now())
        : new TransferFailure(
            "internal", step, "An unexpected error happened in the library.", "Look at the node's log for this transfer.", node.Name, time.Now());

    public void Count(Transfer ended) => _ended.Add(
        1, new("kind", ended.Kind.Word()), new KeyValuePair<string, object?>("state", ended.State.Word()));

    private async Task<TransferHold?> TakeAsync(TransferId id, Func<Transfer, bool> may, CancellationToken cancellationToken)
    {
        if (await transfers.FindAsync(id, cancellationToken) is not { IsOver: false } queued || !may(queued))
            return null;

        var taken = queued.Take(node.Instance, node.Name, time.Now());
        try
        {
            if (!taken.IsLimited)
                await catalogue.SaveAsync(new CatalogueChange { Transfers = [taken] }, cancellationToken);
            else if (await catalogue.TryTakeAsync(taken, await limits.ReadAsync(cancellationToken), cancellationToken) is not null)
                return null;
        }
        catch (ConcurrentChangeException)
        {
            return null;
        }

        return Hold(taken with { Version = queued.Version + 1 });
    }
}
