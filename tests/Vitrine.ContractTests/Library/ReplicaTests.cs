using System.Security.Cryptography;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Library;

/// <summary>Images in several stores: copied, moved, taken out of one, synchronised and cleaned up.</summary>
public sealed class ReplicaTests : IDisposable
{
    private const string Second = "second";
    private const string Third = "third";

    private static readonly Caller Admin = LibraryHome.Caller with { Roles = new HashSet<string> { RoleNames.Admin } };
    private LibraryHome _home = new();

    private static Caller Caller => LibraryHome.Caller;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task A_copy_gives_the_same_bytes_when_the_first_store_has_lost_them()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node);
        var copy = Assert.Single(await node.Copies.CopyAsync(image, To(Second), Caller, Stop));
        Assert.Equal((ReplicaState.Receiving, TransferKind.Copy), (await StateAsync(node, image, Second), copy.Kind));

        await node.RunAsync(copy.Id);

        Assert.Equal(TransferState.Done, (await node.TransferAsync(copy.Id)).State);
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Ready)], await StatesAsync(node, image));
        await node.Store.DeleteAsync(Digest.Of(content), Stop);
        Assert.Equal(content, await node.DownloadAsync(image));
    }

    [Fact]
    public async Task An_import_to_several_stores_is_of_use_with_the_first_and_copied_to_the_others()
    {
        await using var node = await StartAsync();
        var (url, content) = _home.Publish(300_000);
        var (image, transfer) = await node.Imports.RegisterAsync(
            new ImportRequest(url, null, new StoreChoice { All = true }, false), Caller, i => i with { Name = "an image" }, Stop);
        await node.RunAsync(transfer.Id);

        Assert.Equal(ImageStatus.Active, (await node.ImageAsync(image.Id)).Status);
        Assert.Equal(
            [(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Receiving), (Third, ReplicaState.Receiving)],
            await StatesAsync(node, image.Id));

        // No reminder came: the next beat finds the copies.
        await node.AdoptAsync();
        Assert.All(await node.Replicas.ListAsync([image.Id], Stop), r => Assert.Equal((ReplicaState.Ready, Digest.Of(content)), (r.State, r.Digest)));
    }

    [Fact]
    public async Task Of_a_copy_between_stores_that_keep_parts_once_only_what_is_missing_is_read()
    {
        UseChunkedStores();
        await using var node = await StartAsync();
        var (first, content) = await NewImageAsync(node, 40 * LibraryHome.Block);
        await CopyAsync(node, first, Second);
        content.AsSpan(1000, 5000).Clear();
        var changed = await NewImageAsync(node, content);
        var copy = Assert.Single(await node.Copies.CopyAsync(changed, To(Second), Caller, Stop));
        await node.RunAsync(copy.Id);

        var done = await node.TransferAsync(copy.Id);
        Assert.Equal((TransferState.Done, content.Length), (done.State, done.Moved));
        Assert.InRange(done.Fetched, 1, LibraryHome.Block);
        await node.Store.DeleteAsync(Digest.Of(content), Stop);
        Assert.Equal(content, await node.DownloadAsync(changed));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_copy_goes_on_where_a_killed_node_left_it(bool isChunked)
    {
        if (isChunked)
            UseChunkedStores();

        ImageId image;
        byte[] content;
        Transfer copy;
        await using (var node = await StartAsync())
        {
            (image, content) = await NewImageAsync(node, 40 * LibraryHome.Block);
            copy = Assert.Single(await node.Copies.CopyAsync(image, To(Second), Caller, Stop));
        }

        const int MostDeaths = 60;
        for (var death = 0; ; death++)
        {
            Assert.InRange(death, 0, MostDeaths);
            var steps = 3 + 7 * death;
            await using var mortal = await _home.StartAsync(life: new Life(steps), others: [Second, Third]);
            var failure = await Record.ExceptionAsync(() => mortal.RunAsync(copy.Id));
            if (failure is null && (await mortal.TransferAsync(copy.Id)).IsOver)
                break;
        }

        await using var next = await StartAsync();
        Assert.Equal(ReplicaState.Ready, await StateAsync(next, image, Second));
        await next.Store.DeleteAsync(Digest.Of(content), Stop);
        Assert.Equal(content, await next.DownloadAsync(image));
    }

    [Fact]
    public async Task What_another_image_brought_into_the_store_is_not_copied_again()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node);
        var other = await NewImageAsync(node, content);
        var first = Assert.Single(await node.Copies.CopyAsync(image, To(Second), Caller, Stop));
        await node.RunAsync(first.Id);
        var second = Assert.Single(await node.Copies.CopyAsync(other, To(Second), Caller, Stop));
        await node.RunAsync(second.Id);

        Assert.Equal(ReplicaState.Ready, await StateAsync(node, other, Second));
        Assert.Equal((content.Length, 0), ((await node.TransferAsync(first.Id)).Fetched, (await node.TransferAsync(second.Id)).Fetched));
    }

    [Fact]
    public async Task A_damaged_replica_is_not_copied_where_another_is_sound_and_never_taken_for_sound()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node);
        await CopyAsync(node, image, Second);
        Damage(Second, Digest.Of(content));

        var copy = Assert.Single(await node.Copies.CopyAsync(image, To(Third) with { From = Second }, Caller, Stop));
        await node.RunAsync(copy.Id);
        var done = await node.TransferAsync(copy.Id);
        Assert.Equal((TransferState.Done, LibraryHome.Main), (done.State, done.SourceStore));
        Assert.Equal(content, await ReadAsync(node, Third, Digest.Of(content)));
    }

    [Fact]
    public async Task A_copy_of_what_is_damaged_everywhere_fails_leaves_nothing_and_can_be_tried_again()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node);
        Damage("store", Digest.Of(content));
        var copy = Assert.Single(await node.Copies.CopyAsync(image, To(Second), Caller, Stop));
        await node.RunAsync(copy.Id);

        var failed = await node.TransferAsync(copy.Id);
        Assert.Equal((TransferState.Failed, "store-damaged"), (failed.State, failed.Failure?.Code));
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Failed)], await StatesAsync(node, image));
        Assert.Equal(ImageStatus.Active, (await node.ImageAsync(image)).Status);
        Assert.Null(await node.Registry.Contents(Second).FindAsync(Digest.Of(content), Stop));

        Damage("store", Digest.Of(content)); // the same bit again
        await node.Desk.RetryAsync(copy.Id, Caller, Stop);
        await node.RunAsync(copy.Id);
        Assert.Equal(ReplicaState.Ready, await StateAsync(node, image, Second));
    }

    [Fact]
    public async Task Cancelling_a_copy_touches_nothing_but_the_copy()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node);
        var copy = Assert.Single(await node.Copies.CopyAsync(image, To(Second), Caller, Stop));
        await node.Desk.CancelAsync(copy.Id, Caller, Stop);
        await node.RunAsync(copy.Id);

        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Failed)], await StatesAsync(node, image));
        Assert.Equal(content, await node.DownloadAsync(image));
        await node.Copies.DeleteAsync(image, Second, Caller, Stop);
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready)], await StatesAsync(node, image));
    }

    [Fact]
    public async Task Deleting_an_image_ends_its_copies_and_frees_every_store()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node);
        await CopyAsync(node, image, Second);
        var copy = Assert.Single(await node.Copies.CopyAsync(image, To(Third), Caller, Stop));
        await node.Library.DeleteAsync(image, Caller, Stop);
        await node.RunAsync(copy.Id);

        Assert.Equal(TransferState.Cancelled, (await node.TransferAsync(copy.Id)).State);
        Assert.Empty(await node.Replicas.ListAsync([image], Stop));
        foreach (var store in node.Registry.All)
            Assert.Null(await node.Registry.Contents(store.Name).FindAsync(Digest.Of(content), Stop));
    }

    [Fact]
    public async Task An_image_deleted_at_the_end_of_its_copy_leaves_nothing_behind()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node);
        var copy = Assert.Single(await node.Copies.CopyAsync(image, To(Second), Caller, Stop));
        node.Catalogue.Before = async change =>
        {
            if (change.Transfers is [{ Id: var id, State: TransferState.Done }] && id == copy.Id)
            {
                node.Catalogue.Before = _ => Task.CompletedTask;
                await node.Library.DeleteAsync(image, Caller, Stop);
            }
        };
        await node.RunAsync(copy.Id);
        await node.SweepAsync();

        Assert.Empty(await node.Replicas.ListAsync([image], Stop));
        Assert.Null(await node.Registry.Contents(Second).FindAsync(Digest.Of(content), Stop));
    }

    [Fact]
    public async Task The_last_replica_stays_whoever_deletes_at_once()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node);
        await CopyAsync(node, image, Second);
        node.Catalogue.Before = async change =>
        {
            if (change.WithoutReplicasIn is [Second])
            {
                node.Catalogue.Before = _ => Task.CompletedTask;
                await node.Copies.DeleteAsync(image, LibraryHome.Main, Caller, Stop);
            }
        };
        var failure = await Assert.ThrowsAsync<LastReplicaException>(() => node.Copies.DeleteAsync(image, Second, Caller, Stop));

        Assert.Contains(Second, failure.Message, StringComparison.Ordinal);
        Assert.Equal([(Second, ReplicaState.Ready)], await StatesAsync(node, image));
        Assert.Null(await node.Store.FindAsync(Digest.Of(content), Stop));
        Assert.Equal(content, await node.DownloadAsync(image));
    }

    [Fact]
    public async Task What_is_asked_of_copies_is_checked()
    {
        await using var node = await StartAsync();
        var (image, _) = await NewImageAsync(node);
        var stranger = Caller with { Project = ProjectId.New() };

        await Assert.ThrowsAsync<StoreNotFoundException>(() => node.Copies.CopyAsync(image, To("nowhere"), Caller, Stop));
        await Assert.ThrowsAsync<ZoneNotFoundException>(
            () => node.Copies.CopyAsync(image, new CopyRequest(new StoreChoice { Zone = "nowhere" }), Caller, Stop));
        await Assert.ThrowsAsync<ReplicaExistsException>(() => node.Copies.CopyAsync(image, To(LibraryHome.Main), Caller, Stop));
        await Assert.ThrowsAsync<ReplicaNotFoundException>(() => node.Copies.CopyAsync(image, To(Second) with { From = Third }, Caller, Stop));
        await Assert.ThrowsAsync<ImageNotFoundException>(() => node.Copies.CopyAsync(image, To(Second), stranger, Stop));
        await Assert.ThrowsAsync<ForbiddenException>(() => node.Copies.CopyAsync(image, To(Second) with { Moves = true }, Caller, Stop));
        await Assert.ThrowsAsync<InvalidFieldException>(
            () => node.Copies.CopyAsync(image, new CopyRequest(new StoreChoice { All = true, Zone = Second }), Caller, Stop));
        await Assert.ThrowsAsync<ImageStatusException>(async () => await node.Copies.CopyAsync(await node.NewImageAsync(), To(Second), Caller, Stop));
        await Assert.ThrowsAsync<ReplicaNotFoundException>(() => node.Copies.DeleteAsync(image, Second, Caller, Stop));
        await node.Copies.CopyAsync(image, To(Second), Caller, Stop);
        await Assert.ThrowsAsync<ReplicaExistsException>(() => node.Copies.CopyAsync(image, To(Second), Caller, Stop));
        await Assert.ThrowsAsync<ReplicaExpectedException>(() => node.Copies.DeleteAsync(image, Second, Caller, Stop));
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Receiving)], await StatesAsync(node, image));
    }

    [Fact]
    public async Task A_closed_store_takes_nothing_new_and_gives_what_it_has()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node);
        await node.Operations.SetModeAsync(LibraryHome.Main, StoreMode.ReadOnly, Admin, Stop);
        await node.Operations.SetModeAsync(Second, StoreMode.Draining, Admin, Stop);

        await Assert.ThrowsAsync<StoreClosedException>(() => node.ImportAsync(_home.Publish(1000).Url));
        await Assert.ThrowsAsync<StoreClosedException>(() => node.Copies.CopyAsync(image, To(Second), Caller, Stop));
        Assert.Equal(content, await node.DownloadAsync(image));
        var everywhere = await node.Copies.CopyAsync(image, new CopyRequest(new StoreChoice { All = true }), Caller, Stop);
        Assert.Equal(Third, Assert.Single(everywhere).Store);

        await node.Operations.SetModeAsync(LibraryHome.Main, StoreMode.Open, Admin, Stop);
        await node.ImportAsync(_home.Publish(1000).Url);
        await Assert.ThrowsAsync<ForbiddenException>(() => node.Operations.SetModeAsync(Second, StoreMode.Open, Caller, Stop));
        await Assert.ThrowsAsync<StoreNotFoundException>(() => node.Operations.SetModeAsync("nowhere", StoreMode.Open, Admin, Stop));
    }

    [Fact]
    public async Task What_a_move_leaves_behind_stays_until_a_clean_up_has_read_the_other_whole()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node);
        var (kept, keptContent) = await NewImageAsync(node);
        foreach (var id in new[] { image, kept })
        {
            var move = Assert.Single(await node.Copies.CopyAsync(id, To(Second) with { Moves = true }, Admin, Stop));
            await node.RunAsync(move.Id);
        }

        Assert.Equal([(LibraryHome.Main, ReplicaState.Retired), (Second, ReplicaState.Ready)], await StatesAsync(node, image));
        await node.SweepAsync();
        Assert.NotNull(await node.Store.FindAsync(Digest.Of(content), Stop));

        await Assert.ThrowsAsync<InvalidFieldException>(() => node.Operations.RequestAsync(LibraryHome.Main, new StoreTask(StoreOperationKind.Cleanup), Admin, Stop));
        Damage(Second, Digest.Of(keptContent));
        var cleaned = (await OperateAsync(node, LibraryHome.Main, new StoreTask(StoreOperationKind.Cleanup, IsConfirmed: true))).CleanedUp!;

        Assert.Equal((1, content.Length), (cleaned.Removed, cleaned.Bytes));
        var stays = Assert.Single(cleaned.Kept);
        Assert.Equal(kept, stays.Image);
        Assert.Contains(Second, stays.Reason, StringComparison.Ordinal);
        Assert.Equal([(Second, ReplicaState.Ready)], await StatesAsync(node, image));
        Assert.Null(await node.Store.FindAsync(Digest.Of(content), Stop));
        Assert.Equal(content, await node.DownloadAsync(image));
        Assert.NotNull(await node.Store.FindAsync(Digest.Of(keptContent), Stop));
    }

    [Fact]
    public async Task A_retired_replica_is_of_use_again_when_the_image_comes_back()
    {
        await using var node = await StartAsync();
        var (image, _) = await NewImageAsync(node);
        await node.RunAsync(Assert.Single(await node.Copies.CopyAsync(image, To(Second) with { Moves = true }, Admin, Stop)).Id);
        var back = Assert.Single(await node.Copies.CopyAsync(image, To(LibraryHome.Main), Caller, Stop));
        await node.RunAsync(back.Id);

        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Ready)], await StatesAsync(node, image));
        Assert.Equal(0, (await node.TransferAsync(back.Id)).Fetched);
        var cleaned = await OperateAsync(node, LibraryHome.Main, new StoreTask(StoreOperationKind.Cleanup, IsConfirmed: true));
        Assert.Equal(0, cleaned.CleanedUp!.Removed);
    }

    [Fact]
    public async Task What_an_image_left_behind_stays_where_its_way_back_was_cancelled_or_failed()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node);
        await node.RunAsync(Assert.Single(await node.Copies.CopyAsync(image, To(Second) with { Moves = true }, Admin, Stop)).Id);
        var back = Assert.Single(await node.Copies.CopyAsync(image, To(LibraryHome.Main), Caller, Stop));
        await node.SweepAsync();
        Assert.NotNull(await node.Store.FindAsync(Digest.Of(content), Stop));

        await node.Desk.CancelAsync(back.Id, Caller, Stop);
        await node.SweepAsync();
        Assert.Equal([(LibraryHome.Main, ReplicaState.Retired), (Second, ReplicaState.Ready)], await StatesAsync(node, image));
        Assert.Equal(content, await ReadAsync(node, LibraryHome.Main, Digest.Of(content)));

        await node.Desk.RetryAsync(back.Id, Caller, Stop);
        await node.RunAsync(back.Id);
        Assert.Equal(ReplicaState.Ready, await StateAsync(node, image, LibraryHome.Main));
    }

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
        Directory.Move(_home.PathOf(directory), _home.PathOf("away"));
        var failed = await OperateAsync(node, Second, new StoreTask(StoreOperationKind.Sync) { Sources = [LibraryHome.Main] });
        Directory.Move(_home.PathOf("away"), _home.PathOf(directory));

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

    private void UseChunkedStores()
    {
        _home.Dispose();
        _home = new LibraryHome { IsChunked = true };
    }

    private Task<LibraryNode> StartAsync() => _home.StartAsync(others: [Second, Third]);

    private static CopyRequest To(params string[] stores) => new(new StoreChoice { Names = stores });

    private static Task<(ImageId Image, byte[] Content)> NewImageAsync(LibraryNode node) => NewImageAsync(node, 300_000);

    private static async Task<(ImageId Image, byte[] Content)> NewImageAsync(LibraryNode node, int size)
    {
        var content = RandomNumberGenerator.GetBytes(size);
        return (await NewImageAsync(node, content), content);
    }

    private static async Task<ImageId> NewImageAsync(LibraryNode node, byte[] content)
    {
        var image = await node.NewImageAsync();
        await node.ReceiveAsync(image, content);
        return image;
    }

    private static async Task CopyAsync(LibraryNode node, ImageId image, string store) =>
        await node.RunAsync(Assert.Single(await node.Copies.CopyAsync(image, To(store), Caller, Stop)).Id);

    /// <summary>Runs an operation, and what it asks for, to their ends.</summary>
    private static async Task<StoreOperation> OperateAsync(LibraryNode node, string store, StoreTask task)
    {
        var begun = await node.Operations.RequestAsync(store, task, Admin, Stop);
        var running = node.OperationRunner.RunAsync(begun.Id, Stop);
        while (!running.IsCompleted)
        {
            await node.AdoptAsync();
            await Task.WhenAny(running, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Stop));
        }

        await running;
        return await node.Operations.GetAsync(store, begun.Id, Admin, Stop);
    }

    private static async Task<ReplicaState> StateAsync(LibraryNode node, ImageId image, string store) =>
        (await node.Replicas.ListAsync([image], Stop)).Single(r => r.Store == store).State;

    private static async Task<IEnumerable<(string Store, ReplicaState State)>> StatesAsync(LibraryNode node, ImageId image) =>
        (await node.Replicas.ListAsync([image], Stop)).Select(r => (r.Store, r.State));

    private static async Task<byte[]> ReadAsync(LibraryNode node, string store, Digest digest)
    {
        await using var reader = await node.Registry.Contents(store).OpenAsync(digest, Stop);
        var bytes = new byte[reader.Length];
        for (var read = 0; read < bytes.Length;)
            read += await reader.ReadAsync(read, bytes.AsMemory(read), Stop);

        return bytes;
    }

    /// <summary>Flips a bit in the middle of content of a store.</summary>
    private void Damage(string directory, Digest digest)
    {
        var path = Directory.EnumerateFiles(_home.PathOf(directory), "*", SearchOption.AllDirectories).Single(f => Path.GetFileName(f).Contains(digest.Hex[4..], StringComparison.Ordinal));
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.SetAttributes(path, FileAttributes.Normal);
        File.WriteAllBytes(path, bytes);
    }
}
