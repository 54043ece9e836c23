namespace Vitrine.Stores.Rbd;

/// <summary>The store's connection to its cluster: made when it is first needed, and anew when the cluster has shut it out.</summary>
internal sealed class RbdConnection(RbdStoreOptions options, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private CephCluster? _cluster;
    private RbdPool? _pool;
    private CephException? _failure;
    private long _failedAt;

    /// <summary>The cluster, connected. Waits for it where it is not.</summary>
    public CephCluster Cluster
    {
        get
        {
            var asked = time.GetTimestamp();
            lock (_lock)
                return _cluster ??= Connect(asked);
        }
    }

    public RbdPool Pool
    {
        get
        {
            var asked = time.GetTimestamp();
            lock (_lock)
                return _pool ??= (_cluster ??= Connect(asked)).OpenPool(options);
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

    // A cluster that does not answer takes its time to. Those who have waited for one try do not each make another.
    private CephCluster Connect(long asked)
    {
        if (_failure is { } failure && _failedAt >= asked)
            throw new CephException(failure.Errno, failure.Step);

        try
        {
            return CephCluster.Connect(options);
        }
        catch (CephException error)
        {
            (_failure, _failedAt) = (error, time.GetTimestamp());
            throw;
        }
    }
}
