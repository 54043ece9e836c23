using Vitrine.Images;
using Vitrine.Limits;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine;

/// <summary>The one way in which images, transfers and replicas change: together, or not at all.</summary>
public interface ICatalogue
{
    /// <summary>
    /// Stores the records of the change in one transaction. A record whose <c>Version</c> is 0 is new; any other replaces
    /// the stored one only if that has the same version, and is stored with the next.
    /// </summary>
    /// <exception cref="ConcurrentChangeException">A stored record has another version by now; nothing was changed.</exception>
    /// <exception cref="ImageIdTakenException">A new image has the id of another, deleted ones included.</exception>
    /// <exception cref="QuotaExceededException">The project would have more of what the change is held against; nothing was changed.</exception>
    /// <exception cref="DuplicateSourceException">Another image of the project has the same source key.</exception>
    /// <exception cref="TooManyUploadsException">The project has as many uploads as it may.</exception>
    Task SaveAsync(CatalogueChange change, CancellationToken cancellationToken);

    /// <summary>
    /// Stores a transfer that a node has just taken, unless a limit is reached. What all nodes run is counted in the same transaction,
    /// and no other takes one meanwhile.
    /// </summary>
    /// <returns>The limit that is reached; null where the transfer was stored.</returns>
    /// <exception cref="ConcurrentChangeException">The stored transfer has another version by now.</exception>
    Task<ReachedLimit?> TryTakeAsync(Transfer taken, LibraryLimits limits, CancellationToken cancellationToken);
}

/// <summary>What one transaction changes.</summary>
public sealed record CatalogueChange
{
    public Image? Image { get; init; }

    /// <summary>Of the image, which is new, in their order.</summary>
    public IReadOnlyList<ImageMember> Members { get; init; } = [];

    public IReadOnlyList<Transfer> Transfers { get; init; } = [];

    /// <summary>Added, or put in the place of the same image's replica in the same store.</summary>
    public IReadOnlyList<Replica> Replicas { get; init; } = [];

    /// <summary>The stores in which <see cref="Image"/> has no replica any more.</summary>
    public IReadOnlyList<string> WithoutReplicasIn { get; init; } = [];

    /// <summary>How many uploads of a project may not be over, new ones of <see cref="Transfers"/> included; null for any number.</summary>
    public long? MostOpenUploads { get; init; }

    /// <summary>
    /// What the project that owns the image, or that of the first transfer, may not have too much of afterwards, if it has more of
    /// it than before. Of changes that are made at once each sees those before it.
    /// </summary>
    public IReadOnlyList<QuotaResource> Within { get; init; } = [];

    /// <summary>All replicas of this image are taken away.</summary>
    public ImageId? WithoutReplicasOf { get; init; }
}
