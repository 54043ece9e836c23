namespace Vitrine.Stores;

/// <summary>Where operations of stores are kept.</summary>
public interface IStoreOperationCatalogue
{
    /// <summary>Stores an operation: a new one where its version is 0, else in the place of the stored one of the same version.</summary>
    /// <exception cref="StoreBusyException">It is new, and another of its store is not over.</exception>
    /// <exception cref="ConcurrentChangeException">The stored one has another version by now.</exception>
    /// <returns>The operation as it is stored, with its next version.</returns>
    Task<StoreOperation> SaveAsync(StoreOperation operation, CancellationToken cancellationToken);

    Task<StoreOperation?> FindAsync(StoreOperationId id, CancellationToken cancellationToken);

    /// <summary>All of a store, the newest first.</summary>
    Task<IReadOnlyList<StoreOperation>> ListAsync(string store, CancellationToken cancellationToken);

    /// <summary>All that are not over and that no living run of another node works on, the oldest first.</summary>
    /// <param name="livingNodes">The runs (<see cref="Nodes.Node.Instance"/>) that are known to be alive.</param>
    Task<IReadOnlyList<StoreOperation>> ListOrphansAsync(IReadOnlyCollection<string> livingNodes, CancellationToken cancellationToken);

    /// <summary>Forgets operations that are over.</summary>
    Task RemoveAsync(IReadOnlyCollection<StoreOperationId> operations, CancellationToken cancellationToken);
}

/// <summary>Sees to it that a node works on an operation; a mere reminder, as <see cref="Transfers.ITransferScheduler"/> has it.</summary>
public interface IStoreOperationScheduler
{
    Task ScheduleAsync(StoreOperationId id, CancellationToken cancellationToken);
}
