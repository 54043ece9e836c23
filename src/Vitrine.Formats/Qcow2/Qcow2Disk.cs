using System.Runtime.CompilerServices;
using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Qcow2;

/// <summary>The disk in a qcow2 image, or in one of its snapshots.</summary>
internal sealed class Qcow2Disk : Disk
{
    private readonly ContentReader _content;
    private readonly Qcow2Tables _tables;
    private readonly Qcow2CompressedClusters _compressed;
    private readonly Qcow2Map _map;

    private Qcow2Disk(ContentReader content, Qcow2Header header)
    {
        _content = content;
        Header = header;
        Length = header.Size;
        _tables = new Qcow2Tables(content, header.ClusterSize);
        _compressed = new Qcow2CompressedClusters(content, header);
        _map = new Qcow2Map(header, header.L1, _tables, content.Length);
    }

    private Qcow2Disk(Qcow2Disk image, Qcow2Snapshot snapshot)
    {
        _content = image._content;
        Header = image.Header;
        Length = snapshot.DiskLength;
        Snapshot = snapshot;
        _tables = image._tables;
        _compressed = image._compressed;
        _map = new Qcow2Map(Header, snapshot.L1, _tables, _content.Length);
    }

    public override long Length { get; }

    public Qcow2Header Header { get; }

    /// <summary>Null where the disk is the image's own.</summary>
    public Qcow2Snapshot? Snapshot { get; }

    /// <exception cref="Content.UnsafeContentException">The header cannot be right, or is of an image that is not safe.</exception>
    public static async Task<Qcow2Disk> OpenAsync(ContentReader content, CancellationToken cancellationToken) =>
        new(content, await Qcow2HeaderReader.ReadAsync(content, cancellationToken));

    /// <summary>The snapshots inside the image, oldest first as a rule.</summary>
    /// <exception cref="Content.UnsafeContentException">Their table cannot be right.</exception>
    public IAsyncEnumerable<Qcow2Snapshot> ListSnapshotsAsync(CancellationToken cancellationToken) =>
        Qcow2SnapshotTable.ReadAsync(_content, Header, cancellationToken);

    /// <summary>Opens the disk of one of the image's snapshots. It can be read as long as this disk is open.</summary>
    public Disk OpenSnapshot(Qcow2Snapshot snapshot) => new Qcow2Disk(this, snapshot);

    public override async ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            var run = await _map.FindAsync(offset, buffer.Length, cancellationToken);
            var length = (int)run.Length;
            if (run.IsCompressed)
                length = await ReadCompressedAsync(offset, run, buffer, cancellationToken);
            else if (run.Kind == ExtentKind.Data)
                await _content.ReadExactlyAsync("qcow2", run.Host, buffer[..length], cancellationToken);
            else
                buffer.Span[..length].Clear();

            offset += length;
            buffer = buffer[length..];
        }
    }

    public override async IAsyncEnumerable<Extent> ListExtentsAsync(
        long start, long length, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (end, position) = (start + length, start);
        var (tables, lastTable) = (0L, -1L);
        Extent? last = null;
        while (position < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var run = await _map.FindKindAsync(position, end - position, cancellationToken);
            var table = position >> Header.TableSpanBits;
            if (run.IsInTable && table != lastTable)
            {
                // Entries that share few tables could make a small image tell of a disk for ever.
                if (++tables > _content.Length >> Header.ClusterBits)
                    throw Qcow2Refusal.Overlap("it has more L2 tables than room for them");

                lastTable = table;
            }

            position += run.Length;
            if (last is { } extent && extent.Kind != run.Kind)
            {
                yield return extent;
                last = null;
            }

            last = last is { } same ? same with { Length = same.Length + run.Length } : new Extent(position - run.Length, run.Length, run.Kind);
        }

        if (last is { } rest)
            yield return rest;
    }

    public override Task CheckAsync(CancellationToken cancellationToken) => new Qcow2Check(_content, Header).RunAsync(cancellationToken);

    public override ValueTask DisposeAsync()
    {
        if (Snapshot is not null)
            return ValueTask.CompletedTask;

        _compressed.Dispose();
        return _content.DisposeAsync();
    }

    private async ValueTask<int> ReadCompressedAsync(long offset, Qcow2Run first, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var start = (int)(offset & Header.ClusterSize - 1);
        if (first.Length < Header.ClusterSize)
        {
            await _compressed.ReadPartAsync(first, start, buffer[..(int)first.Length], cancellationToken);
            return (int)first.Length;
        }

        var whole = new List<Qcow2Run> { first };
        for (var length = 2 * Header.ClusterSize; length <= buffer.Length && whole.Count < _compressed.Batch; length += Header.ClusterSize)
        {
            var next = await _map.FindAsync(offset + length - Header.ClusterSize, Header.ClusterSize, cancellationToken);
            if (!next.IsCompressed)
                break;

            whole.Add(next);
        }

        var filled = whole.Count * Header.ClusterSize;
        await _compressed.ReadWholeAsync(whole, buffer[..filled], cancellationToken);
        return filled;
    }
}
