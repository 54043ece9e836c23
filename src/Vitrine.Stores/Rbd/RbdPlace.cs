namespace Vitrine.Stores.Rbd;

/// <summary>What a writer needs of its store.</summary>
/// <param name="Pool">Over the connection that the writer's image was opened with.</param>
/// <param name="Connection">Is shown every failure.</param>
/// <param name="Forget">Is told the key when the writer is over.</param>
internal sealed record RbdPlace(
    RbdConnection Connection, RbdPool Pool, RbdLayout Layout, NameLocks Locks, RbdStoreOptions Options, RbdErrors Errors, TimeProvider Time, Action<StagingKey> Forget)
{
    /// <param name="needed">How many bytes were to be written; null where none were.</param>
    public LibraryException Explain(CephException error, long? needed = null)
    {
        Connection.Look(error, Pool);
        return Errors.Explain(error, needed);
    }
}
