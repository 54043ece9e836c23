using Vitrine.Stores;

namespace Vitrine.Nodes;

/// <summary>The catalogue answers, and its clock is ours.</summary>
internal sealed class CatalogueCheck(INodeCatalogue nodes, ICatalogueClock clock, DoctorOptions options, TimeProvider time) : INodeCheck
{
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(250);

    public string Name => "catalogue";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        // The first question may have to open a connection, which is not what is asked.
        await nodes.ListAsync(cancellationToken);
        var begin = time.GetTimestamp();
        await nodes.ListAsync(cancellationToken);
        return [RoundTrip(time.GetElapsedTime(begin)), await CompareClocksAsync(cancellationToken)];
    }

    private Finding RoundTrip(TimeSpan taken) => taken < Slow
        ? Finding.Ok(Name, $"The catalogue answers within {taken.TotalMilliseconds:0.0} ms.")
        : Finding.Warn(Name, $"The catalogue took {taken.TotalMilliseconds:0} ms to answer.", "Look at the load of the database and the network to it.");

    private async Task<Finding> CompareClocksAsync(CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow();
        var there = await clock.ReadAsync(cancellationToken);
        var after = time.GetUtcNow();

        // Read at some moment between the two: only what lies outside is a difference.
        var apart = there < before ? before - there : there > after ? there - after : TimeSpan.Zero;
        return apart <= options.ClockTolerance
            ? Finding.Ok("clock", "The clocks of the node and of the catalogue agree.")
            : Finding.Warn("clock", $"The clocks of the node and of the catalogue are {apart.TotalSeconds:0.0} s apart.", "Let a time service (NTP) set both clocks.");
    }
}

/// <summary>Every store of this node takes and gives bytes, and has room.</summary>
internal sealed class StoresCheck(StoreRegistry stores, DoctorOptions options) : INodeCheck
{
    public string Name => "stores";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken) =>
        [.. (await Task.WhenAll(stores.All.Select(s => LookAtAsync(s.Name, cancellationToken)))).SelectMany(f => f)];

    private async Task<Finding[]> LookAtAsync(string store, CancellationToken cancellationToken)
    {
        try
        {
            await stores.Contents(store).ProbeAsync(cancellationToken);
            var capacity = await stores.Contents(store).MeasureAsync(cancellationToken);
            return [Finding.Ok($"store.{store}", $"Bytes can be written to the store '{store}', read and removed."), Judge(store, capacity)];
        }
        catch (LibraryException failure)
        {
            return [Finding.Fail($"store.{store}", failure.Message, failure.Remedy)];
        }
    }

    private Finding Judge(string store, StoreCapacity capacity)
    {
        var check = $"space.{store}";
        if (capacity.Free is not { } free)
            return Finding.Ok(check, $"The store '{store}' has no bound.");

        var percent = capacity.Total is > 0 and var total ? 100.0 * free / total : 100;
        var room = $"The store '{store}' has {free} bytes free, {percent:0.0} % of its space";
        if (percent < options.FreePercentFloor)
            return Finding.Warn(check, $"{room}, less than {options.FreePercentFloor} %.", "Delete images that are not needed, or enlarge the store.");
        return free < options.FreeSpaceFloor
            ? Finding.Warn(check, $"{room}, less than {options.FreeSpaceFloor} bytes.", "Enlarge the store, or lower Doctor:FreeSpaceFloor if the library is meant to be small.")
            : Finding.Ok(check, $"{room}.");
    }
}

/// <summary>Every node that once reported itself still does.</summary>
internal sealed class NodesCheck(INodeCatalogue nodes, TimeProvider time) : INodeCheck
{
    public string Name => "nodes";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var all = await nodes.ListAsync(cancellationToken);
        var silent = all.Where(n => !n.IsAlive(now)).ToList();
        return silent.Count == 0
            ? [Finding.Ok(Name, $"All nodes are alive: {all.Count}.")]
            : [.. silent.Select(n => Finding.Warn(
                Name, $"Node {n.Name} in zone {n.Zone} has been silent since {n.Heartbeat:u}.", $"Start it, or look at its log and its way to the database."))];
    }
}
