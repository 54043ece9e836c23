using Microsoft.Extensions.Logging;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>Brings anew what a scrub found damaged, where another store has it.</summary>
/// <remarks>
/// A damaged content is given up as a whole, and only if every image that has it has it elsewhere too, where it was just read whole: what no
/// other store has may still be readable in parts.
/// </remarks>
internal sealed partial class ReplicaRepair(
    IReplicaCatalogue replicas, IImageCatalogue images, ICatalogue catalogue, StoreRegistry stores, ImageReplicas copies, ContentSweeper sweeper,
    TimeProvider time, ILogger<ReplicaRepair> logger)
{
    /// <returns>How many images are copied anew from now on.</returns>
    public async Task<int> BeginAsync(StoreOperation scrub, IEnumerable<Digest> damaged, CancellationToken cancellationToken)
    {
        var begun = 0;
        var holders = (await replicas.ListHoldersAsync(scrub.Store, cancellationToken)).ToLookup(h => h.Digest, h => h.Image);
        foreach (var digest in damaged.Distinct())
        {
            try
            {
                begun += await BeginAsync(scrub, digest, [.. holders[digest]], cancellationToken);
            }
            catch (LibraryException failure)
            {
                // The next scrub finds it again, and what was found beside it is told.
                LogNotRepaired(failure, digest, scrub.Store);
            }
        }

        return begun;
    }

    private async Task<int> BeginAsync(StoreOperation scrub, Digest digest, IReadOnlyList<ImageId> holders, CancellationToken cancellationToken)
    {
        var sources = new Dictionary<ImageId, string>();
        var sound = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var holder in holders)
        {
            if (await FindSoundAsync(holder, scrub.Store, digest, sound, cancellationToken) is not { } source)
                return 0;

            sources[holder] = source;
        }

        // From here on all of it is done, or it would not be known any more what was to be copied.
        var given = new List<ImageId>();
        foreach (var holder in holders)
        {
            if (await GiveUpAsync(holder, scrub.Store, CancellationToken.None))
                given.Add(holder);
        }

        // A copy takes content that is there for what it was to bring, so the damaged one must be gone before.
        if (given.Count == 0 || !await sweeper.TryRemoveAsync(scrub.Store, digest, CancellationToken.None))
            return 0;

        var begun = 0;
        foreach (var id in given)
        {
            if (await copies.TryCopyAsync(id, scrub, sources[id], CancellationToken.None))
                begun++;
        }

        LogRepairing(digest, scrub.Store, begun);
        return begun;
    }

    /// <param name="sound">What was found of the content in other stores.</param>
    /// <returns>A store of this node that has the image, and gives the content back as it was written; null where there is none.</returns>
    private async Task<string?> FindSoundAsync(ImageId image, string store, Digest digest, Dictionary<string, bool> sound, CancellationToken cancellationToken)
    {
        foreach (var other in (await replicas.ListAsync([image], cancellationToken)).Where(r => r.Store != store && r.State is ReplicaState.Ready && stores.Has(r.Store)))
        {
            if (!sound.TryGetValue(other.Store, out var isSound))
                sound[other.Store] = isSound = await stores.FindFaultAsync(other.Store, digest, cancellationToken) is null;
            if (isSound)
                return other.Store;
        }

        return null;
    }

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

    [LoggerMessage(LogLevel.Error, "Content {Digest} of store {Store} is damaged and could not be given up; the next scrub tries again")]
    private partial void LogNotRepaired(Exception failure, Digest digest, string store);

    [LoggerMessage(LogLevel.Warning, "Content {Digest} of store {Store} was damaged and given up; {Images} images are copied anew")]
    private partial void LogRepairing(Digest digest, string store, int images);
}
