using Vitrine.Access;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>Where transfers are kept, to be asked; <see cref="ICatalogue"/> changes them.</summary>
public interface ITransferCatalogue
{
    Task<Transfer?> FindAsync(TransferId id, CancellationToken cancellationToken);

    /// <summary>The newest first, or the oldest where the query says so.</summary>
    Task<IReadOnlyList<Transfer>> ListAsync(TransferQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// All transfers that are not over and that no living run of a node works on: queued imports and copies, those whose next attempt is
    /// due, and those that a dead run left behind. The oldest first.
    /// </summary>
    /// <param name="livingNodes">The runs (<see cref="Nodes.Node.Instance"/>) that are known to be alive.</param>
    Task<IReadOnlyList<Transfer>> ListOrphansAsync(IReadOnlyCollection<string> livingNodes, CancellationToken cancellationToken);

    /// <summary>The imports and copies that a run of a node works on, living or not: those that limits count.</summary>
    Task<IReadOnlyList<RunningTransfer>> ListRunningAsync(CancellationToken cancellationToken);
}

/// <summary>A transfer in work, as far as limits go.</summary>
/// <param name="Node">The run that works on it.</param>
public sealed record RunningTransfer(TransferId Id, string Node, string? SourceHost, ProjectId Project);

public sealed record TransferQuery
{
    /// <summary>Null for every project's.</summary>
    public ProjectId? Project { get; init; }

    public ImageId? Image { get; init; }

    /// <summary>Of one of these kinds; of any where there are none.</summary>
    public IReadOnlyList<TransferKind> Kinds { get; init; } = [];

    public StoreOperationId? Operation { get; init; }

    /// <summary>The store that receives the content; null for any.</summary>
    public string? Store { get; init; }

    public IReadOnlyList<TransferState> States { get; init; } = [];
    public bool OldestFirst { get; init; }

    /// <summary>The last transfer of the page before.</summary>
    public TransferId? After { get; init; }

    public int Limit { get; init; } = 100;
}
