using Vitrine.Access;
using Vitrine.Limits;

namespace Vitrine.Transfers;

/// <summary>How many more imports and copies may begin, where some run already.</summary>
/// <remarks>A plan only: what a node takes is counted anew, in the transaction that takes it.</remarks>
public sealed class TransferRoom
{
    private readonly LibraryLimits _limits;
    private readonly Dictionary<string, long> _ofNodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _ofSources = new(StringComparer.Ordinal);
    private readonly Dictionary<ProjectId, long> _ofProjects = [];

    public TransferRoom(LibraryLimits limits, IEnumerable<RunningTransfer> running)
    {
        _limits = limits;
        foreach (var transfer in running)
            Add(transfer);
    }

    /// <summary>The first limit that keeps one more transfer from beginning; null where none does.</summary>
    public static ReachedLimit? Reached(TransferCounts counts, LibraryLimits limits)
    {
        return Find(LimitName.TransfersPerNode, counts.OfNode)
            ?? Find(LimitName.TransfersPerSource, counts.OfSource)
            ?? Find(LimitName.TransfersPerProject, counts.OfProject);

        ReachedLimit? Find(LimitName name, long running) =>
            limits[name] is { } most && running >= most ? new ReachedLimit(name, most, running) : null;
    }

    /// <param name="node">The run that would work on the transfer.</param>
    public ReachedLimit? ReachedBy(Transfer transfer, string node) => !transfer.IsLimited ? null : Reached(
        new TransferCounts(
            _ofNodes.GetValueOrDefault(node),
            transfer.SourceHost is { } host ? _ofSources.GetValueOrDefault(host) : 0,
            _ofProjects.GetValueOrDefault(transfer.Project)),
        _limits);

    /// <summary>Counts a transfer that is about to begin.</summary>
    public void Add(Transfer transfer, string node)
    {
        if (transfer.IsLimited)
            Add(new RunningTransfer(transfer.Id, node, transfer.SourceHost, transfer.Project));
    }

    private void Add(RunningTransfer transfer)
    {
        _ofNodes[transfer.Node] = _ofNodes.GetValueOrDefault(transfer.Node) + 1;
        if (transfer.SourceHost is { } host)
            _ofSources[host] = _ofSources.GetValueOrDefault(host) + 1;
        _ofProjects[transfer.Project] = _ofProjects.GetValueOrDefault(transfer.Project) + 1;
    }
}

/// <summary>How many imports and copies run that have something in common with one more.</summary>
public readonly record struct TransferCounts(long OfNode, long OfSource, long OfProject);

/// <param name="Most">What the limit allows.</param>
/// <param name="Running">How many run already.</param>
public sealed record ReachedLimit(LimitName Limit, long Most, long Running);
