namespace Vitrine.Stores.Rbd;

/// <summary>The store's connection to its cluster: made when it is first needed, and anew when the cluster has shut it out.</summary>
internal sealed class RbdConnection(RbdStoreOptions options) : IDisposable
{
    private readonly Lock _lock = new();
    private CephCluster? _cluster;
    private RbdPool? _pool;

    /// <summary>The cluster, connected. Waits for it where it is not.</summary>
    public CephCluster Cluster
    {
        get
        {
            lock (_lock)
                return _cluster ??= CephCluster.Connect(options);
        }
    }

    public RbdPool Pool
    {
        get
        {
            lock (_lock)
                return _pool ??= Cluster.OpenPool(options);
        }
    }

    /// <summary>Lets go of a connection that is of no use any more. What is still open over it stays until it is closed.</summary>
    public void Look(CephException error)
    {
        if (error.Errno == CephError.ShutDown)
            Dispose();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _pool?.Dispose();
            _cluster?.Dispose();
            (_pool, _cluster) = (null, null);
        }
    }
}
