namespace Vitrine.Formats.Qcow2;

/// <summary>What a qcow2 image says of itself, once it has been judged; nothing in it is beyond its bounds.</summary>
/// <param name="ClusterBits">The binary logarithm of a cluster's length in bytes: 9 to 21.</param>
/// <param name="Size">Of the guest's disk, in bytes.</param>
/// <param name="RefcountOffset">Of the refcount table, in bytes.</param>
/// <param name="SnapshotsOffset">Of the table of internal snapshots, in bytes.</param>
internal sealed record Qcow2Header(
    uint Version, int ClusterBits, long Size, Qcow2L1 L1, long RefcountOffset, uint RefcountClusters, uint Snapshots, long SnapshotsOffset)
{
    /// <summary>The bound that QEMU holds an L1 table to, in bytes.</summary>
    public const long MaxL1Length = 32 * 1024 * 1024;

    private const int WordBits = 3;

    /// <summary>Each cluster is cut into as many subclusters, where there are any.</summary>
    public const int Subclusters = 32;

    /// <summary>The binary logarithm of a refcount's length in bits. Version 2 has only this one.</summary>
    public int RefcountOrder { get; init; } = 4;

    /// <summary>Whether the refcounts may be behind the tables, after a crash of a writer that put them off.</summary>
    public bool IsDirty { get; init; }

    /// <summary>Whether entries of L2 tables have 16 bytes, the second half of which tells of subclusters.</summary>
    public bool HasSubclusters { get; init; }

    public Qcow2Compression Compression { get; init; }

    public int ClusterSize => 1 << ClusterBits;

    /// <summary>The binary logarithm of the number of clusters that one L2 table maps.</summary>
    public int TableBits => ClusterBits - WordBits - (HasSubclusters ? 1 : 0);

    /// <summary>The binary logarithm of the number of guest's bytes that one L2 table maps.</summary>
    public int TableSpanBits => ClusterBits + TableBits;

    public bool IsClusterAligned(long offset) => (offset & (ClusterSize - 1L)) == 0;

    /// <summary>Whether an L1 table has an entry for every byte of a disk.</summary>
    public bool IsMapped(long size, Qcow2L1 l1) => (UInt128)l1.Entries << TableSpanBits >= (ulong)size;

    /// <exception cref="Content.UnsafeContentException">A table that the header tells of goes beyond the content's end.</exception>
    public void CheckTablesEndBefore(long length)
    {
        if (!EndsBefore(L1.Offset, L1.Length, length)
            || !EndsBefore(RefcountOffset, (long)RefcountClusters << ClusterBits, length)
            || !EndsBefore(SnapshotsOffset, (long)Snapshots * Qcow2SnapshotTable.LeastEntryLength, length))
        {
            throw Refusal.Truncated("qcow2");
        }
    }

    public static bool EndsBefore(long offset, long count, long length) => offset >= 0 && offset <= length - count;
}

/// <summary>Where the first of the two levels of tables is that map a disk's clusters.</summary>
/// <param name="Offset">In bytes.</param>
/// <param name="Entries">One for each L2 table; the last may be those of a snapshot's state of the machine.</param>
internal readonly record struct Qcow2L1(long Offset, uint Entries)
{
    public long Length => Entries * (long)sizeof(ulong);
}

/// <summary>How an image's compressed clusters are compressed; the numbers are the format's.</summary>
internal enum Qcow2Compression
{
    /// <summary>Deflate without a header.</summary>
    Zlib = 0,

    Zstd = 1,
}
