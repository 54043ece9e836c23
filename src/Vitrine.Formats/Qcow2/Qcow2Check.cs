using System.Buffers.Binary;
using Vitrine.Stores;

namespace Vitrine.Formats.Qcow2;

/// <summary>Goes through all tables of an image and its snapshots: all is inside the content, and nothing overlaps.</summary>
/// <remarks>
/// Clusters may have several uses where snapshots share them, or compressed clusters do, and then only as many as their refcount
/// says. A refcount that is too high wastes room and harms nobody. Every use is noted once for a window of the content's
/// clusters at a time, so that memory has a bound; an L2 table is read once for a window, however many snapshots share it.
/// Bitmaps are not looked at, as nothing here reads them.
/// </remarks>
internal sealed class Qcow2Check(ContentReader content, Qcow2Header header)
{
    // 8 MiB for what is known of a window, which is 64 GiB of the content where clusters have the usual 64 KiB. There are two.
    private const int MaxWindow = 1024 * 1024;

    // Each needs all tables to be read again. Clusters of 512 bytes come to 64 GiB then, and no one uses them for so much.
    private const long MaxWindows = 128;

    private const int PieceLength = 64 * 1024;
    private const int SectorSize = 512;
    private const ulong ReservedBits = 0x1ff;
    private const long NoPiece = -1;

    private readonly byte[] _piece = new byte[PieceLength];
    private readonly long _clusters = (content.Length + header.ClusterSize - 1) >> header.ClusterBits;

    // Each is given to no other use, and they do not overlap.
    private readonly List<(long First, long End)> _singles = [];
    private readonly List<Qcow2L1> _l1Tables = [header.L1];

    // The refcount block that was asked last, and which part of it the piece holds.
    private long _block = NoPiece;
    private long _blockOffset;
    private long _pieceOffset = NoPiece;

    /// <exception cref="Content.UnsafeContentException">Something overlaps, or lies outside, or cannot be.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (_clusters > MaxWindow * MaxWindows)
            throw Qcow2Refusal.BadGeometry("its clusters are too short for so many bytes");

        await FindSinglesAsync(cancellationToken);

        var window = (int)Math.Min(_clusters, MaxWindow);
        var uses = new Qcow2ClusterUses(window);
        var others = window < _clusters ? new Qcow2ClusterUses(window) : uses;
        for (var first = 0L; first < _clusters; first += window)
        {
            await NoteTablesAsync(uses, first, cancellationToken);
            await NoteClustersAsync(uses, uses, cancellationToken);
            for (var other = 0L; other < _clusters; other += window)
            {
                if (other == first)
                    continue;

                others.MoveTo(other);
                await NoteL2TablesAsync(others, cancellationToken);
                await NoteClustersAsync(uses, others, cancellationToken);
            }

            await CompareWithRefcountsAsync(uses, cancellationToken);
        }
    }

    private async Task FindSinglesAsync(CancellationToken cancellationToken)
    {
        var snapshotsLength = await Qcow2SnapshotTable.MeasureAsync(content, header, cancellationToken);
        await foreach (var snapshot in Qcow2SnapshotTable.ReadAsync(content, header, cancellationToken))
            _l1Tables.Add(snapshot.L1);

        AddSingle(0, header.ClusterSize);
        AddSingle(header.RefcountOffset, (long)header.RefcountClusters << header.ClusterBits);
        AddSingle(header.SnapshotsOffset, snapshotsLength);
        foreach (var l1 in _l1Tables)
            AddSingle(l1.Offset, l1.Length);

        _singles.Sort();
        for (var i = 1; i < _singles.Count; i++)
        {
            if (_singles[i].First < _singles[i - 1].End)
                throw Qcow2Refusal.Overlap("two of its tables, or its header, lie at the same place");
        }
    }

    private void AddSingle(long offset, long length)
    {
        if (!Qcow2Header.EndsBefore(offset, length, content.Length))
            throw Refusal.Truncated("qcow2");
        if (length > 0)
            _singles.Add((offset >> header.ClusterBits, (offset + length + header.ClusterSize - 1) >> header.ClusterBits));
    }

    private async Task NoteTablesAsync(Qcow2ClusterUses uses, long first, CancellationToken cancellationToken)
    {
        uses.MoveTo(first);
        foreach (var single in _singles)
        {
            for (var cluster = Math.Max(single.First, first); cluster < single.End && uses.Contains(cluster); cluster++)
                uses.Add(cluster, Qcow2ClusterUse.Table, position: 0, times: 1);
        }

        await ForEachEntryAsync(header.RefcountOffset, RefcountBlocks, entryWords: 1, (_, entry, _) =>
            uses.Add(ClusterOf(ReadBlockOffset(entry)), Qcow2ClusterUse.Table, position: 0, times: 1), cancellationToken);

        await NoteL2TablesAsync(uses, cancellationToken);
    }

    private async Task NoteL2TablesAsync(Qcow2ClusterUses uses, CancellationToken cancellationToken)
    {
        foreach (var l1 in _l1Tables)
        {
            await ForEachEntryAsync(l1.Offset, l1.Entries, entryWords: 1, (index, entry, _) =>
                uses.Add(ClusterOf(Qcow2Cluster.ReadTableOffset(entry, header)), Qcow2ClusterUse.L2, index, times: 1), cancellationToken);
        }
    }

    // Notes the clusters of disks that L2 tables inside one window have inside another, which may be the same one.
    private async Task NoteClustersAsync(Qcow2ClusterUses uses, Qcow2ClusterUses tables, CancellationToken cancellationToken)
    {
        for (var table = tables.First; table < _clusters && tables.Contains(table); table++)
        {
            if (tables.UseOf(table) != Qcow2ClusterUse.L2)
                continue;

            var (first, times) = (tables.PositionOf(table) << header.TableBits, tables.TimesOf(table));
            await ForEachEntryAsync(table << header.ClusterBits, 1L << header.TableBits, header.HasSubclusters ? 2 : 1, (index, entry, subclusters) =>
                Note(uses, Qcow2Cluster.Read(entry, subclusters, header), first + index, times), cancellationToken);
        }
    }

    private void Note(Qcow2ClusterUses uses, Qcow2Cluster cluster, long position, long times)
    {
        if (cluster.CompressedLength != 0)
        {
            // Its length is in whole sectors, but nobody need have written the last one to its end.
            var end = cluster.Host + cluster.CompressedLength;
            if (cluster.Host >= content.Length || end > content.Length + (SectorSize - 1))
                throw Refusal.Truncated("qcow2");

            for (var at = cluster.Host >> header.ClusterBits; at <= (end - 1) >> header.ClusterBits; at++)
                uses.Add(at, Qcow2ClusterUse.Compressed, position: 0, times);
        }
        else if (cluster.Host != 0)
        {
            var needed = Math.Clamp(header.Size - (position << header.ClusterBits), 1, Math.Max(cluster.KeptLength(header), 1));
            if (!Qcow2Header.EndsBefore(cluster.Host, needed, content.Length))
                throw Refusal.Truncated("qcow2");

            uses.Add(cluster.Host >> header.ClusterBits, Qcow2ClusterUse.Data, position, times);
        }
    }

    private async Task CompareWithRefcountsAsync(Qcow2ClusterUses uses, CancellationToken cancellationToken)
    {
        // After a crash they are behind. What is shared then is shared at one position of disks only, as ever.
        if (header.IsDirty)
            return;

        (_block, _pieceOffset) = (NoPiece, NoPiece);
        for (var cluster = uses.First; cluster < _clusters && uses.Contains(cluster); cluster++)
        {
            var times = uses.TimesOf(cluster);
            if (times > 1 && await ReadRefcountAsync(cluster, cancellationToken) < (ulong)times)
                throw Qcow2Refusal.Overlap($"its cluster {cluster} is shared, and its refcounts do not say so");
        }
    }

    private async ValueTask<ulong> ReadRefcountAsync(long cluster, CancellationToken cancellationToken)
    {
        var blockBits = header.ClusterBits + 3 - header.RefcountOrder;
        var block = cluster >> blockBits;
        if (block >= RefcountBlocks)
            return 0;

        if (block != _block)
        {
            await content.ReadExactlyAsync("qcow2", header.RefcountOffset + block * sizeof(ulong), _piece.AsMemory(0, sizeof(ulong)), cancellationToken);
            (_block, _blockOffset, _pieceOffset) = (block, ReadBlockOffset(BinaryPrimitives.ReadUInt64BigEndian(_piece)), NoPiece);
        }

        if (_blockOffset == 0)
            return 0;

        var bit = (cluster & (1L << blockBits) - 1) << header.RefcountOrder;
        var within = bit / 8 % PieceLength;
        var offset = _blockOffset + bit / 8 - within;
        if (offset != _pieceOffset)
        {
            await content.ReadExactlyAsync("qcow2", offset, _piece.AsMemory(0, Math.Min(PieceLength, header.ClusterSize)), cancellationToken);
            _pieceOffset = offset;
        }

        return RefcountIn(_piece.AsSpan((int)within), (int)(bit % 8), header.RefcountOrder);
    }

    /// <param name="shift">The first bit inside the first byte, where a refcount is shorter than a byte.</param>
    private static ulong RefcountIn(ReadOnlySpan<byte> bytes, int shift, int order) => order switch
    {
        < 3 => (ulong)(bytes[0] >> shift & (1 << (1 << order)) - 1),
        3 => bytes[0],
        4 => BinaryPrimitives.ReadUInt16BigEndian(bytes),
        5 => BinaryPrimitives.ReadUInt32BigEndian(bytes),
        _ => BinaryPrimitives.ReadUInt64BigEndian(bytes),
    };

    // Entries of zeros alone say nothing in any table, and most say nothing.
    private async Task ForEachEntryAsync(long offset, long count, int entryWords, EntryVisitor visit, CancellationToken cancellationToken)
    {
        var entryLength = entryWords * sizeof(ulong);
        for (var index = 0L; index < count;)
        {
            var piece = _piece.AsMemory(0, (int)Math.Min(PieceLength, (count - index) * entryLength));
            await content.ReadExactlyAsync("qcow2", offset + index * entryLength, piece, cancellationToken);
            Visit(piece.Span, index, entryLength, visit);
            index += piece.Length / entryLength;
        }
    }

    private static void Visit(ReadOnlySpan<byte> piece, long index, int entryLength, EntryVisitor visit)
    {
        for (int other; (other = piece.IndexOfAnyExcept((byte)0)) >= 0;)
        {
            var skipped = other / entryLength;
            var entry = piece[(skipped * entryLength)..];
            index += skipped;
            visit(index++, BinaryPrimitives.ReadUInt64BigEndian(entry),
                entryLength > sizeof(ulong) ? BinaryPrimitives.ReadUInt64BigEndian(entry[sizeof(ulong)..]) : 0);
            piece = entry[entryLength..];
        }
    }

    // A table or block is a whole cluster inside the content.
    private long ClusterOf(long offset) => Qcow2Header.EndsBefore(offset, header.ClusterSize, content.Length)
        ? offset >> header.ClusterBits
        : throw Refusal.Truncated("qcow2");

    private long ReadBlockOffset(ulong entry) => (entry & ReservedBits) == 0 && header.IsClusterAligned((long)entry)
        ? (long)entry
        : throw Qcow2Refusal.BadGeometry($"its refcount table has an entry that no table has (0x{entry:x16})");

    private long RefcountBlocks => ((long)header.RefcountClusters << header.ClusterBits) / sizeof(ulong);

    private delegate void EntryVisitor(long index, ulong entry, ulong subclusters);
}
