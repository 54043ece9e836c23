using Vitrine.Formats.Native;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Native;

public sealed class ZstdDecompressorTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-zstd-");
    private readonly byte[] _plain = Plain();

    public void Dispose() => _directory.Delete(recursive: true);

    [FactWithTool("zstd")]
    public async Task Frames_come_out_however_they_are_cut()
    {
        byte[] frames = [.. await CompressAsync(), .. await CompressAsync("--long=24", "-19")];
        foreach (var step in new[] { 1, 7, 65_536, frames.Length })
            Assert.Equal([.. _plain, .. _plain], DecompressInSteps(frames, step));
    }

    [FactWithTool("zstd")]
    public async Task Whole_frames_fill_a_destination_at_once_whatever_follows_them()
    {
        byte[] frames = [.. await CompressAsync(), .. await CompressAsync(), 1, 2, 3];
        var destination = new byte[2 * _plain.Length];
        using var zstd = new ZstdDecompressor();
        zstd.DecompressExactly(frames, destination);
        zstd.DecompressExactly(frames, destination);

        Assert.Equal([.. _plain, .. _plain], destination);
    }

    [FactWithTool("zstd")]
    public async Task Frames_that_are_longer_or_shorter_than_the_destination_are_refused()
    {
        var frame = await CompressAsync();
        using var zstd = new ZstdDecompressor();

        Assert.Throws<InvalidDataException>(() => zstd.DecompressExactly(frame, new byte[_plain.Length - 1]));
        Assert.Throws<InvalidDataException>(() => zstd.DecompressExactly(frame, new byte[_plain.Length + 1]));
        Assert.Throws<InvalidDataException>(() => zstd.DecompressExactly(frame.AsSpan(..^1), new byte[_plain.Length]));
        Assert.Throws<InvalidDataException>(() => zstd.DecompressExactly([], new byte[1]));
    }

    [FactWithTool("zstd")]
    public async Task A_window_that_is_too_large_is_refused()
    {
        var frame = await CompressAsync("--long=24", "--no-content-size");
        using var narrow = new ZstdDecompressor(maxWindowLog: 20);
        Assert.Throws<InvalidDataException>(() => narrow.Decompress(frame, new byte[100], out _, out _));
    }

    [Fact]
    public void Other_bytes_are_refused()
    {
        using var zstd = new ZstdDecompressor();
        Assert.Throws<InvalidDataException>(() => zstd.Decompress("not Zstandard"u8, new byte[100], out _, out _));
        Assert.Throws<InvalidDataException>(() => zstd.DecompressExactly("not Zstandard"u8, new byte[100]));
    }

    private static byte[] Plain()
    {
        var random = new Random(5);
        var bytes = new byte[3_000_000];
        random.NextBytes(bytes.AsSpan(0, 500_000));
        bytes.AsSpan(0, 500_000).CopyTo(bytes.AsSpan(2_000_000));
        return bytes;
    }

    private static byte[] DecompressInSteps(byte[] frames, int step)
    {
        using var zstd = new ZstdDecompressor();
        var result = new MemoryStream();
        var buffer = new byte[10_000];
        for (var at = 0; at < frames.Length;)
        {
            var count = Math.Min(step, frames.Length - at);
            zstd.Decompress(frames.AsSpan(at, count), buffer, out var consumed, out var written);
            result.Write(buffer.AsSpan(0, written));
            at += consumed;
        }

        int rest;
        do
        {
            zstd.Decompress([], buffer, out _, out rest);
            result.Write(buffer.AsSpan(0, rest));
        }
        while (rest > 0);

        return result.ToArray();
    }

    private async Task<byte[]> CompressAsync(params string[] options)
    {
        var path = Path.Combine(_directory.FullName, "plain");
        await File.WriteAllBytesAsync(path, _plain, TestContext.Current.CancellationToken);
        await Tool.RunAsync("zstd", ["-q", "-f", .. options, path, "-o", path + ".zst"], TestContext.Current.CancellationToken);
        return await File.ReadAllBytesAsync(path + ".zst", TestContext.Current.CancellationToken);
    }
}
