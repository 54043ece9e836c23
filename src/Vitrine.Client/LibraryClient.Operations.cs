using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Vitrine.Client;

public sealed partial class LibraryClient
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);

    /// <summary>All transfers that the filters let through, the newest first, fetched page by page as they are asked for.</summary>
    /// <inheritdoc cref="ListImagesAsync"/>
    public async IAsyncEnumerable<TransferRecord> ListTransfersAsync(
        IReadOnlyCollection<KeyValuePair<string, string>> filters, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await GetAsync($"{Api}/transfers{QueryOf(filters, cursor)}", LibraryJson.Default.TransferPage, cancellationToken);
            foreach (var transfer in page.Items)
                yield return transfer;
            cursor = page.Next;
        }
    }

    public Task<TransferRecord> GetTransferAsync(string id, CancellationToken cancellationToken) =>
        GetAsync(TransferPath(id), LibraryJson.Default.TransferRecord, cancellationToken);

    public Task<TransferRecord> CancelTransferAsync(string id, CancellationToken cancellationToken) =>
        DoAsync(HttpMethod.Post, $"{TransferPath(id)}/cancel", LibraryJson.Default.TransferRecord, cancellationToken);

    public Task<TransferRecord> RetryTransferAsync(string id, CancellationToken cancellationToken) =>
        DoAsync(HttpMethod.Post, $"{TransferPath(id)}/retry", LibraryJson.Default.TransferRecord, cancellationToken);

    public Task<ExplanationRecord> ExplainTransferAsync(string id, CancellationToken cancellationToken) =>
        GetAsync($"{TransferPath(id)}/explain", LibraryJson.Default.ExplanationRecord, cancellationToken);

    /// <summary>What happened to a transfer on all nodes.</summary>
    public Task<TransferLogRecord> GetTransferLogAsync(string id, CancellationToken cancellationToken) =>
        GetAsync($"{TransferPath(id)}/log", LibraryJson.Default.TransferLogRecord, cancellationToken);

    /// <summary>The transfer once a second, until it is over; the last one says how it ended. A server that restarts is waited for.</summary>
    public IAsyncEnumerable<TransferRecord> WatchTransferAsync(string id, CancellationToken cancellationToken) =>
        WatchAsync(() => GetTransferAsync(id, cancellationToken), transfer => transfer.IsOver, cancellationToken);

    public async Task<IReadOnlyList<ZoneRecord>> ListZonesAsync(CancellationToken cancellationToken) =>
        (await GetAsync($"{Api}/zones", LibraryJson.Default.ZoneList, cancellationToken)).Items;

    public async Task<IReadOnlyList<NodeRecord>> ListNodesAsync(CancellationToken cancellationToken) =>
        (await GetAsync($"{Api}/nodes", LibraryJson.Default.NodeList, cancellationToken)).Items;

    public Task<NodeRecord> GetNodeAsync(string name, CancellationToken cancellationToken) =>
        GetAsync(NodePath(name), LibraryJson.Default.NodeRecord, cancellationToken);

    /// <summary>Has a node take nothing new, or opens it again.</summary>
    public Task<NodeRecord> ChangeNodeAsync(string name, NodeChange change, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Patch, NodePath(name), change, LibraryJson.Default.NodeChange, LibraryJson.Default.NodeRecord, cancellationToken);

    /// <summary>The node once a second, until it is drained, or is not to be any more.</summary>
    public IAsyncEnumerable<NodeRecord> WatchNodeAsync(string name, CancellationToken cancellationToken) =>
        WatchAsync(() => GetNodeAsync(name, cancellationToken), node => node.State is not "draining", cancellationToken);

    public async Task<IReadOnlyList<LimitRecord>> ListLimitsAsync(CancellationToken cancellationToken) =>
        (await GetAsync($"{Api}/limits", LibraryJson.Default.LimitList, cancellationToken)).Items;

    /// <summary>Changes limits for all nodes, all of them or none.</summary>
    /// <param name="changes">By name: a number, <c>none</c>, or null for what is configured.</param>
    public async Task<IReadOnlyList<LimitRecord>> ChangeLimitsAsync(JsonObject changes, CancellationToken cancellationToken) => (await SendJsonAsync(
        HttpMethod.Patch, $"{Api}/limits", changes, LibraryJson.Default.JsonObject, LibraryJson.Default.LimitList, cancellationToken)).Items;

    /// <summary>Has the library ask a source about a file, without fetching it.</summary>
    public Task<ProbeRecord> ProbeAsync(string url, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Post, $"{Api}/probe", new ProbeRequest { Url = url }, LibraryJson.Default.ProbeRequest, LibraryJson.Default.ProbeRecord, cancellationToken);

    /// <summary>Has the node that answers look at itself.</summary>
    /// <param name="url">An address that somebody means to import from; null where none is in question.</param>
    public Task<DoctorRecord> ExamineAsync(string? url, CancellationToken cancellationToken) => GetAsync(
        $"{Api}/doctor{(url is null ? "" : $"?url={Uri.EscapeDataString(url)}")}", LibraryJson.Default.DoctorRecord, cancellationToken);

    /// <summary>Has all nodes look at themselves.</summary>
    /// <inheritdoc cref="ExamineAsync"/>
    public Task<ExaminationRecord> BeginExaminationAsync(string? url, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Post, $"{Api}/examinations", new ExaminationRequest { Url = url },
        LibraryJson.Default.ExaminationRequest, LibraryJson.Default.ExaminationRecord, cancellationToken);

    public Task<ExaminationRecord> GetExaminationAsync(string id, CancellationToken cancellationToken) =>
        GetAsync($"{Api}/examinations/{Uri.EscapeDataString(id)}", LibraryJson.Default.ExaminationRecord, cancellationToken);

    /// <summary>The examination once a second, until no node is waited for any more.</summary>
    public IAsyncEnumerable<ExaminationRecord> WatchExaminationAsync(string id, CancellationToken cancellationToken) =>
        WatchAsync(() => GetExaminationAsync(id, cancellationToken), examination => examination.Over, cancellationToken);

    /// <summary>What is asked for once a second, until there is no more to see. A server that restarts is waited for.</summary>
    private async IAsyncEnumerable<T> WatchAsync<T>(Func<Task<T>> look, Func<T, bool> isOver, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(WatchInterval, Time);
        var patience = new Patience(_options.Patience, Time);
        while (true)
        {
            var seen = await patience.TryAsync(look, cancellationToken);
            yield return seen;
            if (isOver(seen))
                yield break;

            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    private static string NodePath(string name) => $"{Api}/nodes/{Uri.EscapeDataString(name)}";

    private static string TransferPath(string id) => $"{Api}/transfers/{Uri.EscapeDataString(id)}";
}
