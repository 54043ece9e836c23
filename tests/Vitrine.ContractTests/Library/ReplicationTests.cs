using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Library;

/// <summary>What the library copies by itself: images to every zone, and what stores have to those that they replicate to.</summary>
public sealed class ReplicationTests : ManyStores
{
    [Fact]
    public async Task An_image_that_every_zone_is_to_have_comes_to_those_there_are_and_to_one_that_is_added_later()
    {
        ImageId image;
        byte[] content;
        await using (var node = await Home.StartAsync(others: [Second]))
        {
            (image, content) = await NewImageAsync(node);
            var (other, _) = await NewImageAsync(node);
            await WantEverywhereAsync(node, image);
            await ReplicateAsync(node);
            Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Ready)], await StatesAsync(node, image));
            Assert.Equal([(LibraryHome.Main, ReplicaState.Ready)], await StatesAsync(node, other));
        }

        await using var later = await StartAsync();
        await ReplicateAsync(later);
        await ReplicateAsync(later);
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Ready), (Third, ReplicaState.Ready)], await StatesAsync(later, image));
        Assert.Equal(content, await ReadAsync(later, Third, Digest.Of(content)));
        Assert.Equal(2, await CountCopiesAsync(later, image));
    }

    [Fact]
    public async Task A_zone_gets_one_replica_in_a_store_that_is_open()
    {
        Home.ZoneOf = _ => "far";
        await using var node = await StartAsync();
        await node.Operations.SetModeAsync(Second, StoreMode.ReadOnly, Admin, Stop);
        var (image, _) = await NewImageAsync(node);
        await WantEverywhereAsync(node, image);
        await ReplicateAsync(node);
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Third, ReplicaState.Ready)], await StatesAsync(node, image));

        await node.Operations.SetModeAsync(Second, StoreMode.Open, Admin, Stop);
        await ReplicateAsync(node);
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Third, ReplicaState.Ready)], await StatesAsync(node, image));
    }

    [Fact]
    public async Task What_a_store_has_and_will_have_comes_to_those_that_it_replicates_to_and_on_from_there()
    {
        await using var node = await StartAsync();
        var (before, _) = await NewImageAsync(node);
        await node.Replication.SetTargetsAsync(LibraryHome.Main, [Second], Admin, Stop);
        await node.Replication.SetTargetsAsync(Second, [Third], Admin, Stop);
        var (after, content) = await NewImageAsync(node);
        await ReplicateAsync(node);
        await ReplicateAsync(node);
        foreach (var image in new[] { before, after })
            Assert.Equal(3, (await StatesAsync(node, image)).Count(r => r.State is ReplicaState.Ready));
        Assert.Equal(content, await ReadAsync(node, Third, Digest.Of(content)));

        await node.Replication.SetTargetsAsync(LibraryHome.Main, [], Admin, Stop);
        var (last, _) = await NewImageAsync(node);
        await ReplicateAsync(node);
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready)], await StatesAsync(node, last));
    }

    [Fact]
    public async Task A_copy_that_failed_is_tried_again_after_a_while_by_the_same_transfer()
    {
        await using var node = await StartAsync();
        var (image, _) = await NewImageAsync(node);
        await node.Replication.SetTargetsAsync(LibraryHome.Main, [Second], Admin, Stop);
        Directory.Move(Home.PathOf("store"), Home.PathOf("away"));
        await ReplicateAsync(node);
        Directory.Move(Home.PathOf("away"), Home.PathOf("store"));
        Assert.Equal(ReplicaState.Failed, await StateAsync(node, image, Second));

        await ReplicateAsync(node);
        Assert.Equal(ReplicaState.Failed, await StateAsync(node, image, Second));
        Home.Clock.Advance(Replication.Patience);
        await ReplicateAsync(node);
        Assert.Equal(ReplicaState.Ready, await StateAsync(node, image, Second));
        Assert.Equal(1, await CountCopiesAsync(node, image));
    }

    [Fact]
    public async Task A_move_that_was_cancelled_comes_again_as_a_copy_alone()
    {
        await using var node = await StartAsync();
        var (image, _) = await NewImageAsync(node);
        var move = Assert.Single(await node.Copies.CopyAsync(image, new CopyRequest(StoreChoice.Of(Second)!, Moves: true), Admin, Stop));
        await node.Desk.CancelAsync(move.Id, Admin, Stop);
        await node.Replication.SetTargetsAsync(LibraryHome.Main, [Second], Admin, Stop);
        await ReplicateAsync(node);
        Assert.Equal(ReplicaState.Failed, await StateAsync(node, image, Second));

        Home.Clock.Advance(Replication.Patience);
        await ReplicateAsync(node);
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Ready)], await StatesAsync(node, image));
        var again = await node.TransferAsync(move.Id);
        Assert.Equal((TransferState.Done, null, null), (again.State, again.MovesFrom, again.User));
    }

    [Fact]
    public async Task What_was_given_up_in_a_store_is_not_tried_again_without_a_pause_either()
    {
        await using var node = await StartAsync();
        var (image, _) = await NewImageAsync(node, 3 << 20);
        await node.RunAsync(Assert.Single(await node.Copies.CopyAsync(image, new CopyRequest(StoreChoice.Of(Second)!, Moves: true), Admin, Stop)).Id);
        await node.Quotas.AddAsync([new Quota(QuotaId.New(), Caller.Project!.Value, QuotaResource.Size, 5, "")], Stop);
        await WantEverywhereAsync(node, image);
        Home.Clock.Advance(Replication.Patience);
        await ReplicateAsync(node);
        var version = (await node.ImageAsync(image)).Version;
        Assert.Equal(ReplicaState.Retired, await StateAsync(node, image, LibraryHome.Main));

        await ReplicateAsync(node);
        Assert.Equal(version, (await node.ImageAsync(image)).Version);
    }

    [Fact]
    public async Task What_no_node_can_copy_now_keeps_nothing_else_from_its_turn()
    {
        ImageId here;
        await using (var node = await StartAsync())
        {
            await node.Operations.SetModeAsync(Second, StoreMode.ReadOnly, Admin, Stop);
            await node.Replication.SetTargetsAsync(Third, [Second], Admin, Stop);
            await node.Replication.SetTargetsAsync(LibraryHome.Main, [Second], Admin, Stop);
            for (var i = 0; i < 10; i++)
            {
                var (image, _) = await NewImageAsync(node, 1000);
                var move = new CopyRequest(StoreChoice.Of(Third)!, Moves: true);
                await node.RunAsync(Assert.Single(await node.Copies.CopyAsync(image, move, Admin, Stop)).Id);
            }

            (here, _) = await NewImageAsync(node, 1000);
            await OperateAsync(node, LibraryHome.Main, new StoreTask(StoreOperationKind.Cleanup, IsConfirmed: true));
            await node.Operations.SetModeAsync(Second, StoreMode.Open, Admin, Stop);
            for (var i = 0; i < 2; i++)
                await node.Replication.RunAsync(Second, Stop);
        }

        // Eight copies wait for a node that has the third store.
        await using var without = await Home.StartAsync(others: [Second]);
        await without.Replication.RunAsync(Second, Stop);
        Assert.Equal(ReplicaState.Receiving, await StateAsync(without, here, Second));
    }

    [Fact]
    public async Task A_project_without_room_is_told_so_and_an_operators_replication_is_none_of_its_business()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node, 3 << 20);
        await node.Quotas.AddAsync([new Quota(QuotaId.New(), Caller.Project!.Value, QuotaResource.Size, 5, "")], Stop);
        await WantEverywhereAsync(node, image);
        await node.Replication.SetTargetsAsync(LibraryHome.Main, [Third], Admin, Stop);
        await ReplicateAsync(node);

        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Failed), (Third, ReplicaState.Ready)], await StatesAsync(node, image));
        var refused = Assert.Single(await node.Transfers.ListAsync(new TransferQuery { Image = image, Store = Second }, Stop));
        Assert.Equal((TransferState.Failed, "quota-exceeded"), (refused.State, refused.Failure?.Code));
        var told = await node.Desk.ExplainAsync(refused.Id, Caller, Stop);
        Assert.Equal("The transfer failed while it was waiting.", told.Summary);

        Home.Clock.Advance(Replication.Patience);
        await ReplicateAsync(node);
        Assert.Equal(2, await CountCopiesAsync(node, image));
        Assert.Equal(content, await ReadAsync(node, Third, Digest.Of(content)));
    }

    [Fact]
    public async Task New_zones_do_not_get_everything_at_once()
    {
        await using var node = await StartAsync();
        for (var i = 0; i < 10; i++)
            await WantEverywhereAsync(node, (await NewImageAsync(node, 1000)).Image);

        for (var look = 0; look < 3; look++)
            await node.Replication.RunAsync(Second, Stop);
        Assert.Equal(8, (await node.Transfers.ListAsync(new TransferQuery { Store = Second, States = Transfer.LivingStates }, Stop)).Count);
        await node.AdoptAsync();
        await ReplicateAsync(node);
        Assert.Equal(10, (await node.Replicas.ListHoldersAsync(Second, Stop)).Count);
    }

    [Fact]
    public async Task What_the_library_wants_is_not_taken_out_until_it_wants_it_no_more()
    {
        await using var node = await StartAsync();
        var (image, _) = await NewImageAsync(node);
        await WantEverywhereAsync(node, image);
        await ReplicateAsync(node);
        await Assert.ThrowsAsync<ReplicaWantedException>(() => node.Copies.DeleteAsync(image, Second, Caller, Stop));
        await WantEverywhereAsync(node, image, isWanted: false);
        await node.Copies.DeleteAsync(image, Second, Caller, Stop);
        await node.Copies.DeleteAsync(image, Third, Caller, Stop);

        await node.Replication.SetTargetsAsync(LibraryHome.Main, [Second], Admin, Stop);
        await ReplicateAsync(node);
        await Assert.ThrowsAsync<ReplicaWantedException>(() => node.Copies.DeleteAsync(image, Second, Caller, Stop));
        var move = new CopyRequest(StoreChoice.Of(Third)!, From: Second, Moves: true);
        await Assert.ThrowsAsync<ReplicaWantedException>(() => node.Copies.CopyAsync(image, move, Admin, Stop));
        var migration = new StoreTask(StoreOperationKind.Sync, Moves: true) { Sources = [Second] };
        await Assert.ThrowsAsync<InvalidFieldException>(() => node.Operations.RequestAsync(Third, migration, Admin, Stop));

        await node.Replication.SetTargetsAsync(Third, [Second], Admin, Stop);
        await node.Replication.SetTargetsAsync(LibraryHome.Main, [], Admin, Stop);
        await Assert.ThrowsAsync<InvalidFieldException>(() => node.Operations.RequestAsync(Third, migration, Admin, Stop));

        // A store that is being emptied gets nothing any more.
        await node.Operations.SetModeAsync(Second, StoreMode.Draining, Admin, Stop);
        await node.Operations.RequestAsync(Third, migration, Admin, Stop);
        await node.RunAsync(Assert.Single(await node.Copies.CopyAsync(image, move, Admin, Stop)).Id);
        await ReplicateAsync(node);
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Retired), (Third, ReplicaState.Ready)], await StatesAsync(node, image));
    }

    [Fact]
    public async Task An_image_that_is_changed_or_deleted_at_the_moment_is_looked_at_again()
    {
        await using var node = await StartAsync();
        var (changed, _) = await NewImageAsync(node);
        var (deleted, _) = await NewImageAsync(node);
        await node.Replication.SetTargetsAsync(LibraryHome.Main, [Second], Admin, Stop);
        var seen = new HashSet<ImageId>();
        node.Catalogue.Before = async change =>
        {
            if (change is { Image.Id: var id, Transfers: [{ Kind: TransferKind.Copy, State: TransferState.Queued }] } && seen.Add(id))
            {
                if (id == deleted)
                    await node.Library.DeleteAsync(id, Caller, Stop);
                else
                    await node.Library.UpdateAsync(id, Caller, i => i with { Description = "changed" }, Stop);
            }
        };
        await ReplicateAsync(node);

        Assert.Equal([changed, deleted], seen.OrderBy(id => id == deleted));
        Assert.Equal(ReplicaState.Ready, await StateAsync(node, changed, Second));
        Assert.Empty(await StatesAsync(node, deleted));
    }

    [Fact]
    public async Task What_is_said_of_replication_is_checked()
    {
        await using var node = await StartAsync();
        await Assert.ThrowsAsync<StoreNotFoundException>(() => node.Replication.SetTargetsAsync("nowhere", [Second], Admin, Stop));
        await Assert.ThrowsAsync<StoreNotFoundException>(() => node.Replication.SetTargetsAsync(Second, ["nowhere"], Admin, Stop));
        await Assert.ThrowsAsync<InvalidFieldException>(() => node.Replication.SetTargetsAsync(Second, [Third, Second], Admin, Stop));
        await Assert.ThrowsAsync<InvalidFieldException>(() => node.Replication.SetTargetsAsync(Second, [""], Admin, Stop));
        await Assert.ThrowsAsync<LimitExceededException>(() => node.Replication.SetTargetsAsync(Second, [.. Enumerable.Repeat(Third, 33)], Admin, Stop));
        await Assert.ThrowsAsync<ForbiddenException>(() => node.Replication.SetTargetsAsync(Second, [Third], Caller, Stop));
    }

    private static Task<Image> WantEverywhereAsync(LibraryNode node, ImageId image, bool isWanted = true) =>
        node.Library.UpdateAsync(image, Caller, i => i with { AllZones = isWanted }, Stop);

    /// <summary>One look for every store, and all copies that it begins to their ends.</summary>
    private static async Task ReplicateAsync(LibraryNode node)
    {
        foreach (var store in node.Registry.All)
            await node.Replication.RunAsync(store.Name, Stop);
        await node.AdoptAsync();
    }

    private static async Task<int> CountCopiesAsync(LibraryNode node, ImageId image) =>
        (await node.Transfers.ListAsync(new TransferQuery { Image = image, Kinds = [TransferKind.Copy] }, Stop)).Count;
}
