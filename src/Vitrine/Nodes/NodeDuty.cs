namespace Vitrine.Nodes;

/// <summary>What this node may take on: its roles say it for as long as it runs, operators from moment to moment.</summary>
public sealed class NodeDuty(ThisNode node) : IDisposable
{
    private readonly Lock _lock = new();
    private CancellationTokenSource _leaving = new();

    public bool IsDraining => Leaving.IsCancellationRequested;

    /// <summary>It begins transfers and operations of stores.</summary>
    public bool TakesWork => node.Roles.Contains(NodeRole.Transfer) && !IsDraining;

    /// <summary>Cancelled when the node is to give back what can go on elsewhere.</summary>
    public CancellationToken Leaving
    {
        get
        {
            lock (_lock)
                return _leaving.Token;
        }
    }

    /// <summary>Does as the operators want it.</summary>
    public void Obey(NodeMode mode)
    {
        CancellationTokenSource? left = null;
        lock (_lock)
        {
            if (mode is NodeMode.Draining)
                left = _leaving;
            else if (_leaving.IsCancellationRequested)
                _leaving = new CancellationTokenSource();
        }

        left?.Cancel();
    }

    /// <exception cref="NodeDrainingException">The node takes nothing new.</exception>
    public void CheckTakesBodies()
    {
        if (IsDraining)
            throw new NodeDrainingException(node.Name);
    }

    public void Dispose() => _leaving.Dispose();
}
