using Microsoft.Extensions.Logging;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>Brings anew what a scrub found damaged, where another store has it.</summary>
/// <remarks>
/// A damaged content is given up as a whole, and only if every image that has it has it elsewhere too: what no other store has may still be
/// readable in parts.
/// </remarks>
internal sealed partial class ReplicaRepair(
    IReplicaCatalogue replicas, IImageCatalogue images, ICatalogue catalogue, ImageReplicas copies, ContentSweeper sweeper, TimeProvider time,
    ILogger<ReplicaRepair> logger)
{
    /// <returns>How many images are copied anew from now on.</returns>
    public async Task<int> BeginAsync(StoreOperation scrub, IEnumerable<Digest> damaged, CancellationToken cancellationToken)
    {
        var begun = 0;
        var holders = (await replicas.ListHoldersAsync(scrub.Store, cancellationToken)).ToLookup(h => h.Digest, h => h.Image);
        foreach (var digest in damaged.Distinct())
            begun += await BeginAsync(scrub, digest, [.. holders[digest]], cancellationToken);

        return begun;
    }

    private async Task<int> BeginAsync(StoreOperation scrub, Digest digest, IReadOnlyList<ImageId> holders, CancellationToken cancellationToken)
    {
        var sources = new Dictionary<ImageId, string>();
        foreach (var holder in holders)
        {
            if (await FindElsewhereAsync(holder, scrub.Store, cancellationToken) is not { } source)
                return 0;

            sources[holder] = source;
        }

        var given = new List<ImageId>();
        foreach (var holder in holders)
        {
            if (await GiveUpAsync(holder, scrub.Store, cancellationToken))
                given.Add(holder);
        }

        // A copy takes content that is there for what it was to bring, so the damaged one must be gone before.
        if (given.Count == 0 || !await sweeper.TryRemoveAsync(scrub.Store, digest, cancellationToken))
            return 0;

        var begun = 0;
        foreach (var id in given)
        {
            if (await copies.TryCopyAsync(id, scrub, sources[id], cancellationToken))
                begun++;
        }

        LogRepairing(digest, scrub.Store, begun);
        return begun;
    }

    private async Task<string?> FindElsewhereAsync(ImageId image, string store, CancellationToken cancellationToken) =>
        (await replicas.ListAsync([image], cancellationToken)).FirstOrDefault(r => r.Store != store && r.State is ReplicaState.Ready)?.Store;

    /// <returns>False where there is nothing any more that had to be brought anew.</returns>
    private async Task<bool> GiveUpAsync(ImageId id, string store, CancellationToken cancellationToken)
    {
        while (await images.FindAsync(id, cancellationToken) is { Status: not ImageStatus.Deleted } image)
        {
            var all = await replicas.ListAsync([id], cancellationToken);
            if (all.FirstOrDefault(r => r.Store == store) is not { State: ReplicaState.Ready or ReplicaState.Retired } replica
                || !all.Any(r => r.Store != store && r.State is ReplicaState.Ready))
                return false;

            try
            {
                await catalogue.SaveAsync(
                    replica.State is ReplicaState.Retired
                        ? new CatalogueChange { Image = image, WithoutReplicasIn = [store] }
                        : new CatalogueChange
                        {
                            Image = image,
                            Replicas = [replica with { State = ReplicaState.Failed, Digest = null, Size = null, UpdatedAt = time.Now() }],
                        },
                    cancellationToken);
                return replica.State is ReplicaState.Ready;
            }
            catch (ConcurrentChangeException)
            {
                // The image was changed at this moment: look again.
            }
        }

        return false;
    }

    [LoggerMessage(LogLevel.Warning, "Content {Digest} of store {Store} was damaged and given up; {Images} images are copied anew")]
    private partial void LogRepairing(Digest digest, string store, int images);
}
