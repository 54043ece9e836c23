using System.Collections.Concurrent;
using System.IO.Compression;
using Vitrine.Formats.Native;

namespace Vitrine.Formats.Qcow2;

/// <summary>Unfolds clusters, several at the same time.</summary>
internal sealed class Qcow2Decompressor(Qcow2Compression compression) : IDisposable
{
    private readonly ConcurrentBag<ZstdDecompressor> _idle = [];

    /// <param name="source">Begins with the compressed cluster; what follows it does not count.</param>
    /// <exception cref="Content.UnsafeContentException">It does not unfold to as many bytes.</exception>
    public void Decompress(ArraySegment<byte> source, Span<byte> cluster)
    {
        try
        {
            if (compression == Qcow2Compression.Zstd)
                DecompressZstd(source, cluster);
            else
                Inflate(source, cluster);
        }
        catch (InvalidDataException)
        {
            throw Qcow2Refusal.Damaged();
        }
    }

    public void Dispose()
    {
        foreach (var zstd in _idle)
            zstd.Dispose();
    }

    private static void Inflate(ArraySegment<byte> source, Span<byte> cluster)
    {
        using var deflate = new DeflateStream(
            new MemoryStream(source.Array!, source.Offset, source.Count, writable: false), CompressionMode.Decompress);
        if (deflate.ReadAtLeast(cluster, cluster.Length, throwOnEndOfStream: false) < cluster.Length)
            throw Qcow2Refusal.Damaged();
    }

    private void DecompressZstd(ArraySegment<byte> source, Span<byte> cluster)
    {
        var zstd = _idle.TryTake(out var idle) ? idle : new ZstdDecompressor();
        try
        {
            zstd.DecompressExactly(source, cluster);
        }
        finally
        {
            _idle.Add(zstd);
        }
    }
}
