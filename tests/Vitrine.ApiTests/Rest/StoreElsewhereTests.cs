using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.Client;
using Vitrine.Nodes;
using Vitrine.Stores;

namespace Vitrine.ApiTests.Rest;

/// <summary>What this node answers of a store that it does not reach.</summary>
public sealed class StoreElsewhereTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private const string Store = "far";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operation_of_a_store_that_another_node_reaches_waits_for_that_node()
    {
        var far = new LibraryStore(Store, "zone-2", "chunked", "Of another zone", IsDefault: false);
        await library.Services.GetRequiredService<IReplicaCatalogue>().SaveStoreAsync(new Zone("zone-2", "The other zone"), far, Stop);
        using var admin = library.ClientOf((await library.SharedProjectAsync()).Admin);
        var request = new StoreOperationRequest { Kind = "sync", Sources = ["main"] };
        var alone = await Assert.ThrowsAsync<LibraryClientException>(() => admin.StartStoreOperationAsync(Store, request, Stop));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "store-unavailable"), (alone.Status, alone.Code));

        var now = TimeProvider.System.Now();
        var node = new Node("far-1", "far-1-run", "zone-2", [NodeRole.Transfer], "http://127.0.0.1:1", "0.1.0", now, now) { Stores = [Store] };
        await library.Services.GetRequiredService<INodeCatalogue>().SaveAsync(node, Stop);
        var apart = await Assert.ThrowsAsync<LibraryClientException>(() => admin.StartStoreOperationAsync(Store, request, Stop));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "store-unavailable"), (apart.Status, apart.Code));
        Assert.Contains("reaches both it and the store 'far'", apart.Message, StringComparison.Ordinal);

        node = node with { Stores = [Store, "main"] };
        await library.Services.GetRequiredService<INodeCatalogue>().SaveAsync(node, Stop);
        var begun = await admin.StartStoreOperationAsync(Store, request, Stop);
        await library.Services.GetRequiredService<PromptStoreScheduler>().WhenIdleAsync();
        Assert.Equal(("queued", null), ((await admin.GetStoreOperationAsync(Store, begun.Id, Stop)).State, begun.Node));

        var orphans = await library.Services.GetRequiredService<IStoreOperationCatalogue>().ListOrphansAsync([node.Instance], Stop);
        Assert.Contains(orphans, o => o.Id.ToString() == begun.Id);
    }
}
