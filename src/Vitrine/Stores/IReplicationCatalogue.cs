using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>Where is kept which stores replicate to which others, and asked what is missing because of that.</summary>
/// <remarks>
/// What is missing is active, and not on its way. Those come first that were never tried, then those whose last try is the longest ago, the oldest images before others:
/// what fails again and again keeps nothing from its turn.
/// </remarks>
public interface IReplicationCatalogue
{
    /// <summary>All of them, by the names of both stores.</summary>
    Task<IReadOnlyList<ReplicationRule>> ListRulesAsync(CancellationToken cancellationToken);

    /// <summary>Puts these in the place of all that a store replicates to.</summary>
    Task SaveTargetsAsync(string store, IReadOnlyCollection<string> targets, CancellationToken cancellationToken);

    /// <summary>The images that stores have which replicate to the store, and that it has not.</summary>
    Task<IReadOnlyList<ImageId>> ListMissingAsync(ReplicationQuery query, CancellationToken cancellationToken);

    /// <summary>The images that every zone is to have, and that no store of the store's zone has or receives.</summary>
    Task<IReadOnlyList<ImageId>> ListMissingInZoneAsync(ReplicationQuery query, CancellationToken cancellationToken);
}

/// <summary>What one store has, another is to have too, without anybody asking for it.</summary>
public sealed record ReplicationRule(string Store, string Target);

/// <summary>What is looked for where something is missing in a store.</summary>
/// <param name="Sources">One of these has it: the store can be reached together with them.</param>
/// <param name="TriedBefore">The last try that brought nothing, or what was given up there, is older than this.</param>
public sealed record ReplicationQuery(string Store, IReadOnlyCollection<string> Sources, DateTimeOffset TriedBefore, int Limit);
