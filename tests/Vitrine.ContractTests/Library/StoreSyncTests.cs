using Vitrine.Access;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Library;

/// <summary>Stores that get what others have, at once.</summary>
public sealed class StoreSyncTests : ManyStores
{
    [Fact]
    public async Task A_sync_passes_over_no_image_that_is_changed_at_the_moment()
    {
        await using var node = await StartAsync();
        var (image, _) = await NewImageAsync(node);
        node.Catalogue.Before = async change =>
        {
            if (change.Transfers is [{ Kind: TransferKind.Copy, Version: 0 }])
            {
                node.Catalogue.Before = _ => Task.CompletedTask;
                await node.Library.UpdateAsync(image, Caller, i => i with { Description = "changed" }, Stop);
            }
        };
        var synced = await OperateAsync(node, Third, new StoreTask(StoreOperationKind.Sync) { Sources = [LibraryHome.Main] });
        Assert.Equal(1, synced.Synced!.Copied);
        Assert.Equal(ReplicaState.Ready, await StateAsync(node, image, Third));
    }

    [Fact]
    public async Task A_sync_brings_what_is_missing_from_several_stores_and_moves_where_it_is_told_to()
    {
        await using var node = await StartAsync();
        var (first, _) = await NewImageAsync(node);
        var (second, _) = await NewImageAsync(node);
        await node.RunAsync(Assert.Single(await node.Copies.CopyAsync(second, To(Second) with { Moves = true }, Admin, Stop)).Id);
        var (there, _) = await NewImageAsync(node);
        await CopyAsync(node, there, Third);
        var (both, _) = await NewImageAsync(node);
        await CopyAsync(node, both, Second);

        var task = new StoreTask(StoreOperationKind.Sync, Moves: true) { Sources = [LibraryHome.Main, Second] };
        var synced = await OperateAsync(node, Third, task);

        Assert.Equal((3, 0), (synced.Synced!.Copied, synced.Synced.Failed));
        Assert.Equal([(LibraryHome.Main, ReplicaState.Retired), (Third, ReplicaState.Ready)], await StatesAsync(node, first));
        Assert.Equal(ReplicaState.Ready, await StateAsync(node, second, Third));
        Assert.Equal([(LibraryHome.Main, ReplicaState.Retired), (Third, ReplicaState.Ready)], await StatesAsync(node, there));
        Assert.Equal([(LibraryHome.Main, ReplicaState.Retired), (Second, ReplicaState.Retired), (Third, ReplicaState.Ready)], await StatesAsync(node, both));
        Assert.Equal(0, (await OperateAsync(node, Third, task)).Synced!.Copied);
    }

    [Fact]
    public async Task A_sync_that_moves_waits_for_copies_that_others_began()
    {
        await using var node = await StartAsync();
        var (image, _) = await NewImageAsync(node);
        await node.Copies.CopyAsync(image, To(Second), Caller, Stop);
        var synced = await OperateAsync(node, Second, new StoreTask(StoreOperationKind.Sync, Moves: true) { Sources = [LibraryHome.Main] });
        Assert.Equal((StoreOperationState.Done, 0), (synced.State, synced.Synced!.Copied));
        Assert.Equal([(LibraryHome.Main, ReplicaState.Retired), (Second, ReplicaState.Ready)], await StatesAsync(node, image));
    }

    [Fact]
    public async Task A_sync_of_some_images_leaves_the_others()
    {
        await using var node = await StartAsync();
        var (wanted, _) = await NewImageAsync(node);
        var (other, _) = await NewImageAsync(node);
        var (twice, _) = await NewImageAsync(node);
        await CopyAsync(node, twice, Second);
        var task = new StoreTask(StoreOperationKind.Sync, Moves: true) { Sources = [LibraryHome.Main], Images = [wanted, wanted] };
        Assert.Equal(1, (await OperateAsync(node, Second, task)).Synced!.Copied);
        Assert.Equal([(LibraryHome.Main, ReplicaState.Retired), (Second, ReplicaState.Ready)], await StatesAsync(node, wanted));
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Ready)], await StatesAsync(node, twice));
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready)], await StatesAsync(node, other));

        await Assert.ThrowsAsync<ReplicaNotFoundException>(() => node.Operations.RequestAsync(Second, task with { Images = [ImageId.New()] }, Admin, Stop));
        await Assert.ThrowsAsync<InvalidFieldException>(() => node.Operations.RequestAsync(Second, new StoreTask(StoreOperationKind.Check) { Images = [other] }, Admin, Stop));
        var many = Enumerable.Repeat(other, StoreOperations.MostImages + 1).ToList();
        await Assert.ThrowsAsync<LimitExceededException>(() => node.Operations.RequestAsync(Second, task with { Images = many }, Admin, Stop));
    }

    [Theory]
    [InlineData(LibraryHome.Main, "store")]
    [InlineData(Second, Second)]
    public async Task A_sync_that_cannot_reach_one_of_its_stores_fails_with_that_before_the_first_copy(string away, string directory)
    {
        await using var node = await StartAsync();
        var (image, _) = await NewImageAsync(node);
        Directory.Move(Home.PathOf(directory), Home.PathOf("away"));
        var failed = await OperateAsync(node, Second, new StoreTask(StoreOperationKind.Sync) { Sources = [LibraryHome.Main] });
        Directory.Move(Home.PathOf("away"), Home.PathOf(directory));

        Assert.Equal((StoreOperationState.Failed, "store-unavailable"), (failed.State, failed.Failure!.Code));
        Assert.Contains($"'{away}'", failed.Failure.Cause, StringComparison.Ordinal);
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready)], await StatesAsync(node, image));
    }

    [Fact]
    public async Task What_is_asked_of_a_store_is_checked()
    {
        await using var node = await StartAsync();
        StoreTask[] wrong =
        [
            new(StoreOperationKind.Sync),
            new(StoreOperationKind.Sync) { Sources = [Second] },
            new(StoreOperationKind.Cleanup, Moves: true, IsConfirmed: true),
            new(StoreOperationKind.Cleanup, Rate: 1 << 20, IsConfirmed: true),
            new(StoreOperationKind.Sync, IsConfirmed: true) { Sources = [Third] },
        ];
        foreach (var task in wrong)
            await Assert.ThrowsAsync<InvalidFieldException>(() => node.Operations.RequestAsync(Second, task, Admin, Stop));

        var sync = new StoreTask(StoreOperationKind.Sync) { Sources = [Third] };
        await Assert.ThrowsAsync<StoreNotFoundException>(() => node.Operations.RequestAsync(Second, sync with { Sources = ["nowhere"] }, Admin, Stop));
        await Assert.ThrowsAsync<ForbiddenException>(() => node.Operations.RequestAsync(Second, sync, Caller, Stop));
        await node.Operations.RequestAsync(Second, sync, Admin, Stop);
        await Assert.ThrowsAsync<StoreBusyException>(() => node.Operations.RequestAsync(Second, sync, Admin, Stop));
        await node.Operations.RequestAsync(Second, new StoreTask(StoreOperationKind.Cleanup, IsConfirmed: true), Admin, Stop);
    }
}
