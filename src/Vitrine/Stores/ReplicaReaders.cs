using Microsoft.Extensions.Logging;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Nodes;
using Vitrine.Transfers;

namespace Vitrine.Stores;

/// <summary>Opens the content of images where it is, the best place first.</summary>
public sealed class ReplicaReaders(
    IReplicaCatalogue replicas, StorePlacement placement, StoreRegistry stores, ThisNode node, ILogger<ReplicaReaders> logger)
{
    /// <summary>Opens the content in the first store that gives it; where that fails later, the reader goes on with the next.</summary>
    /// <exception cref="ContentMissingException">Every store has lost it.</exception>
    public async Task<ContentReader> OpenAsync(ImageId image, Digest digest, CancellationToken cancellationToken)
    {
        LibraryException last = new ContentMissingException($"Image {image}");
        var untried = new Queue<string>(await FindAsync(image, cancellationToken));
        var first = await OpenNextAsync(cancellationToken) ?? throw last;
        return untried.Count > 0 ? new ReplicaReader(first, OpenNextAsync, logger) : first;

        async Task<ContentReader?> OpenNextAsync(CancellationToken token)
        {
            while (untried.TryPeek(out var store))
            {
                try
                {
                    var opened = await stores.Contents(store).OpenAsync(digest, token);
                    untried.Dequeue();
                    return opened;
                }
                catch (LibraryException failure) when (IsOfReplica(failure))
                {
                    untried.Dequeue();
                    last = failure;
                }
            }

            return null;
        }
    }

    /// <summary>Whether another replica may give what this one did not.</summary>
    internal static bool IsOfReplica(LibraryException failure) => failure is ContentMissingException or StoreUnavailableException or StoreDamagedException;

    /// <summary>Chooses the store that a copy reads from: the one that it read from last, or after a failure the next one.</summary>
    /// <exception cref="ContentMissingException">No other store has the content.</exception>
    internal async Task<string> ChooseAsync(Transfer copy, CancellationToken cancellationToken)
    {
        var candidates = (await FindAsync(copy.Image, cancellationToken)).Where(s => s != copy.Store).ToList();
        if (candidates.Count == 0)
            throw new ContentMissingException($"Image {copy.Image}");

        var last = copy.SourceStore is null ? -1 : candidates.IndexOf(copy.SourceStore);
        var isToChange = last < 0 || copy.Fruitless > 0;
        return candidates[(isToChange ? last + 1 : last) % candidates.Count];
    }

    /// <summary>Whether a copy can be read from here. Where no store has the content any more it can, to fail with that.</summary>
    internal async Task<bool> ReachesSourceAsync(Transfer copy, CancellationToken cancellationToken)
    {
        var sources = await ListSourcesAsync(copy, replicas, cancellationToken);
        return sources.Count == 0 || sources.Any(stores.Has);
    }

    /// <summary>The stores that a copy can be read from, on whichever node.</summary>
    internal static async Task<IReadOnlyList<string>> ListSourcesAsync(Transfer copy, IReplicaCatalogue replicas, CancellationToken cancellationToken) =>
    [
        .. (await replicas.ListAsync([copy.Image], cancellationToken))
            .Where(r => r.State is ReplicaState.Ready or ReplicaState.Retired && r.Store != copy.Store).Select(r => r.Store),
    ];

    /// <summary>The stores of this node that have the content: those of its zone before others, and those that are to be emptied last.</summary>
    private async Task<IReadOnlyList<string>> FindAsync(ImageId image, CancellationToken cancellationToken)
    {
        var there = (await replicas.ListAsync([image], cancellationToken)).Where(r => r.State is ReplicaState.Ready or ReplicaState.Retired).ToList();
        if (there is [var only])
            return stores.Has(only.Store) ? [only.Store] : [];

        var known = await placement.ListAsync(cancellationToken);
        return
        [
            .. from replica in there
               join store in known on replica.Store equals store.Name
               orderby replica.State is ReplicaState.Retired, store.Mode is StoreMode.Draining, store.Zone != node.Zone, store.Name
               select store.Name,
        ];
    }
}
