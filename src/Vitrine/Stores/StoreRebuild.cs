using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>Makes the catalogue know again what a store has, by the descriptions that it keeps. What the catalogue knows already stays as it is.</summary>
internal sealed class StoreRebuild(IImageCatalogue images, IReplicaCatalogue replicas, ICatalogue catalogue, StoreRegistry stores, TimeProvider time) : IStoreWork
{
    public bool Does(StoreOperationKind kind) => kind is StoreOperationKind.Rebuild;

    public async Task<Func<StoreOperation, StoreOperation>> RunAsync(
        StoreOperation operation, IProgress<UpkeepProgress> progress, CancellationToken cancellationToken)
    {
        var contents = stores.Contents(operation.Store);
        var descriptions = contents.Descriptions ?? throw new UpkeepNotSupportedException(
            stores.Choose(operation.Store), "it keeps no descriptions of images, of which a catalogue could be made.");
        var (restored, known, lost, unreadable, bytes) = (0, 0, 0, 0, 0L);
        await foreach (var document in descriptions.ListAsync(cancellationToken))
        {
            if (ImageDescription.TryRead(document.Span) is not { Image.Content: { } content } description)
            {
                unreadable++;
                continue;
            }

            if (await contents.FindAsync(content.Digest, cancellationToken) is null)
                lost++;
            else if (await TryRestoreAsync(description, content, operation.Store, cancellationToken))
                restored++;
            else
                known++;

            // How many there are is not known before the last has been seen.
            bytes += content.Size;
            progress.Report(new UpkeepProgress(bytes, bytes));
        }

        return o => o.Finish(new RebuildResult(restored, known, lost, unreadable), time.Now());
    }

    /// <returns>False where the catalogue knows that the store has the image, or that the image was deleted.</returns>
    private async Task<bool> TryRestoreAsync(ImageDescription description, ContentFacts content, string store, CancellationToken cancellationToken)
    {
        var ready = new Replica(description.Image.Id, store, ReplicaState.Ready, content.Digest, content.Size, time.Now());
        while (true)
        {
            var image = await images.FindAsync(description.Image.Id, cancellationToken);
            if (image is { Status: ImageStatus.Deleted } || (image is not null && image.Content?.Digest != content.Digest)
                || (await replicas.ListAsync([description.Image.Id], cancellationToken)).Any(r => r.Store == store && r.State is not ReplicaState.Failed))
            {
                return false;
            }

            try
            {
                await catalogue.SaveAsync(
                    new CatalogueChange { Image = image ?? description.Image, Members = image is null ? description.Members : [], Replicas = [ready] }, cancellationToken);
                return true;
            }
            catch (DuplicateSourceException)
            {
                // The address was registered anew since: both images stay, and the older one gives up its claim to it.
                description = description with { Image = description.Image with { SourceKey = null } };
            }
            catch (Exception failure) when (failure is ConcurrentChangeException or ImageIdTakenException)
            {
                // It was changed, or restored by another store, at this moment: look again.
            }
        }
    }
}
