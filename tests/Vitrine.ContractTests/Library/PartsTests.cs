using Vitrine.Stores;
using Vitrine.Testing.Library;
using Vitrine.Transfers;
using static Vitrine.ContractTests.Library.LibraryHome;

namespace Vitrine.ContractTests.Library;

/// <summary>Uploads in parts where they meet other nodes, deaths and limits.</summary>
public sealed class PartsTests : IDisposable
{
    private const int Size = 4 * Block;
    private const string Second = "second";

    private readonly LibraryHome _home = new();
    private readonly byte[] _content = new byte[Size];

    public PartsTests() => new Random(3).NextBytes(_content);

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task A_node_that_does_not_reach_the_store_says_what_it_can_and_leaves_the_rest_to_others()
    {
        await using var here = await _home.StartAsync("here");
        await using var there = await _home.StartAsync("there", others: Second);
        var image = await there.NewImageAsync();
        var upload = await there.Uploads.BeginAsync(image, Size, expected: null, StoreChoice.Of(Second), Caller, Stop);
        var part = await here.Parts.AddAsync(upload.Id, Size, Caller, Stop);
        await Assert.ThrowsAsync<StoreElsewhereException>(() => SendAsync(here, part));
        await SendAsync(there, part);

        Assert.Equal(Size, (await here.Parts.FindOffsetAsync(upload.Id, part.Number, Caller, Stop)).Moved);
        await Assert.ThrowsAsync<StoreElsewhereException>(() => here.Parts.RemoveAsync(upload.Id, part.Number, Caller, Stop));
        await here.Parts.JoinAsync(upload.Id, [part.Number], Caller, Stop);
        await there.RunAsync(upload.Id);
        await there.AssertActiveAsync(image, _content);
    }

    [Fact]
    public async Task A_part_that_came_whole_before_its_node_died_is_whole_though_its_row_is_behind()
    {
        await using var node = await _home.StartAsync();
        var image = await node.NewImageAsync();
        var upload = await node.BeginAsync(image, Size);
        var part = await node.Parts.AddAsync(upload.Id, Size, Caller, Stop);
        await using (var writer = await node.Store.OpenWriterAsync(part.Key, Stop))
        {
            await writer.WriteAsync(_content, Stop);
            await writer.FlushAsync(Stop);
        }

        Assert.Equal(Size, (await node.Parts.FindOffsetAsync(upload.Id, part.Number, Caller, Stop)).Moved);
        await node.Parts.JoinAsync(upload.Id, [part.Number], Caller, Stop);
        await node.RunAsync(upload.Id);
        await node.AssertActiveAsync(image, _content);
    }

    [Fact]
    public async Task What_waits_for_a_node_to_put_it_together_does_not_expire()
    {
        await using var node = await _home.StartAsync();
        var image = await node.NewImageAsync();
        var upload = await node.BeginAsync(image, Size);
        var part = await node.Parts.AddAsync(upload.Id, Size, Caller, Stop);
        await SendAsync(node, part);
        await node.Parts.JoinAsync(upload.Id, [part.Number], Caller, Stop);

        _home.Clock.Advance(TimeSpan.FromDays(2));
        await node.Uploads.TidyAsync(Stop);
        await node.RunAsync(upload.Id);
        await node.AssertActiveAsync(image, _content);
    }

    [Fact]
    public async Task Parts_come_no_faster_than_the_node_takes_anything_in()
    {
        await using var node = await _home.StartAsync();
        var upload = await node.BeginAsync(await node.NewImageAsync(), Size);
        var part = await node.Parts.AddAsync(upload.Id, Size, Caller, Stop);
        node.Bandwidth.Limit(Block);
        var before = _home.Clock.GetUtcNow();
        await SendAsync(node, part);
        Assert.InRange((_home.Clock.GetUtcNow() - before).TotalSeconds, 2, 60);
    }

    [Fact]
    public async Task Parts_that_a_node_put_together_and_lost_hold_of_are_taken_up_again()
    {
        await using var node = await _home.StartAsync();
        var upload = await node.BeginAsync(await node.NewImageAsync(), Size);
        await SendAsync(node, await node.Parts.AddAsync(upload.Id, Size, Caller, Stop));
        var taken = await node.TransferAsync(upload.Id) is var t ? t.Take(node.Instance, "node-1", _home.Clock.GetUtcNow()) : null!;
        Assert.False(node.Runner.HasAbandoned(taken));
        Assert.True(node.Runner.HasAbandoned(taken.Assemble(0)));
        Assert.True(node.Runner.HasAbandoned(taken with { State = TransferState.Retrying }));
    }

    [Fact]
    public async Task From_the_moment_that_a_node_begins_to_put_parts_together_the_upload_says_so()
    {
        await using var node = await _home.StartAsync();
        var upload = await node.BeginAsync(await node.NewImageAsync(), Size);
        var part = await SendAsync(node, await node.Parts.AddAsync(upload.Id, Size, Caller, Stop));
        await node.Parts.JoinAsync(upload.Id, [part.Number], Caller, Stop);
        await using (var earlier = await node.Store.OpenWriterAsync(StagingKey.Of(upload.Id), Stop))
        {
            await earlier.WriteAsync(_content.AsMemory(0, Block), Stop);
            await earlier.FlushAsync(Stop);
        }

        var steps = node.WatchSteps();
        await node.RunAsync(upload.Id);
        Assert.Equal(["running connecting", "verifying assembling", "verifying rereading", "verifying assembling"], steps.Take(4));
    }

    private Task<UploadPart> SendAsync(LibraryNode node, UploadPart part) =>
        node.Parts.AppendAsync(part.Upload, part.Number, 0, new ScriptedStream(_content), Caller, Stop);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
