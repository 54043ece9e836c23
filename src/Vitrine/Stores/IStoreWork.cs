namespace Vitrine.Stores;

/// <summary>What is done in some kinds of operations. It may be broken off at any time, and begun again by another node.</summary>
internal interface IStoreWork
{
    bool Does(StoreOperationKind kind);

    /// <returns>Turns the operation as it is then into one that is done.</returns>
    Task<Func<StoreOperation, StoreOperation>> RunAsync(
        StoreOperation operation, IProgress<UpkeepProgress> progress, CancellationToken cancellationToken);
}
