namespace Vitrine.Stores.Rbd;

/// <summary>Says in the domain's words what Ceph says in numbers.</summary>
internal sealed class RbdErrors(string store, RbdStoreOptions options)
{
    public static StoreUnavailableException NotInstalled(string store) =>
        new(store, "Ceph's client libraries are not installed on this machine; install the packages librados2 and librbd1.");

    /// <param name="needed">How many bytes were to be written; null where none were.</param>
    public LibraryException Explain(CephException error, long? needed = null) => error.Errno switch
    {
        CephError.NoSpace or CephError.Quota => new StoreFullException(store, needed, free: null, error),
        _ => Unavailable(Reason(error), error),
    };

    public StoreUnavailableException Unavailable(string reason, Exception? inner = null) => new(store, reason, inner);

    private string Reason(CephException error) => (error.Step, error.Errno) switch
    {
        (CephStep.ReadConfiguration, _) => $"Ceph's configuration file cannot be read or understood (error {error.Errno}).",
        (CephStep.Configure, _) => $"Ceph does not take its monitors or keyring as they are configured (error {error.Errno}).",
        (CephStep.FindPool, CephError.NoEntry) => $"its cluster has no pool '{options.Pool}'.",
        (CephStep.Connect, CephError.NoEntry) => $"the keyring of client.{options.User} is not there, or no monitors are configured.",
        (CephStep.Connect, CephError.TimedOut) => "none of its cluster's monitors answers.",
        (CephStep.Connect, CephError.Access or CephError.NotPermitted) => $"its cluster refuses client.{options.User}: its key is another, or not in the keyring.",
        (_, CephError.Access or CephError.NotPermitted) =>
            $"its cluster does not allow client.{options.User} to {error.Step}; it needs 'profile rbd' for the monitors and for the pool '{options.Pool}'.",
        (_, CephError.TimedOut) => $"its cluster did not {error.Step} in time.",
        (_, CephError.ShutDown) => "its cluster has shut this client out, because another took over what it was writing.",
        (_, CephError.InputOutput) => $"its cluster reports an input/output error when asked to {error.Step}.",
        _ => $"its cluster answers error {error.Errno} when asked to {error.Step}.",
    };
}
