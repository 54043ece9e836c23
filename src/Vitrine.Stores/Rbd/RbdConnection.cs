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

    /// <summary>Forgets a connection that the cluster has shut out, if it is still this one. It ends when nothing is open over it any more.</summary>
    public void Look(CephException error, RbdPool pool)
    {
        lock (_lock)
        {
            // Others may be in the middle of a call over it, so that it is left to the collector.
            if (error.Errno == CephError.ShutDown && ReferenceEquals(pool, _pool))
                (_pool, _cluster) = (null, null);
        }
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
