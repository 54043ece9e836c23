
namespace Vitrine.Client;

public sealed partial class LibraryClient
{
    public async Task<IReadOnlyList<StoreRecord>> ListStoresAsync(CancellationToken cancellationToken) =>
        (await GetAsync($"{Api}/stores", LibraryJson.Default.StoreList, cancellationToken)).Items;

    public Task<StoreRecord> GetStoreAsync(string name, CancellationToken cancellationToken) =>
        GetAsync(StorePath(name), LibraryJson.Default.StoreRecord, cancellationToken);

    /// <summary>Adds a store while the library runs. It is tried before, which may take half a minute.</summary>
    public Task<StoreRecord> AddStoreAsync(StoreCreate store, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Post, $"{Api}/stores", store, LibraryJson.Default.StoreCreate, LibraryJson.Default.StoreRecord, cancellationToken);

    /// <summary>Opens a store to new content, or closes it.</summary>
    public Task<StoreRecord> ChangeStoreAsync(string name, StoreChange change, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Patch, StorePath(name), change, LibraryJson.Default.StoreChange, LibraryJson.Default.StoreRecord, cancellationToken);

    /// <summary>What was left in a store by images that moved away.</summary>
    public async Task<IReadOnlyList<RetiredReplicaRecord>> ListRetiredReplicasAsync(string name, CancellationToken cancellationToken) =>
        (await GetAsync($"{StorePath(name)}/retired", LibraryJson.Default.RetiredReplicaList, cancellationToken)).Items;

    /// <summary>What a store keeps and for whom. Takes a while where it has very many images.</summary>
    public Task<StoreReportRecord> GetStoreReportAsync(string name, CancellationToken cancellationToken) =>
        GetAsync($"{StorePath(name)}/report", LibraryJson.Default.StoreReportRecord, cancellationToken);

    /// <summary>Begins work on a store, which goes on whether somebody watches or not.</summary>
    public Task<StoreOperationRecord> StartStoreOperationAsync(string name, StoreOperationRequest request, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Post, $"{StorePath(name)}/operations", request, LibraryJson.Default.StoreOperationRequest, LibraryJson.Default.StoreOperationRecord,
        cancellationToken);

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<StoreOperationRecord>> ListStoreOperationsAsync(string name, CancellationToken cancellationToken) =>
        (await GetAsync($"{StorePath(name)}/operations", LibraryJson.Default.StoreOperationList, cancellationToken)).Items;

    public Task<StoreOperationRecord> GetStoreOperationAsync(string name, string id, CancellationToken cancellationToken) =>
        GetAsync($"{StorePath(name)}/operations/{Uri.EscapeDataString(id)}", LibraryJson.Default.StoreOperationRecord, cancellationToken);

    /// <summary>The operation once a second, until it is over; the last one says how it ended. A server that restarts is waited for.</summary>
    public IAsyncEnumerable<StoreOperationRecord> WatchStoreOperationAsync(
        string name, string id, CancellationToken cancellationToken) =>
        WatchAsync(() => GetStoreOperationAsync(name, id, cancellationToken), operation => operation.IsOver, cancellationToken);

    private static string StorePath(string name) => $"{Api}/stores/{Uri.EscapeDataString(name)}";
}
