using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Library;

/// <summary>Images in several stores: copied, moved, and taken out of one.</summary>
public sealed class ReplicaTests : ManyStores
{
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
    public async Task A_reader_goes_on_from_another_replica_where_the_first_is_damaged_in_the_middle()
    {
        UseChunkedStores();
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node, 40 * LibraryHome.Block);
        await CopyAsync(node, image, Second);
        await CopyAsync(node, image, Third);
        foreach (var store in new[] { "store", Second })
            DamagePack(store);

        Assert.Equal(content, await node.DownloadAsync(image));
        await using var reader = (await node.Downloads.OpenAsync(image, Caller, Stop)).Reader;
        var parts = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            var part = new byte[LibraryHome.Block];
            for (var read = 0; read < part.Length;)
                read += await reader.ReadAsync((long)i * part.Length + read, part.AsMemory(read), Stop);
            return part;
        }));
        Assert.Equal(content, parts.SelectMany(part => part));

        DamagePack(Third);
        await using var next = await StartAsync();
        await Assert.ThrowsAsync<StoreDamagedException>(() => next.DownloadAsync(image));
    }

    [Fact]
    public async Task A_scrub_of_whole_contents_finds_what_is_damaged_and_brings_it_from_another_store()
    {
        await using var node = await StartAsync();
        var (image, content) = await NewImageAsync(node);
        var (alone, aloneContent) = await NewImageAsync(node);
        var (_, sound) = await NewImageAsync(node);
        await CopyAsync(node, image, Second);
        Assert.Empty((await ScrubAsync()).Faults);

        foreach (var damaged in new[] { content, aloneContent })
            Damage("store", Digest.Of(damaged));
        var found = await ScrubAsync();
        Assert.Equal(3 * content.Length, found.Bytes);
        Assert.Equal(
            new[] { Digest.Of(content).Hex, Digest.Of(aloneContent).Hex }.Order(), found.Faults.SelectMany(f => f.Contents).Select(d => d.Hex).Order());
        Assert.Equal(1, found.Repairing);
        await node.AdoptAsync();
        Assert.Equal(content, await ReadAsync(node, LibraryHome.Main, Digest.Of(content)));
        Assert.Equal(Digest.Of(aloneContent), Assert.Single((await ScrubAsync()).Faults.SelectMany(f => f.Contents)));
        Assert.Equal(sound, await ReadAsync(node, LibraryHome.Main, Digest.Of(sound)));

        // What is damaged in the other store, too, is not given up for that; and what is lost is found.
        Damage("store", Digest.Of(content));
        Damage(Second, Digest.Of(content));
        File.Delete(Directory.EnumerateFiles(Home.PathOf("store"), $"*{Digest.Of(sound).Hex[4..]}*", SearchOption.AllDirectories).Single());
        var last = await ScrubAsync();
        Assert.Equal((0, 3), (last.Repairing, last.Faults.Count));
        Assert.Equal([(LibraryHome.Main, ReplicaState.Ready), (Second, ReplicaState.Ready)], await StatesAsync(node, image));

        Directory.Move(Home.PathOf("store"), Home.PathOf("away"));
        Assert.Equal("store-unavailable", (await OperateAsync(node, LibraryHome.Main, new StoreTask(StoreOperationKind.Scrub))).Failure!.Code);
        Directory.Move(Home.PathOf("away"), Home.PathOf("store"));
        Assert.Equal(ReplicaState.Ready, await StateAsync(node, alone, LibraryHome.Main));

        async Task<ScrubResult> ScrubAsync() => (await OperateAsync(node, LibraryHome.Main, new StoreTask(StoreOperationKind.Scrub))).Scrubbed!;
    }

    [Fact]
    public async Task An_import_to_several_stores_is_of_use_with_the_first_and_copied_to_the_others()
    {
        await using var node = await StartAsync();
        var (url, content) = Home.Publish(300_000);
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
            await using var mortal = await Home.StartAsync(life: new Life(steps), others: [Second, Third]);
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

        await Assert.ThrowsAsync<StoreClosedException>(() => node.ImportAsync(Home.Publish(1000).Url));
        await Assert.ThrowsAsync<StoreClosedException>(() => node.Copies.CopyAsync(image, To(Second), Caller, Stop));
        Assert.Equal(content, await node.DownloadAsync(image));
        var everywhere = await node.Copies.CopyAsync(image, new CopyRequest(new StoreChoice { All = true }), Caller, Stop);
        Assert.Equal(Third, Assert.Single(everywhere).Store);

        await node.Operations.SetModeAsync(LibraryHome.Main, StoreMode.Open, Admin, Stop);
        await node.ImportAsync(Home.Publish(1000).Url);
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
}
