using System.Buffers;
using Vitrine.Stores;

namespace Vitrine.Formats.Qcow2;

/// <summary>Reads compressed clusters: whole ones many at a time, parts of one by way of those that were unfolded last.</summary>
internal sealed class Qcow2CompressedClusters : IDisposable
{
    private const int SectorSize = 512;
    private const int MaxHeldLength = 16 * 1024 * 1024;
    private const int MaxHeld = 1024;

    // Enough for every processor to have something to do, and little enough to hold.
    private const int MaxBatchLength = 2 * 1024 * 1024;
    private const int MaxBatch = 32;

    private readonly ContentReader _content;
    private readonly int _clusterSize;
    private readonly Qcow2Decompressor _decompressor;
    private readonly RecentlyLoaded<(long Host, int Length), byte[]> _unfolded;

    public Qcow2CompressedClusters(ContentReader content, Qcow2Header header)
    {
        _content = content;
        _clusterSize = header.ClusterSize;
        _decompressor = new Qcow2Decompressor(header.Compression);
        _unfolded = new RecentlyLoaded<(long, int), byte[]>(Math.Min(MaxHeldLength / _clusterSize, MaxHeld), UnfoldAsync);
    }

    /// <summary>How many whole clusters are read at once, at most.</summary>
    public int Batch => Math.Clamp(MaxBatchLength / _clusterSize, 2, MaxBatch);

    /// <summary>Fills the buffer with bytes of one cluster, beginning somewhere in it.</summary>
    /// <exception cref="Content.UnsafeContentException">There is no such cluster in the content.</exception>
    public async ValueTask ReadPartAsync(Qcow2Run cluster, int start, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var bytes = await _unfolded.GetAsync((cluster.Host, cluster.CompressedLength), cancellationToken);
        bytes.AsSpan(start, buffer.Length).CopyTo(buffer.Span);
    }

    /// <summary>Fills the buffer with whole clusters, on several processors where there are several clusters.</summary>
    /// <exception cref="Content.UnsafeContentException">One of them is not in the content.</exception>
    public async ValueTask ReadWholeAsync(IReadOnlyList<Qcow2Run> clusters, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var parts = new ArraySegment<byte>[clusters.Count];
        var (first, end, sum) = (long.MaxValue, 0L, 0);
        foreach (var cluster in clusters)
        {
            var length = LengthInContent(cluster.Host, cluster.CompressedLength);
            (first, end, sum) = (Math.Min(first, cluster.Host), Math.Max(end, cluster.Host + length), sum + length);
        }

        // Writers that compress on many processors put clusters down as they get ready: near one another, in any order.
        var areNear = end - first <= 2L * sum;
        var compressed = ArrayPool<byte>.Shared.Rent(areNear ? (int)(end - first) : sum);
        try
        {
            if (areNear)
                await _content.ReadExactlyAsync("qcow2", first, compressed.AsMemory(0, (int)(end - first)), cancellationToken);

            var at = 0;
            for (var i = 0; i < parts.Length; i++)
            {
                var (host, length) = (clusters[i].Host, LengthInContent(clusters[i].Host, clusters[i].CompressedLength));
                parts[i] = new ArraySegment<byte>(compressed, areNear ? (int)(host - first) : at, length);
                if (!areNear)
                    await _content.ReadExactlyAsync("qcow2", host, parts[i], cancellationToken);
                at += length;
            }

            await UnfoldAsync(parts, buffer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(compressed);
        }
    }

    public void Dispose() => _decompressor.Dispose();

    private async Task UnfoldAsync(ArraySegment<byte>[] parts, Memory<byte> clusters)
    {
        var last = -1;
        var helpers = new Task[Math.Min(parts.Length, Environment.ProcessorCount) - 1];
        for (var i = 0; i < helpers.Length; i++)
            helpers[i] = Task.Run(UnfoldNext);

        try
        {
            UnfoldNext();
        }
        finally
        {
            // They use the buffers, which are given back as soon as this one ends.
            await Task.WhenAll(helpers);
        }

        void UnfoldNext()
        {
            int next;
            while ((next = Interlocked.Increment(ref last)) < parts.Length)
                _decompressor.Decompress(parts[next], clusters.Span.Slice(next * _clusterSize, _clusterSize));
        }
    }

    private async ValueTask<byte[]> UnfoldAsync((long Host, int Length) part)
    {
        var length = LengthInContent(part.Host, part.Length);
        var compressed = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            await _content.ReadExactlyAsync("qcow2", part.Host, compressed.AsMemory(0, length), CancellationToken.None);
            var cluster = GC.AllocateUninitializedArray<byte>(_clusterSize);
            _decompressor.Decompress(new ArraySegment<byte>(compressed, 0, length), cluster);
            return cluster;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(compressed);
        }
    }

    // A length is in whole sectors, but nobody need have written the last one to its end.
    private int LengthInContent(long host, int length)
    {
        if (host >= _content.Length || host + length > _content.Length + (SectorSize - 1))
            throw Refusal.Truncated("qcow2");

        return (int)Math.Min(length, _content.Length - host);
    }
}
