using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Formats.Qcow2;

/// <summary>The clusters of a qcow2 file that is written from front to back, and its tables.</summary>
/// <remarks>
/// Compressed clusters lie close together, without regard to where clusters of the file begin; one that compression does not
/// make shorter takes a cluster of its own. An entry of an L2 table for a compressed one:
/// <code>
///  63   62   61 … 54               53 … 0
///  +---+----+---------------------+----------------------------+
///  | 0 | 1  | sectors, less one   | offset in the file, bytes  |
///  +---+----+---------------------+----------------------------+
/// </code>
/// where the sectors are those of 512 bytes that it touches. A cluster of the file is counted once for each that touches it.
/// A table is written as soon as nothing more comes into it: an L2 table when the disk's next 512 MiB begin, a block of refcounts
/// when the file's next 2 GiB begin, in whose first cluster it then goes. So little is held, however long the disk is.
/// </remarks>
internal sealed class CompressedQcow2File(SafeFileHandle file, long diskLength)
{
    private const ulong IsCompressed = 1UL << 62;
    private const int SectorsShift = 62 - (Qcow2Clusters.Bits - 8);
    private const int SectorLength = 512;

    // More clusters than are taken between planning the refcount table and being done with all.
    private const int Reserve = 64;

    private readonly ulong[] _l1 = new ulong[Qcow2Clusters.CountL1Entries(diskLength)];
    private readonly byte[] _l2 = new byte[Qcow2Clusters.Length];
    private readonly ushort[] _refcounts = new ushort[Qcow2Clusters.RefcountsOfBlock];
    private readonly List<ulong> _refcountBlocks = [];
    private long _l2Number = -1;

    /// <summary>The first cluster that is free.</summary>
    private long _next;

    /// <summary>Where the next compressed cluster can go on.</summary>
    private long _open;

    private bool _hasHeader;

    /// <param name="cluster">Of the disk; greater than each before.</param>
    /// <returns>Where its bytes go.</returns>
    public long PlacePlain(long cluster)
    {
        BeginTableOf(cluster);
        var offset = TakeCluster();
        CountUse(offset);
        Map(cluster, (ulong)offset | Qcow2Clusters.UsedOnce);
        return offset;
    }

    /// <inheritdoc cref="PlacePlain"/>
    public long PlaceCompressed(long cluster, int length)
    {
        BeginTableOf(cluster);
        var free = Qcow2Clusters.RoundUp(_open) - _open;
        if (length > free && TakeCluster() is var taken && taken != _open + free)
            _open = taken;

        var offset = _open;
        var last = offset + length - 1;
        _open += length;
        CountUse(offset);
        if (last / Qcow2Clusters.Length != offset / Qcow2Clusters.Length)
            CountUse(last);

        var sectors = last / SectorLength - offset / SectorLength;
        Map(cluster, IsCompressed | (ulong)sectors << SectorsShift | (ulong)offset);
        return offset;
    }

    /// <summary>Writes what is left, the header last.</summary>
    public void Complete()
    {
        WriteTable();
        var l1 = TakeRun(Qcow2Clusters.RoundUp(_l1.LongLength * sizeof(ulong)) / Qcow2Clusters.Length);
        WriteEntries(l1, _l1);

        var blocks = (_next / Qcow2Clusters.Length + Reserve) / Qcow2Clusters.RefcountsOfBlock + 1;
        var tableClusters = Qcow2Clusters.RoundUp(blocks * sizeof(ulong)) / Qcow2Clusters.Length;
        var table = TakeRun(tableClusters);
        var lastBlock = TakeCluster();
        CountUse(lastBlock);
        WriteRefcounts(lastBlock);
        WriteEntries(table, [.. _refcountBlocks]);

        RandomAccess.SetLength(file, _next);
        RandomAccess.Write(file, Qcow2HeaderBytes.Write(diskLength, _l1.LongLength, l1, table, tableClusters), 0);
    }

    private void BeginTableOf(long cluster)
    {
        var number = cluster / Qcow2Clusters.EntriesOfTable;
        if (number == _l2Number)
            return;

        WriteTable();
        _l2Number = number;
    }

    private void Map(long cluster, ulong entry) =>
        BinaryPrimitives.WriteUInt64BigEndian(_l2.AsSpan((int)(cluster % Qcow2Clusters.EntriesOfTable) * sizeof(ulong)), entry);

    private void WriteTable()
    {
        if (_l2Number < 0)
            return;

        var offset = TakeCluster();
        CountUse(offset);
        RandomAccess.Write(file, _l2, offset);
        _l1[_l2Number] = (ulong)offset | Qcow2Clusters.UsedOnce;
        Array.Clear(_l2);
    }

    /// <summary>Takes clusters that lie together and are counted by one block.</summary>
    private long TakeRun(long count)
    {
        var inBlock = _next / Qcow2Clusters.Length % Qcow2Clusters.RefcountsOfBlock;
        if (inBlock + count > Qcow2Clusters.RefcountsOfBlock)
            _next += (Qcow2Clusters.RefcountsOfBlock - inBlock) * Qcow2Clusters.Length;

        var start = TakeCluster();
        for (var i = 1; i < count; i++)
            TakeCluster();
        for (var i = 0; i < count; i++)
            CountUse(start + i * (long)Qcow2Clusters.Length);

        return start;
    }

    private long TakeCluster()
    {
        if (!_hasHeader)
        {
            _hasHeader = true;
            CountUse(Take());
        }
        else if (_next / Qcow2Clusters.Length % Qcow2Clusters.RefcountsOfBlock == 0)
        {
            // What is open ends here, as its cluster is counted by the block that is written now.
            var block = Take();
            WriteRefcounts(block);
            CountUse(block);
            _open = _next;
        }

        return Take();
    }

    private long Take()
    {
        _next += Qcow2Clusters.Length;
        return _next - Qcow2Clusters.Length;
    }

    private void CountUse(long offset) => _refcounts[offset / Qcow2Clusters.Length % Qcow2Clusters.RefcountsOfBlock]++;

    private void WriteRefcounts(long offset)
    {
        var bytes = new byte[Qcow2Clusters.Length];
        for (var i = 0; i < _refcounts.Length; i++)
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(i * sizeof(ushort)), _refcounts[i]);

        RandomAccess.Write(file, bytes, offset);
        _refcountBlocks.Add((ulong)offset);
        Array.Clear(_refcounts);
    }

    private void WriteEntries(long offset, ulong[] entries)
    {
        var bytes = new byte[entries.Length * sizeof(ulong)];
        for (var i = 0; i < entries.Length; i++)
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(i * sizeof(ulong)), entries[i]);

        RandomAccess.Write(file, bytes, offset);
    }
}
