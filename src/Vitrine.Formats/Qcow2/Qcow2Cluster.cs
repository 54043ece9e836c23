using Vitrine.Disks;

namespace Vitrine.Formats.Qcow2;

/// <summary>What a qcow2 image says of one cluster of a disk.</summary>
/// <remarks>
/// An entry of an L2 table, bit 63 left. Every bit without a name must be zero.
/// <code>
///  63       62           61 …                      x  …          0        x = 70 - cluster bits
///  +--------+------------+-------------------------+-------------+
///  |   0    |     1      | further sectors of 512  |   offset    |        compressed: where it begins, at any byte
///  +--------+------------+----------+--------------+------+------+
///  | copied |     0      |    0     | offset 55…9  |  0   | zero |        any other
///  +--------+------------+----------+--------------+------+------+
/// </code>
/// Version 2 has no zero bit. With subclusters a second word follows, and the zero bit is not used: its upper half has a bit
/// for each subcluster that is zeros, its lower half for each that is kept at the offset. An offset of 0 is none.
/// </remarks>
/// <param name="Host">Where it is kept, in bytes; 0 where it is not.</param>
/// <param name="CompressedLength">In bytes; 0 where it is not compressed.</param>
/// <param name="Kept">A bit for each subcluster that is data.</param>
/// <param name="Zeros">A bit for each subcluster that is zeros.</param>
internal readonly record struct Qcow2Cluster(long Host, int CompressedLength, uint Kept, uint Zeros)
{
    private const ulong IsCopied = 1UL << 63;
    private const ulong IsCompressed = 1UL << 62;
    private const ulong IsZeros = 1;
    private const ulong OffsetBits = 0x00ff_ffff_ffff_fe00;
    private const int SectorSize = 512;
    private const uint All = uint.MaxValue;

    /// <param name="subclusters">The second word of the entry; 0 where it has none.</param>
    /// <exception cref="Content.UnsafeContentException">No entry may be like this one.</exception>
    public static Qcow2Cluster Read(ulong entry, ulong subclusters, Qcow2Header header)
    {
        if ((entry & IsCompressed) != 0)
            return ReadCompressed(entry, subclusters, header);

        var host = (long)(entry & OffsetBits);
        var mayBeZeros = header.Version > 2 && !header.HasSubclusters;
        var known = OffsetBits | (host == 0 ? 0 : IsCopied) | (mayBeZeros ? IsZeros : 0);
        if ((entry & ~known) != 0 || !header.IsClusterAligned(host))
            throw Impossible(entry);

        var isZeros = (entry & IsZeros) != 0;
        var (kept, zeros) = header.HasSubclusters
            ? ((uint)subclusters, (uint)(subclusters >> 32))
            : (isZeros || host == 0 ? 0 : All, isZeros ? All : 0);
        if ((kept & zeros) != 0 || (host == 0 && kept != 0))
            throw Impossible(entry);

        return new Qcow2Cluster(host, 0, kept, zeros);
    }

    /// <summary>Reads an entry of an L1 table: only bit 63, copied, and bits 55 to 9, the offset of an L2 table, may be set.</summary>
    /// <returns>The table's offset in bytes; 0 for none.</returns>
    /// <exception cref="Content.UnsafeContentException">No entry may be like this one.</exception>
    public static long ReadTableOffset(ulong entry, Qcow2Header header)
    {
        var table = (long)(entry & OffsetBits);
        if ((entry & ~(OffsetBits | (table == 0 ? 0 : IsCopied))) != 0 || !header.IsClusterAligned(table))
            throw Impossible(entry);

        return table;
    }

    /// <summary>The bytes from a place inside the cluster up to where they become of another kind.</summary>
    public Qcow2Run RunFrom(int start, Qcow2Header header)
    {
        if (CompressedLength != 0)
            return new Qcow2Run(ExtentKind.Data, header.ClusterSize - start, Host, CompressedLength);
        if (!header.HasSubclusters)
            return RunOf(KindAt(0), start, header.ClusterSize);

        var length = header.ClusterSize / Qcow2Header.Subclusters;
        var first = start / length;
        var next = first + 1;
        while (next < Qcow2Header.Subclusters && KindAt(next) == KindAt(first))
            next++;

        return RunOf(KindAt(first), start, next * length);
    }

    /// <summary>How many bytes from its start the cluster needs of the content.</summary>
    public int KeptLength(Qcow2Header header) =>
        (Qcow2Header.Subclusters - System.Numerics.BitOperations.LeadingZeroCount(Kept)) * (header.ClusterSize / Qcow2Header.Subclusters);

    private Qcow2Run RunOf(ExtentKind kind, int start, int end) =>
        new(kind, end - start, kind == ExtentKind.Data ? Host + start : 0, CompressedLength: 0);

    private ExtentKind KindAt(int subcluster) =>
        (Kept >> subcluster & 1) != 0 ? ExtentKind.Data : (Zeros >> subcluster & 1) != 0 ? ExtentKind.Zero : ExtentKind.Absent;

    private static Qcow2Cluster ReadCompressed(ulong entry, ulong subclusters, Qcow2Header header)
    {
        if ((entry & IsCopied) != 0 || subclusters != 0)
            throw Impossible(entry);

        var offsetLength = 70 - header.ClusterBits;
        var offset = (long)(entry & ((1UL << offsetLength) - 1));
        var sectors = 1 + (int)((entry & (IsCompressed - 1)) >> offsetLength);
        return new Qcow2Cluster(offset, sectors * SectorSize - (int)(offset % SectorSize), Kept: All, Zeros: 0);
    }

    private static Content.UnsafeContentException Impossible(ulong entry) =>
        Qcow2Refusal.BadGeometry($"its tables have an entry that no table has (0x{entry:x16})");
}

/// <summary>Bytes of a disk that are of one kind and, where they are data, lie together in the content.</summary>
/// <param name="Length">In bytes of the disk.</param>
/// <param name="Host">Where they begin in the content; 0 where they are not data.</param>
/// <param name="CompressedLength">How much of the content unfolds to the cluster that they are in; 0 where they lie there as they are.</param>
internal readonly record struct Qcow2Run(ExtentKind Kind, long Length, long Host, int CompressedLength)
{
    /// <summary>Whether some L2 table was asked; otherwise there is none.</summary>
    public bool IsInTable { get; init; }

    public bool IsCompressed => CompressedLength != 0;

    public bool GoesOnWith(Qcow2Run next) =>
        next.Kind == Kind && !IsCompressed && !next.IsCompressed && (Kind != ExtentKind.Data || Host + Length == next.Host);
}
