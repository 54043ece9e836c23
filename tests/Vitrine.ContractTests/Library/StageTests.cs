using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Testing.Library;
using Vitrine.Transfers;
using static Vitrine.ContractTests.Library.LibraryHome;

namespace Vitrine.ContractTests.Library;

/// <summary>Content that is staged first and imported later, over a real database and real directories.</summary>
public sealed class StageTests : IDisposable
{
    private const int Size = 2 * Block + 77;
    private const string Second = "second";

    private readonly LibraryHome _home = new();
    private readonly byte[] _content = new byte[Size];

    public StageTests() => new Random(7).NextBytes(_content);

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task What_is_staged_on_one_node_is_imported_by_another_without_a_byte_more()
    {
        ImageId image;
        await using (var node = await _home.StartAsync("node-1"))
            await StageAsync(node, image = await node.NewImageAsync());

        await using var next = await _home.StartAsync("node-2");
        await next.AdoptAsync();
        Assert.Equal((ImageStatus.Staged, Size), ((await next.ImageAsync(image)).Status, (await next.ImageAsync(image)).Size));
        await ImportAsync(next, image);
        await next.AssertActiveAsync(image, _content);
        await next.AssertSweptAsync(_content);
        Assert.Equal(Size, (await next.TransferAsync((await next.ImageAsync(image)).Transfer!.Value)).Fetched);
    }

    [Fact]
    public async Task What_is_wanted_in_another_store_is_taken_there_and_leaves_nothing_behind()
    {
        await using var node = await _home.StartAsync(others: Second);
        var image = await node.NewImageAsync();
        await StageAsync(node, image);
        await ImportAsync(node, image, Second);

        await node.AssertActiveAsync(image, _content);
        Assert.Equal(Second, Assert.Single(await node.Replicas.ListAsync([image], Stop)).Store);
        await node.AssertHoldsAsync();
    }

    [Fact]
    public async Task Who_is_reminded_of_what_was_staged_meanwhile_leaves_it_alone()
    {
        await using var node = await _home.StartAsync();
        var image = await node.NewImageAsync();
        await StageAsync(node, image);
        await node.RunAsync((await node.ImageAsync(image)).Transfer!.Value);

        Assert.Equal(ImageStatus.Staged, (await node.ImageAsync(image)).Status);
        await ImportAsync(node, image);
        await node.AssertActiveAsync(image, _content);
    }

    [Fact]
    public async Task What_was_staged_and_never_imported_is_given_up()
    {
        await using var node = await _home.StartAsync();
        var image = await node.NewImageAsync();
        await StageAsync(node, image);
        await node.SweepAsync();
        _home.Clock.Advance(TimeSpan.FromHours(23));
        await node.Uploads.TidyAsync(Stop);
        Assert.Equal(ImageStatus.Staged, (await node.ImageAsync(image)).Status);

        _home.Clock.Advance(TimeSpan.FromHours(2));
        await node.Uploads.TidyAsync(Stop);
        Assert.Equal(ImageStatus.Failed, (await node.ImageAsync(image)).Status);
        await node.AssertHoldsAsync();
    }

    [Fact]
    public async Task Deleting_an_image_removes_what_was_staged_for_it_at_once()
    {
        await using var node = await _home.StartAsync();
        var image = await node.NewImageAsync();
        await StageAsync(node, image);
        await node.Library.DeleteAsync(image, Caller, Stop);

        await node.AssertHoldsAsync();
    }

    [Fact]
    public async Task What_was_staged_for_an_import_that_failed_and_that_nobody_can_try_again_is_swept()
    {
        await using var node = await _home.StartAsync();
        var id = await node.NewImageAsync();
        await StageAsync(node, id);
        await node.Uploads.ImportStagedAsync(id, choice: null, "request", Caller, Stop);
        var image = await node.ImageAsync(id);
        var (import, now) = (await node.TransferAsync(image.Transfer!.Value), _home.Clock.GetUtcNow());
        var failed = import.Fail(new TransferFailure("store-unavailable", TransferSteps.Storing, "The store is away.", "Try again.", "node-1", now), now);
        await node.Catalogue.SaveAsync(new CatalogueChange { Image = image.Fail(now), Transfers = [failed], WithoutReplicasOf = id }, Stop);

        Assert.Throws<TransferStateException>(() => failed.Requeue());
        await node.AssertSweptAsync();
    }

    [Fact]
    public async Task A_stage_that_is_killed_at_any_step_leaves_a_failed_image_or_a_staged_one()
    {
        var steps = 0;
        for (var survived = false; !survived; steps++)
        {
            ImageId image;
            await using (var before = await _home.StartAsync())
                image = await before.NewImageAsync();
            survived = await LiveAsync(steps, node => StageAsync(node, image));

            await using var next = await _home.StartAsync();
            await next.AdoptAsync();
            var status = (await next.ImageAsync(image)).Status;
            Assert.Contains(status, new[] { ImageStatus.Queued, ImageStatus.Failed, ImageStatus.Staged });
            if (status is not ImageStatus.Staged)
                await StageAsync(next, image);

            await ImportAsync(next, image);
            await next.AssertActiveAsync(image, _content);
            await next.Library.DeleteAsync(image, Caller, Stop);
            await next.AssertSweptAsync();
        }

        Assert.InRange(steps, 5, 200);
    }

    [Theory]
    [InlineData(Main)]
    [InlineData(Second)]
    public async Task An_import_of_what_is_staged_that_is_killed_at_any_step_is_finished_by_the_next_node(string store)
    {
        var steps = 0;
        for (var survived = false; !survived; steps++)
        {
            ImageId image;
            await using (var before = await _home.StartAsync(others: Second))
                await StageAsync(before, image = await before.NewImageAsync());
            survived = await LiveAsync(steps, node => ImportAsync(node, image, store));

            await using var next = await _home.StartAsync(others: Second);
            if ((await next.ImageAsync(image)).Status is ImageStatus.Staged)
                await ImportAsync(next, image, store);
            await next.AdoptAsync();
            await next.AssertActiveAsync(image, _content);
            await next.Library.DeleteAsync(image, Caller, Stop);
            await next.AssertSweptAsync();
        }

        Assert.InRange(steps, 10, 200);
    }

    private Task StageAsync(LibraryNode node, ImageId image) =>
        node.Uploads.StageAsync(image, new ScriptedStream(_content), length: null, Caller, Stop);

    private static async Task ImportAsync(LibraryNode node, ImageId image, string? store = null)
    {
        await node.Uploads.ImportStagedAsync(image, StoreChoice.Of(store), "request", Caller, Stop);
        await node.RunAsync((await node.ImageAsync(image)).Transfer!.Value);
    }

    /// <returns>True where the work was done before the life was over.</returns>
    private async Task<bool> LiveAsync(int steps, Func<LibraryNode, Task> work)
    {
        var life = new Life(steps);
        await using var node = await _home.StartAsync(life: life, others: Second);
        try
        {
            await work(node);
        }
        catch (Exception) when (life.IsOver)
        {
            // Whatever a dead process would have thrown, nobody hears it.
        }

        return !life.IsOver;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
