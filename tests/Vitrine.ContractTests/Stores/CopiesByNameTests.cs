using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.Objects;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Stores;

/// <summary>Copies that began with bytes of one store and go on by the names that another one has.</summary>
public sealed class CopiesByNameTests
{
    private const int Begun = 2_500_000;

    private readonly byte[] _content = RandomNumberGenerator.GetBytes(40_000_001);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_came_before_is_held_against_the_names_too(bool isRight)
    {
        var digest = Digest.Of(_content);
        await using ChunkedStore source = Open("source"), target = Open("target");
        await using (var whole = await BeginAsync(source))
        {
            await TakeAsync(whole, _content);
            await whole.CommitAsync(digest, Stop);
        }

        await using (var first = await BeginAsync(target))
        {
            var begun = _content[..Begun];
            begun[1_000_000] ^= (byte)(isRight ? 0 : 1);
            await TakeAsync(first, begun);
            await first.FlushAsync(Stop);
        }

        await using (var second = await BeginAsync(target))
        {
            await second.RereadAsync(Stop);
            Assert.Equal(Begun, second.Length);
            await using var reader = await source.OpenAsync(digest, Stop);
            var read = 0L;
            Assert.True(await second.TryTakeByNameAsync(reader, fetched => Add(ref read, fetched), _ => ValueTask.CompletedTask, Stop));
            Assert.Equal((_content.Length, true), (second.Length, second.IsByName));
            Assert.InRange(read, _content.Length - Begun, _content.Length - Begun + 8192);
            await second.CommitAsync(digest, Stop);
        }

        await using var copy = await target.OpenAsync(digest, Stop);
        var bytes = new byte[copy.Length];
        for (var count = 0; count < bytes.Length;)
            count += await copy.ReadAsync(count, bytes.AsMemory(count), Stop);

        Assert.Equal(_content, bytes);
    }

    [Fact]
    public async Task A_copy_does_not_refer_to_what_was_found_damaged_while_it_was_made()
    {
        var (objects, clock) = (new MemoryObjects("target", new ManualClock()), new ManualClock());
        var digest = Digest.Of(_content);
        await using ChunkedStore source = Open("source"), target = new("target", objects, new ChunkedStoreOptions(), clock, _ => Task.FromResult(true));
        foreach (var store in new[] { source, target })
        {
            await using var ingest = await BeginAsync(store);
            await TakeAsync(ingest, _content);
            await ingest.CommitAsync(digest, Stop);
        }

        await using (var copy = await BeginAsync(target))
        {
            await foreach (var pack in objects.ListAsync(StoreLayout.PackPrefix, Stop))
                await objects.PutAsync(StoreLayout.DamagedName(StoreLayout.IdOf(pack.Name)!.Value), new byte[1], Stop);

            await target.DeleteAsync(digest, Stop);
            await CopyAsync(copy);
            await Assert.ThrowsAsync<StoreUnavailableException>(() => copy.CommitAsync(digest, Stop));
        }

        await target.DiscardAsync(new StagingKey("copy"), Stop);
        var before = await objects.ListAsync(StoreLayout.PackPrefix, Stop).CountAsync(Stop);
        await using var again = await BeginAsync(target);
        await CopyAsync(again);
        await again.CommitAsync(digest, Stop);
        Assert.Equal(2 * before, await objects.ListAsync(StoreLayout.PackPrefix, Stop).CountAsync(Stop));

        async Task CopyAsync(Ingest into)
        {
            await using var reader = await source.OpenAsync(digest, Stop);
            Assert.True(await into.TryTakeByNameAsync(reader, _ => Task.CompletedTask, _ => ValueTask.CompletedTask, Stop));
        }
    }

    private static Task Add(ref long sum, long more)
    {
        sum += more;
        return Task.CompletedTask;
    }

    private static async Task<Ingest> BeginAsync(ChunkedStore store) =>
        new(await store.OpenWriterAsync(new StagingKey("copy"), Stop), new FormatInspector(), sums: [], TimeProvider.System);

    private static Task TakeAsync(Ingest ingest, byte[] content) =>
        ingest.TakeAsync(new MemoryStream(content), announced: null, limit: long.MaxValue, _ => Task.CompletedTask, Stop);

    private static ChunkedStore Open(string name) =>
        new(name, new MemoryObjects(name, new ManualClock()), new ChunkedStoreOptions(), new ManualClock(), _ => Task.FromResult(true));
}
