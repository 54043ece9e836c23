using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>One image's content in one store.</summary>
/// <param name="Digest">
/// Of content that is in the store. Null until all bytes have arrived, unless the image comes back to what it had left there.
/// </param>
public sealed record Replica(ImageId Image, string Store, ReplicaState State, Digest? Digest, long? Size, DateTimeOffset UpdatedAt);

public enum ReplicaState
{
    /// <summary>Bytes are arriving; nobody reads them.</summary>
    Receiving,

    /// <summary>The content is durable and verified.</summary>
    Ready,

    /// <summary>The copy ended without content, and nothing is there; its transfer says why.</summary>
    Failed,

    /// <summary>The image was moved to another store. The content stays until an operator confirms that it can go.</summary>
    Retired,
}

/// <summary>A place with its own stores and hosts, which a network fault can cut off.</summary>
public sealed record Zone(string Name, string Description);

/// <summary>A configured place that keeps content.</summary>
/// <param name="Name">Lower-case letters, digits, dashes and underscores.</param>
/// <param name="Kind">The backend: <c>directory</c>, <c>chunked</c>, <c>s3</c> or <c>rbd</c>.</param>
/// <param name="IsDefault">Receives content when nobody names a store.</param>
public sealed record LibraryStore(string Name, string Zone, string Kind, string Description, bool IsDefault)
{
    /// <summary>What operators let be done with it: the catalogue knows, not a node's configuration.</summary>
    public StoreMode Mode { get; init; }

    /// <summary>
    /// By which copies between stores reach its server, so that they take another network than clients do; null for the one that all take.
    /// The catalogue knows it, as it does the mode.
    /// </summary>
    public Uri? SyncAddress { get; init; }

    /// <summary>A pool of block devices: no machine has its content, and none its own files to give it.</summary>
    public bool IsPool => Kind is "rbd";

    /// <summary>What becomes of disks that come to it from outside; copies stay as they are.</summary>
    public ConversionPolicy Conversion { get; init; } = ConversionPolicy.None;
}

public enum StoreMode
{
    /// <summary>Takes new content and gives what it has.</summary>
    Open,

    /// <summary>Takes no new content.</summary>
    ReadOnly,

    /// <summary>Takes no new content, and is read from only where no other store has what is wanted.</summary>
    Draining,
}

/// <summary>Which content is wanted where. Keeps the collector and the commits of new content from crossing.</summary>
public interface IReplicaCatalogue
{
    /// <summary>After this long a removal that was not ended is taken for dead, with the node that began it.</summary>
    static readonly TimeSpan RemovalPatience = TimeSpan.FromMinutes(2);

    Task<IReadOnlyList<Replica>> ListAsync(IReadOnlyCollection<ImageId> images, CancellationToken cancellationToken);

    /// <summary>
    /// Says that a transfer is about to commit content in a store, so that it is not collected before a replica refers to it.
    /// The claim lasts as long as the transfer is not over.
    /// </summary>
    /// <returns>False while the content is being removed: the caller asks again a little later.</returns>
    Task<bool> TryClaimAsync(string store, Digest digest, Transfers.TransferId transfer, CancellationToken cancellationToken);

    /// <summary>Says that content is about to be removed from a store, by this caller alone.</summary>
    /// <returns>False where a replica refers to it, a living transfer claims it, or somebody else is removing it.</returns>
    Task<bool> TryBeginRemovalAsync(string store, Digest digest, CancellationToken cancellationToken);

    /// <summary>Ends a removal, whether the content is gone or could not be removed.</summary>
    Task EndRemovalAsync(string store, Digest digest, CancellationToken cancellationToken);

    /// <summary>Whose content is in a store, by the names of the images.</summary>
    Task<IReadOnlyList<ContentHolder>> ListHoldersAsync(string store, CancellationToken cancellationToken);

    /// <summary>The number of replicas and the bytes of the distinct contents that they refer to.</summary>
    Task<StoreUse> MeasureAsync(string store, CancellationToken cancellationToken);

    /// <summary>Records the zone and the store as configured, and answers nothing.</summary>
    Task SaveStoreAsync(Zone zone, LibraryStore store, CancellationToken cancellationToken);

    Task<IReadOnlyList<Zone>> ListZonesAsync(CancellationToken cancellationToken);

    Task<IReadOnlyList<LibraryStore>> ListStoresAsync(CancellationToken cancellationToken);

    Task SaveModeAsync(string store, StoreMode mode, CancellationToken cancellationToken);

    /// <param name="address">Null for none of its own.</param>
    Task SaveSyncAddressAsync(string store, Uri? address, CancellationToken cancellationToken);

    /// <summary>The replicas in a store that were given up, by image.</summary>
    Task<IReadOnlyList<Replica>> ListRetiredAsync(string store, CancellationToken cancellationToken);

    /// <summary>The images that have a ready replica in one of some stores, and neither have nor receive one in another.</summary>
    Task<IReadOnlyList<ImageId>> ListMissingAsync(IReadOnlyCollection<string> from, string to, CancellationToken cancellationToken);
}

/// <param name="Replicas">Those that have content or receive some; retired ones are among them.</param>
/// <param name="Logical">The sum of the sizes of all replicas, in bytes.</param>
/// <param name="Stored">The sum of the sizes of the distinct contents, in bytes.</param>
public sealed record StoreUse(long Replicas, long Contents, long Logical, long Stored);

/// <summary>An image that has a content, as far as a list of them needs to know it.</summary>
public sealed record ContentHolder(Digest Digest, ImageId Image, string? Name, Access.ProjectId Project);
