using System.Runtime.CompilerServices;

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

    /// <summary>The transfer once a second, until it is over; the last one says how it ended. A server that restarts is waited for.</summary>
    public async IAsyncEnumerable<TransferRecord> WatchTransferAsync(string id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(WatchInterval, Time);
        var patience = new Patience(_options.Patience, Time);
        while (true)
        {
            var transfer = await patience.TryAsync(() => GetTransferAsync(id, cancellationToken), cancellationToken);
            yield return transfer;
            if (transfer.IsOver)
                yield break;

            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    public async Task<IReadOnlyList<ZoneRecord>> ListZonesAsync(CancellationToken cancellationToken) =>
        (await GetAsync($"{Api}/zones", LibraryJson.Default.ZoneList, cancellationToken)).Items;

    public async Task<IReadOnlyList<NodeRecord>> ListNodesAsync(CancellationToken cancellationToken) =>
        (await GetAsync($"{Api}/nodes", LibraryJson.Default.NodeList, cancellationToken)).Items;

    /// <summary>Has the library ask a source about a file, without fetching it.</summary>
    public Task<ProbeRecord> ProbeAsync(string url, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Post, $"{Api}/probe", new ProbeRequest { Url = url }, LibraryJson.Default.ProbeRequest, LibraryJson.Default.ProbeRecord, cancellationToken);

    /// <summary>Has the node that answers look at itself.</summary>
    /// <param name="url">An address that somebody means to import from; null where none is in question.</param>
    public Task<DoctorRecord> ExamineAsync(string? url, CancellationToken cancellationToken) => GetAsync(
        $"{Api}/doctor{(url is null ? "" : $"?url={Uri.EscapeDataString(url)}")}", LibraryJson.Default.DoctorRecord, cancellationToken);

    private static string TransferPath(string id) => $"{Api}/transfers/{Uri.EscapeDataString(id)}";
}
