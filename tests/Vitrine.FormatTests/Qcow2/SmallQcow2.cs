using System.Buffers.Binary;
using System.IO.Compression;

namespace Vitrine.FormatTests.Qcow2;

/// <summary>A small image that has everything: each kind of cluster, and a snapshot that shares all of them.</summary>
/// <remarks>
/// Written word by word, so that tests can alter any. Its clusters, by their number:
/// <code>
///  0 header   1 refcount table   2 refcount block   3 L1 table   4 snapshot table   5 snapshot's L1 table
///  6 L2 table   7 data   8 kept though zeros   9 two compressed clusters   10 data
/// </code>
/// The disk's clusters: data, zeros, zeros whose cluster is kept, compressed, compressed, absent, data.
/// </remarks>
internal sealed class SmallQcow2
{
    public const int RefcountTable = 1;
    public const int RefcountBlock = 2;
    public const int L1 = 3;
    public const int SnapshotTable = 4;
    public const int SnapshotL1 = 5;
    public const int L2 = 6;
    public const int FirstData = 7;
    public const int KeptZeros = 8;
    public const int Compressed = 9;
    public const int LastData = 10;
    public const int Clusters = 11;

    public const int GuestClusters = 7;
    public const ulong Copied = 1UL << 63;
    public const ulong IsCompressed = 1UL << 62;

    private readonly int _secondCompressed;

    /// <param name="hasSubclusters">Needs clusters of 2^14 bytes or more.</param>
    public SmallQcow2(int version = 3, int clusterBits = 12, bool isZstd = false, bool hasSubclusters = false, bool hasSnapshot = true)
    {
        (Version, ClusterBits, HasSubclusters) = (version, clusterBits, hasSubclusters);
        Bytes = new byte[Clusters << clusterBits];
        Guest = new byte[GuestClusters << clusterBits];

        var random = new Random(clusterBits);
        random.NextBytes(Cluster(FirstData));
        random.NextBytes(Cluster(KeptZeros));
        random.NextBytes(Cluster(LastData));
        var one = isZstd ? Zstd(0x11) : Deflate(0x11);
        var two = isZstd ? Zstd(0x22) : Deflate(0x22);
        one.CopyTo(Cluster(Compressed));
        two.CopyTo(Cluster(Compressed)[one.Length..]);
        _secondCompressed = one.Length;

        WriteHeader(isZstd, hasSnapshot);
        WriteTables();
        WriteRefcounts(hasSnapshot);
        if (hasSnapshot)
            WriteSnapshot();
        FillGuest();
    }

    public int Version { get; }
    public int ClusterBits { get; }
    public bool HasSubclusters { get; }
    public byte[] Bytes { get; }

    /// <summary>What the guest sees.</summary>
    public byte[] Guest { get; }

    public int ClusterSize => 1 << ClusterBits;

    public int EntryLength => HasSubclusters ? 16 : 8;

    public Span<byte> Cluster(int number) => Bytes.AsSpan(number << ClusterBits, ClusterSize);

    public ulong OffsetOf(int cluster) => (ulong)cluster << ClusterBits;

    /// <summary>The entry of a compressed cluster.</summary>
    public ulong CompressedEntry(ulong offset, int furtherSectors) => IsCompressed | offset | (ulong)furtherSectors << 70 - ClusterBits;

    public SmallQcow2 Word(int cluster, int offset, ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Cluster(cluster)[offset..], value);
        return this;
    }

    public SmallQcow2 Word32(int cluster, int offset, uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Cluster(cluster)[offset..], value);
        return this;
    }

    public SmallQcow2 Word16(int cluster, int offset, ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(Cluster(cluster)[offset..], value);
        return this;
    }

    public SmallQcow2 L2Entry(int guestCluster, ulong value) => Word(L2, guestCluster * EntryLength, value);

    public SmallQcow2 SubclusterBits(int guestCluster, ulong value) => Word(L2, guestCluster * EntryLength + 8, value);

    public SmallQcow2 Refcount(int cluster, ushort value) => Word16(RefcountBlock, cluster * 2, value);

    private void WriteHeader(bool isZstd, bool hasSnapshot)
    {
        "QFI\u00fb"u8[..3].CopyTo(Bytes);
        Bytes[3] = 0xfb;
        Word32(0, 4, (uint)Version).Word32(0, 20, (uint)ClusterBits).Word(0, 24, (ulong)Guest.Length);
        Word32(0, 36, 1).Word(0, 40, OffsetOf(L1)).Word(0, 48, OffsetOf(RefcountTable)).Word32(0, 56, 1);
        if (hasSnapshot)
            Word32(0, 60, 1).Word(0, 64, OffsetOf(SnapshotTable));
        if (Version < 3)
            return;

        Word(0, 72, (isZstd ? 1UL << 3 : 0) | (HasSubclusters ? 1UL << 4 : 0)).Word32(0, 96, 4).Word32(0, 100, 112);
        Bytes[104] = (byte)(isZstd ? 1 : 0);
    }

    private void WriteTables()
    {
        var all = (ulong)uint.MaxValue;
        Word(L1, 0, OffsetOf(L2));
        L2Entry(0, OffsetOf(FirstData)).L2Entry(6, OffsetOf(LastData));
        L2Entry(3, CompressedEntry(OffsetOf(Compressed), 0));
        L2Entry(4, CompressedEntry(OffsetOf(Compressed) + (ulong)_secondCompressed, 0));
        if (HasSubclusters)
        {
            // Every second part of the first cluster is kept, the others are zeros and absent in turn.
            SubclusterBits(0, 0x5555_5555 | 0x2222_2222UL << 32).SubclusterBits(1, all << 32).SubclusterBits(6, all);
            L2Entry(2, OffsetOf(KeptZeros)).SubclusterBits(2, all << 32);
        }
        else if (Version > 2)
        {
            L2Entry(1, 1).L2Entry(2, OffsetOf(KeptZeros) | 1);
        }
    }

    private void WriteRefcounts(bool hasSnapshot)
    {
        var users = (ushort)(hasSnapshot ? 2 : 1);
        Word(RefcountTable, 0, OffsetOf(RefcountBlock));
        for (var cluster = 0; cluster < Clusters; cluster++)
            Refcount(cluster, cluster < L2 ? (ushort)1 : users);

        Refcount(Compressed, (ushort)(2 * users));
        if (Version == 2)
            Refcount(KeptZeros, 0);
        if (hasSnapshot)
            return;

        Refcount(SnapshotTable, 0).Refcount(SnapshotL1, 0);
        Word(L1, 0, OffsetOf(L2) | Copied).L2Entry(0, OffsetOf(FirstData) | Copied).L2Entry(6, OffsetOf(LastData) | Copied);
        if (Version > 2)
            L2Entry(2, OffsetOf(KeptZeros) | Copied | (HasSubclusters ? 0UL : 1));
    }

    private void WriteSnapshot()
    {
        Word(SnapshotTable, 0, OffsetOf(SnapshotL1)).Word32(SnapshotTable, 8, 1).Word16(SnapshotTable, 12, 1).Word16(SnapshotTable, 14, 3);
        Word32(SnapshotTable, 16, 1_700_000_000).Word32(SnapshotTable, 20, 500_000_000).Word(SnapshotTable, 24, 3_000_000_000);
        Word32(SnapshotTable, 36, 24).Word(SnapshotTable, 48, (ulong)Guest.Length);
        "1old"u8.CopyTo(Cluster(SnapshotTable)[64..]);
        Word(SnapshotL1, 0, OffsetOf(L2));
    }

    private void FillGuest()
    {
        Cluster(FirstData).CopyTo(Guest);
        if (HasSubclusters)
        {
            for (var part = 1; part < 32; part += 2)
                Guest.AsSpan(part * ClusterSize / 32, ClusterSize / 32).Clear();
        }

        Guest.AsSpan(3 * ClusterSize, ClusterSize).Fill(0x11);
        Guest.AsSpan(4 * ClusterSize, ClusterSize).Fill(0x22);
        Cluster(LastData).CopyTo(Guest.AsSpan(6 * ClusterSize));
    }

    private byte[] Deflate(byte value)
    {
        var plain = new byte[ClusterSize];
        plain.AsSpan().Fill(value);
        return Deflate(plain);
    }

    public static byte[] Deflate(byte[] plain)
    {
        var result = new MemoryStream();
        using (var deflate = new DeflateStream(result, CompressionLevel.Optimal))
            deflate.Write(plain);

        return result.ToArray();
    }

    /// <summary>One frame that gives its length, of one block that repeats one byte.</summary>
    private byte[] Zstd(byte value)
    {
        var frame = new byte[13];
        BinaryPrimitives.WriteUInt32LittleEndian(frame, 0xfd2f_b528);
        frame[4] = 0b1010_0000;
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(5), ClusterSize);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(9), 0b011 | ClusterSize << 3);
        frame[12] = value;
        return frame;
    }
}
