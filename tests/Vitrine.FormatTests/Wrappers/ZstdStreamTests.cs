using Vitrine.Formats.Wrappers;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Wrappers;

/// <summary>Frames as the field's own tool makes them, and what becomes of them on a bad way.</summary>
public sealed class ZstdStreamTests : IDisposable
{
    private readonly Packing _packing = new();
    private readonly byte[] _disk = Packing.Disk(3_000_000);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _packing.Dispose();

    [FactWithTool("zstd")]
    public async Task Frames_are_unfolded_however_they_come()
    {
        var frames = await _packing.PackAsync(_disk, "zstd -qc disk; zstd -q -9 < disk; zstd -qc --no-check disk");
        byte[] expected = [.. _disk, .. _disk, .. _disk];
        foreach (var step in new[] { 7, 1000, frames.Length })
            Assert.Equal(expected, await UnfoldAsync(new SteppedStream(frames, step)));
    }

    [FactWithTool("zstd")]
    public async Task What_ends_in_a_frame_is_not_taken_for_the_whole()
    {
        var frames = await _packing.PackAsync(_disk, "zstd -qc disk; zstd -qc disk");
        foreach (var missing in new[] { 1, 1000, frames.Length / 2 - 30, frames.Length })
            await Assert.ThrowsAsync<EndOfStreamException>(() => UnfoldAsync(new MemoryStream(frames, 0, frames.Length - missing)));
    }

    [FactWithTool("zstd")]
    public async Task A_window_of_more_than_8_MiB_is_refused()
    {
        Assert.Equal(_disk, await UnfoldAsync(new MemoryStream(await _packing.PackAsync(_disk, "zstd -q --long=23 < disk"))));
        await AssertRefusedAsync(await _packing.PackAsync(_disk, "zstd -q --long=24 < disk"));
    }

    [FactWithTool("zstd")]
    public async Task Damage_is_refused()
    {
        var frames = await _packing.PackAsync(_disk, "zstd -qc disk");
        await AssertRefusedAsync([.. frames, .. "something else behind it"u8]);
        await AssertRefusedAsync([.. "nothing of the kind, and longer than a header"u8]);
        frames[frames.Length / 2] ^= 1;
        await AssertRefusedAsync(frames);
    }

    private static Task AssertRefusedAsync(byte[] frames) => Assert.ThrowsAsync<InvalidDataException>(() => UnfoldAsync(new MemoryStream(frames)));

    private static async Task<byte[]> UnfoldAsync(Stream frames)
    {
        await using var plain = new ZstdStream(frames);
        using var all = new MemoryStream();
        await plain.CopyToAsync(all, Stop);
        return all.ToArray();
    }

    /// <summary>Gives a few bytes at a time, as a network does.</summary>
    private sealed class SteppedStream(byte[] bytes, int step) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, step)], cancellationToken);
    }
}
