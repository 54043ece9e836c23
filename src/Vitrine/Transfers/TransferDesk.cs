using Vitrine.Access;
using Vitrine.Events;
using Vitrine.Images;
using Vitrine.Nodes;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>What users may ask of transfers: to be shown, cancelled, tried again, explained, and told from their beginning.</summary>
public sealed class TransferDesk(
    ITransferCatalogue transfers, IImageCatalogue images, IReplicaCatalogue replicas, ICatalogue catalogue, INodeCatalogue nodes,
    ITransferScheduler scheduler, TransferOutlook outlook, IEventCatalogue events, TimeProvider time)
{
    private const int MaxCrossings = 10;
    private const int LongestLog = 1_000;

    /// <exception cref="TransferNotFoundException">There is none that the caller may know of.</exception>
    public async Task<Transfer> GetAsync(TransferId id, Caller caller, CancellationToken cancellationToken) =>
        await transfers.FindAsync(id, cancellationToken) is { } found && (caller.IsAdmin || found.Project == caller.Project)
            ? found
            : throw new TransferNotFoundException(id.ToString());

    /// <summary>Transfers of the caller's project; an administrator's query is taken as it is.</summary>
    public Task<IReadOnlyList<Transfer>> ListAsync(TransferQuery query, Caller caller, CancellationToken cancellationToken) =>
        transfers.ListAsync(caller.IsAdmin ? query : query with { Project = caller.RequireProject() }, cancellationToken);

    /// <summary>Ends a transfer without content. Cancelling what is over changes nothing.</summary>
    public Task<Transfer> CancelAsync(TransferId id, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("cancel a transfer");
        return ChangeAsync(
            id, caller,
            transfer => transfer.Cancel(time.Now()),
            async (image, transfer) => TransferChanges.End(
                transfer, image, await replicas.ListAsync([transfer.Image], cancellationToken), time.Now()),
            cancellationToken);
    }

    /// <summary>Tries an import or a copy again that failed or was cancelled; it goes on from what is still staged.</summary>
    /// <exception cref="TransferStateException">It did not fail, or it is an upload, which only its client can repeat.</exception>
    /// <exception cref="ImageNotFoundException">Its image was deleted.</exception>
    /// <exception cref="ImageStatusException">Its image has content, or is receiving it by another transfer.</exception>
    /// <exception cref="DuplicateSourceException">Another image was made from the same address since.</exception>
    /// <exception cref="ReplicaExistsException">Another copy has come to the store since.</exception>
    public async Task<Transfer> RetryAsync(TransferId id, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("retry a transfer");
        var again = await ChangeAsync(
            id, caller,
            transfer => transfer.Requeue() with { User = transfer.User ?? caller.User },
            async (image, transfer) => TransferChanges.Again(
                transfer, image ?? throw new ImageNotFoundException(transfer.Image.ToString()),
                await replicas.ListAsync([transfer.Image], cancellationToken), time.Now()),
            cancellationToken);
        await scheduler.ScheduleAsync(id, cancellationToken);
        return again;
    }

    /// <summary>Says in sentences where the transfer stands, why, and what can be done.</summary>
    public async Task<TransferExplanation> ExplainAsync(TransferId id, Caller caller, CancellationToken cancellationToken)
    {
        var transfer = await GetAsync(id, caller, cancellationToken);
        var living = (await nodes.ListAsync(cancellationToken)).Where(n => n.IsAlive(time.GetUtcNow())).ToList();
        var wait = (await outlook.FindWaitsAsync([transfer], cancellationToken)).GetValueOrDefault(id);
        return TransferExplanation.Of(transfer, living, wait, time.GetUtcNow());
    }

    /// <summary>What happened to a transfer on all nodes, in its order, as far back as events are kept (<see cref="EventFeed.Lifetime"/>).</summary>
    public async Task<IReadOnlyList<LibraryEvent>> ReadLogAsync(TransferId id, Caller caller, CancellationToken cancellationToken)
    {
        await GetAsync(id, caller, cancellationToken);
        return await events.ListForAsync(id, LongestLog, cancellationToken);
    }

    /// <summary>What keeps some transfers from beginning, by transfer, of those that wait.</summary>
    public Task<IReadOnlyDictionary<TransferId, TransferWait>> FindWaitsAsync(IReadOnlyCollection<Transfer> asked, CancellationToken cancellationToken) =>
        outlook.FindWaitsAsync(asked, cancellationToken);

    /// <summary>The node that works on the transfer stores its progress at the same time; one of both has to give way.</summary>
    /// <param name="together">What changes with the transfer, given its image; null where that was deleted.</param>
    private async Task<Transfer> ChangeAsync(
        TransferId id, Caller caller, Func<Transfer, Transfer> change, Func<Image?, Transfer, Task<CatalogueChange>> together,
        CancellationToken cancellationToken)
    {
        for (var crossings = 0; ; crossings++)
        {
            var transfer = await GetAsync(id, caller, cancellationToken);
            var next = change(transfer);
            if (next == transfer)
                return transfer;

            try
            {
                var image = await images.FindAsync(transfer.Image, cancellationToken);
                await catalogue.SaveAsync(await together(image is { Status: not ImageStatus.Deleted } ? image : null, next), cancellationToken);
                return next with { Version = next.Version + 1 };
            }
            catch (ConcurrentChangeException) when (crossings < MaxCrossings)
            {
                // Read again, and decide again on what is there now.
            }
        }
    }
}

/// <summary>Where a transfer stands, for a person.</summary>
/// <param name="Steps">All steps of its kind in order; those before the present one are over.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="Cause">Why it does not go on; null while it does.</param>
/// <param name="Remedy">What can be done; null where nothing needs to be.</param>
public sealed record TransferExplanation(
    Transfer Transfer, IReadOnlyList<TransferStep> Steps, string Summary, string? Cause, string? Remedy)
{
    private static readonly string[] Order =
        [TransferSteps.Waiting, TransferSteps.Connecting, TransferSteps.Receiving, TransferSteps.Checking, TransferSteps.Storing];

    /// <param name="wait">What keeps it from beginning; null where nothing does.</param>
    internal static TransferExplanation Of(Transfer transfer, IReadOnlyList<Node> living, TransferWait? wait, DateTimeOffset now)
    {
        var (summary, cause, remedy) = transfer.State switch
        {
            TransferState.Queued when transfer.Kind is TransferKind.Upload && transfer.Moved == transfer.Length => (
                "All bytes are here and wait for the client's last word, or for a node that puts them together.", null, "End the upload, if that is not done."),
            TransferState.Queued when transfer.Kind is TransferKind.Upload => (
                "The library waits for the client to send bytes.", null, "Go on with the upload: it continues where it was."),
            TransferState.Queued when transfer.IsStaged => (
                "The content is staged; the library waits to be asked for its import.", null, "Import the image, or delete it."),
            TransferState.Queued when wait is not null => ("The transfer waits.", wait.Cause, wait.Remedy),
            TransferState.Queued => ("The transfer waits its turn.", null, (string?)null),
            TransferState.Running or TransferState.Verifying when !living.Any(n => n.Instance == transfer.Node) => (
                $"The transfer waits to be taken over: node {transfer.NodeName} stopped while it was {transfer.Step}.",
                $"Node {transfer.NodeName} gives no sign of life.",
                "Nothing needs to be done: another node goes on where it was, or the same one after its restart."),
            TransferState.Running => (
                $"Node {transfer.NodeName} is {transfer.Step}; the last byte came {Ago(transfer.LastProgress, now)}.", null, null),
            TransferState.Verifying when transfer.Step is TransferSteps.Unpacking => (
                $"All bytes are here; node {transfer.NodeName} has unpacked {transfer.Unpacked} bytes so far.", null, null),
            TransferState.Verifying when transfer.Step is TransferSteps.Converting => (
                $"All bytes are here and are in order; node {transfer.NodeName} has written {transfer.Converted} bytes in the format of the store so far.", null, null),
            TransferState.Verifying when transfer.Step is TransferSteps.Assembling => (
                $"All parts are here; node {transfer.NodeName} has put {transfer.Assembled} bytes together so far.", null, null),
            TransferState.Verifying => ($"All bytes are here; node {transfer.NodeName} is {transfer.Step}.", null, null),
            TransferState.Retrying => (
                $"Attempt {transfer.Attempt} was interrupted; the next begins {In(transfer.NextAttemptAt, now)}.", transfer.Failure?.Cause, transfer.Failure?.Remedy),
            TransferState.Done when transfer.Kind is TransferKind.Copy => ($"The copy is done: the store {transfer.Store} has the image.", null, null),
            TransferState.Done => ("The transfer is done and the image is active.", null, null),
            TransferState.Failed => (
                $"The transfer failed while it was {transfer.Failure?.Step}{(transfer.Failure?.Node is { } node ? $", on node {node}" : "")}.", transfer.Failure?.Cause, transfer.Failure?.Remedy),
            _ => ("The transfer was cancelled.", null, "Retry it to go on."),
        };
        return new TransferExplanation(transfer, StepsOf(transfer), summary, cause, remedy);
    }

    private static TransferStep[] StepsOf(Transfer transfer)
    {
        var step = transfer.State is TransferState.Failed ? transfer.Failure?.Step : transfer.Step;

        // To look again at what came before is part of picking up the thread; to unpack and convert it, which few need, of checking it.
        var present = transfer.State is TransferState.Done ? Order.Length
            : step is TransferSteps.Rereading ? Array.IndexOf(Order, TransferSteps.Connecting)
            : step is TransferSteps.Unpacking or TransferSteps.Converting or TransferSteps.Assembling ? Array.IndexOf(Order, TransferSteps.Checking)
            : Math.Max(0, Array.IndexOf(Order, step));
        return [.. Order.Select((name, i) => new TransferStep(
            name, i < present ? "done" : i > present ? "pending" : transfer.IsOver ? transfer.State.Word() : "current"))];
    }

    private static string Ago(DateTimeOffset? time, DateTimeOffset now) =>
        time is { } then ? $"{Math.Max(0, (now - then).TotalSeconds):0} s ago" : "never";

    private static string In(DateTimeOffset? time, DateTimeOffset now) =>
        time is { } then && then > now ? $"in {(then - now).TotalSeconds:0} s" : "now";
}

/// <param name="State"><c>done</c>, <c>current</c>, <c>pending</c>, <c>failed</c> or <c>cancelled</c>.</param>
public sealed record TransferStep(string Name, string State);
