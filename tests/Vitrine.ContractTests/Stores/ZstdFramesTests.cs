using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Formats.Wrappers;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.Objects;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Stores;

/// <summary>Content of a chunked store as Zstandard frames, by whatever pieces it is kept in.</summary>
public sealed class ZstdFramesTests : IAsyncDisposable
{
    private const int Block = PackFormat.BlockLength;
    private const int Segment = PackFormat.MaxSegment;

    private readonly MemoryObjects _objects = new("memory", TimeProvider.System);
    private readonly ChunkedStore _store;

    public ZstdFramesTests() => _store = Open();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(Block - 1)]
    [InlineData(Block + 1)]
    [InlineData(Segment - 1)]
    [InlineData(Segment)]
    [InlineData(Segment + 1)]
    [InlineData(3 * Segment + 5000)]
    public async Task Content_of_any_length_and_kind_comes_back(int length)
    {
        foreach (var content in new[] { new byte[length], Text(length, 1), RandomNumberGenerator.GetBytes(length) })
            await AssertSameAsync(content);
    }

    [Fact]
    public async Task Segments_go_as_they_are_stored()
    {
        var content = Text(20 * Segment, 2);
        await PutAsync(content);
        var (pack, stored) = await OnlyPackAsync();
        var frames = await FramesAsync(content);

        // All of it stands in the pack, between its headers.
        Assert.InRange(frames.Length, stored - 20 * 100 - 64 * 20 * PackFormat.BlockRecordLength - 1000, stored);
        Assert.True(pack.AsSpan().IndexOf(frames.AsSpan(0, 10_000)) > 0);
        Assert.Equal(content, await UnfoldAsync(frames));
    }

    [Fact]
    public async Task What_does_not_shrink_grows_by_a_few_bytes()
    {
        var content = RandomNumberGenerator.GetBytes(10 * Segment);
        await PutAsync(content);
        var frames = await FramesAsync(content);
        Assert.InRange(frames.Length, content.Length, content.Length + 10 * 20);
        Assert.Equal(content, await UnfoldAsync(frames));
    }

    [Fact]
    public async Task A_variant_comes_back_whatever_it_shares()
    {
        var random = new Random(3);
        var first = Mixed(random, 6_000_000);
        await PutAsync(first);

        // Blocks of the first in another order, and new ones among them.
        var variant = Mixed(random, 6_000_000);
        for (var at = 0; at + 40 * Block < variant.Length; at += random.Next(1, 80) * Block)
            first.AsSpan(random.Next(first.Length / Block - 40) * Block, random.Next(1, 40) * Block).CopyTo(variant.AsSpan(at));
        await AssertSameAsync(variant);
        await AssertSameAsync(first);
    }

    [Fact]
    public async Task Zeros_between_do_not_make_frames_small()
    {
        // Each segment has zeros in its middle, so that none of it goes as it is.
        var content = Text(16 * Segment, 4);
        for (var at = Segment / 2; at < content.Length; at += Segment)
            content.AsSpan(at, 2 * Block).Clear();
        await PutAsync(content);
        var (_, stored) = await OnlyPackAsync();
        var frames = await FramesAsync(content);
        Assert.InRange(frames.Length, 1, stored * 5 / 4);
        Assert.Equal(content, await UnfoldAsync(frames));
    }

    [FactWithTool("zstd")]
    public async Task The_command_zstd_unfolds_them()
    {
        var content = Mixed(new Random(5), 5_000_000);
        await PutAsync(content);
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync($"{file}.zst", await FramesAsync(content), Stop);
            await Tool.RunAsync("zstd", ["-d", "-q", "-f", "-M8MiB", $"{file}.zst", "-o", file], Stop);
            Assert.Equal(content, await File.ReadAllBytesAsync(file, Stop));
        }
        finally
        {
            File.Delete(file);
            File.Delete($"{file}.zst");
        }
    }

    [Fact]
    public async Task Content_without_bytes_is_one_frame_that_means_none()
    {
        await PutAsync([]);
        Assert.Empty(await UnfoldAsync(await FramesAsync([])));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(128 * 1024)]
    [InlineData((128 * 1024) + 1)]
    [InlineData((5L << 30) + 123)]
    public async Task Zeros_take_hardly_a_byte(long length)
    {
        var frames = new MemoryStream();
        foreach (var piece in PlainFrames.Zeros(length))
            frames.Write(piece.Span);

        Assert.InRange(frames.Length, 1, 10 + length / 25_000);
        frames.Position = 0;
        Assert.Equal(length, await CountZerosAsync(frames));
    }

    [Fact]
    public async Task Zeros_of_any_length_take_no_memory()
    {
        var packs = new PackRegistry("memory", _objects);
        var extents = new ExtentReader(packs, new SegmentCache(packs, budget: 1 << 20, longestRun: 1 << 20), step: 1 << 20);
        var frames = new ContentFrames(new ContentMap([new MapExtent(4L << 40, MapExtent.Zero, 0)]), extents);
        var longest = 0;
        await foreach (var part in frames.FromAsync(0, Stop))
            longest = part.Pieces.Max(p => p.Length);

        Assert.InRange(longest, 1, 16 * 1024);
    }

    [Fact]
    public async Task A_damaged_segment_ends_them_with_a_failure()
    {
        var content = Text(20 * Segment, 6);
        await PutAsync(content);
        var pack = await _objects.ListAsync(StoreLayout.PackPrefix, Stop).SingleAsync(Stop);
        _objects.Flip(pack.Name, pack.Length / 2);
        await using var store = Open(); // with nothing in memory
        await using var reader = await store.OpenAsync(Digest.Of(content), Stop);
        await Assert.ThrowsAsync<StoreDamagedException>(async () => await reader.ZstdFrames!.LastAsync(Stop));
    }

    [Fact]
    public async Task Who_has_enough_goes_away()
    {
        var content = Mixed(new Random(7), 8_000_000);
        await PutAsync(content);
        await using var reader = await _store.OpenAsync(Digest.Of(content), Stop);
        Assert.NotEqual(0, (await reader.ZstdFrames!.FirstAsync(Stop)).Length);

        using var gone = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in reader.ZstdFrames!.WithCancellation(gone.Token))
                await gone.CancelAsync();
        });
    }

    private ChunkedStore Open() => new("memory", _objects, new ChunkedStoreOptions(), TimeProvider.System, _ => Task.FromResult(true));

    private async Task AssertSameAsync(byte[] content)
    {
        await PutAsync(content);
        Assert.Equal(content, await UnfoldAsync(await FramesAsync(content)));
    }

    private async Task PutAsync(byte[] content)
    {
        await using var writer = await _store.OpenWriterAsync(new StagingKey("key"), Stop);
        await writer.WriteAsync(content, Stop);
        await writer.CommitAsync(Digest.Of(content), Stop);
    }

    private async Task<byte[]> FramesAsync(byte[] content)
    {
        await using var reader = await _store.OpenAsync(Digest.Of(content), Stop);
        var frames = new MemoryStream();
        await foreach (var piece in reader.ZstdFrames!.WithCancellation(Stop))
            frames.Write(piece.Span);

        return frames.ToArray();
    }

    private async Task<(byte[] Bytes, long Length)> OnlyPackAsync()
    {
        var pack = await _objects.ListAsync(StoreLayout.PackPrefix, Stop).SingleAsync(Stop);
        var bytes = new byte[pack.Length];
        Assert.Equal(bytes.Length, await _objects.ReadAsync(pack.Name, 0, bytes, Stop));
        return (bytes, bytes.Length);
    }

    private static async Task<byte[]> UnfoldAsync(byte[] frames)
    {
        await using var plain = new ZstdStream(new MemoryStream(frames));
        using var all = new MemoryStream();
        await plain.CopyToAsync(all, Stop);
        return all.ToArray();
    }

    private static async Task<long> CountZerosAsync(Stream frames)
    {
        await using var plain = new ZstdStream(frames);
        var (buffer, count) = (new byte[1024 * 1024], 0L);
        while (await plain.ReadAsync(buffer, Stop) is > 0 and var read)
        {
            Assert.False(buffer.AsSpan(0, read).ContainsAnyExcept((byte)0));
            count += read;
        }

        return count;
    }

    /// <summary>What shrinks to about a third, and has no two equal blocks.</summary>
    private static byte[] Text(int length, int seed)
    {
        var (text, random) = (new byte[length], new Random(seed));
        for (var i = 0; i < length; i++)
            text[i] = (byte)('a' + random.Next(6));

        return text;
    }

    /// <summary>Zeros, noise, text and repetitions, in stretches that end anywhere.</summary>
    private static byte[] Mixed(Random random, int length)
    {
        var content = new byte[length];
        for (var at = 0; at < length;)
        {
            var count = Math.Min(random.Next(1, 600_000), length - at);
            var stretch = content.AsSpan(at, count);
            switch (random.Next(5))
            {
                case 0:
                    random.NextBytes(stretch);
                    break;
                case 1 or 2:
                    Text(count, random.Next()).CopyTo(stretch);
                    break;
                case 3 when at > count:
                    content.AsSpan((at - count) / Block * Block, count).CopyTo(stretch);
                    break;
            }

            at += count;
        }

        return content;
    }
}
