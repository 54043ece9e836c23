using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>Removes the replicas that were left behind when images moved to other stores.</summary>
/// <remarks>The copy that an image lives on from then is read whole before, so that nothing sound is given up for something that is not.</remarks>
internal sealed class ReplicaCleanup(
    IReplicaCatalogue replicas, IImageCatalogue images, ICatalogue catalogue, StoreRegistry stores, ContentSweeper sweeper, TimeProvider time)
    : IStoreWork
{
    public bool Does(StoreOperationKind kind) => kind is StoreOperationKind.Cleanup;

    public async Task<Func<StoreOperation, StoreOperation>> RunAsync(
        StoreOperation operation, IProgress<UpkeepProgress> progress, CancellationToken cancellationToken)
    {
        var retired = await replicas.ListRetiredAsync(operation.Store, cancellationToken);
        var (total, looked, removed, bytes) = (retired.Sum(r => r.Size ?? 0), 0L, 0, 0L);
        var kept = new List<KeptReplica>();
        var sound = new HashSet<(string Store, Digest Digest)>();
        foreach (var replica in retired)
        {
            progress.Report(new UpkeepProgress(looked, total));
            var reason = await FindReasonToStayAsync(replica, sound, cancellationToken);
            if (reason is not null)
                kept.Add(new KeptReplica(replica.Image, reason));
            else if (await TryRemoveAsync(replica, sound, cancellationToken))
                (removed, bytes) = (removed + 1, bytes + (replica.Size ?? 0));
            looked += replica.Size ?? 0;
        }

        progress.Report(new UpkeepProgress(total, total));
        return o => o.Finish(new CleanupResult(removed, bytes, kept), time.Now());
    }

    /// <returns>Null where another store has the content, and gives it back as it was written.</returns>
    private async Task<string?> FindReasonToStayAsync(
        Replica retired, HashSet<(string Store, Digest Digest)> sound, CancellationToken cancellationToken)
    {
        var others = (await replicas.ListAsync([retired.Image], cancellationToken)).Where(r => r.Store != retired.Store && r.State is ReplicaState.Ready).ToList();
        var (reason, digest) = ("No other store has the image.", retired.Digest!);
        foreach (var other in others)
        {
            if (sound.Contains((other.Store, digest)))
                return null;

            if (await stores.FindFaultAsync(other.Store, digest, cancellationToken) is not { } fault)
            {
                sound.Add((other.Store, digest));
                return null;
            }

            reason = fault;
        }

        return reason;
    }

    /// <returns>False where somebody has made use of the replica meanwhile, or has removed it.</returns>
    private async Task<bool> TryRemoveAsync(Replica retired, HashSet<(string Store, Digest Digest)> sound, CancellationToken cancellationToken)
    {
        while (await images.FindAsync(retired.Image, cancellationToken) is { Status: not ImageStatus.Deleted } image)
        {
            var all = await replicas.ListAsync([retired.Image], cancellationToken);
            if (!all.Any(r => r.Store == retired.Store && r.State is ReplicaState.Retired)
                || !all.Any(r => r.State is ReplicaState.Ready && sound.Contains((r.Store, retired.Digest!))))
            {
                return false;
            }

            try
            {
                await catalogue.SaveAsync(new CatalogueChange { Image = image, WithoutReplicasIn = [retired.Store] }, cancellationToken);
                await sweeper.TryFreeAsync(retired.Store, retired.Digest!);
                return true;
            }
            catch (ConcurrentChangeException)
            {
                // The image was changed at this moment: look again.
            }
        }

        return false;
    }
}
