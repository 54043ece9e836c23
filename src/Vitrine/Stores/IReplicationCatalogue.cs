using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>Where is kept which stores replicate to which others, and asked what is missing because of that.</summary>
/// <remarks>What is missing is active, and listed with the oldest first; what is on its way is not, nor a copy that failed since the time that is given.</remarks>
public interface IReplicationCatalogue
{
    /// <summary>All of them, by the names of both stores.</summary>
    Task<IReadOnlyList<ReplicationRule>> ListRulesAsync(CancellationToken cancellationToken);

    /// <summary>Puts these in the place of all that a store replicates to.</summary>
    Task SaveTargetsAsync(string store, IReadOnlyCollection<string> targets, CancellationToken cancellationToken);

    /// <summary>The images that stores have which replicate to this one, and that it has not.</summary>
    Task<IReadOnlyList<ImageId>> ListMissingAsync(string store, DateTimeOffset failedSince, int limit, CancellationToken cancellationToken);

    /// <summary>The images that every zone is to have, and that no store of this store's zone has or receives.</summary>
    Task<IReadOnlyList<ImageId>> ListMissingInZoneAsync(string store, DateTimeOffset failedSince, int limit, CancellationToken cancellationToken);
}

/// <summary>What one store has, another is to have too, without anybody asking for it.</summary>
public sealed record ReplicationRule(string Store, string Target);
