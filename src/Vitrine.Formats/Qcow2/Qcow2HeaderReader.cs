using System.Buffers.Binary;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using static Vitrine.Formats.Qcow2.Qcow2HeaderBytes;

namespace Vitrine.Formats.Qcow2;

/// <summary>qcow2, versions 2 and 3; <see cref="Qcow2HeaderBytes"/> draws the header.</summary>
internal sealed class Qcow2HeaderReader : IFormatReader
{
    private const int ExtensionHeaderLength = 8;
    private const int LeastClusterBitsOfSubclusters = 14;

    private const ulong Dirty = 1 << 0;
    private const ulong Corrupt = 1 << 1;
    private const ulong ExternalDataFile = 1 << 2;
    private const ulong CompressionType = 1 << 3;
    private const ulong ExtendedL2 = 1 << 4;

    private const uint EndOfExtensions = 0;
    private const uint BackingFormat = 0xe279_2aca;
    private const uint FeatureNames = 0x6803_f857;
    private const uint Bitmaps = 0x2385_2875;
    private const uint EncryptionHeader = 0x0537_be77;
    private const uint DataFileName = 0x4441_5441;

    // There are three kinds that may occur, and each has no more than one use.
    private const int MaxExtensions = 16;

    // The bounds that QEMU holds images to.
    private const long MaxRefcountTableLength = 8 * 1024 * 1024;
    private const uint MaxSnapshots = 65536;

    private readonly PieceFeed _pieces;
    private Qcow2Header? _header;
    private uint _headerLength = Version2Length;
    private ulong _incompatible;
    private int _extensions;

    public Qcow2HeaderReader(PieceFeed pieces)
    {
        _pieces = pieces;
        _pieces.Want(0, Version2Length, ReadCommon);
    }

    /// <summary>Reads the header of content at rest.</summary>
    /// <exception cref="UnsafeContentException">It cannot be right, or is of an image that is not safe.</exception>
    public static async Task<Qcow2Header> ReadAsync(ContentReader content, CancellationToken cancellationToken)
    {
        var pieces = new PieceFeed();
        var reader = new Qcow2HeaderReader(pieces);
        await pieces.FetchAsync(content, "qcow2", cancellationToken);
        reader.Header.CheckTablesEndBefore(content.Length);
        return reader.Header;
    }

    public FormatVerdict Complete(long length, ReadOnlySpan<byte> tail)
    {
        Header.CheckTablesEndBefore(length);
        return new FormatVerdict(DiskFormat.Qcow2, Header.Size);
    }

    private Qcow2Header Header => _header!;

    private void ReadCommon(ReadOnlySpan<byte> header)
    {
        if (BinaryPrimitives.ReadUInt32BigEndian(header) != Magic)
            throw BadGeometry("it does not begin as one");

        var version = BinaryPrimitives.ReadUInt32BigEndian(header[Qcow2HeaderBytes.Version..]);
        var backingOffset = BinaryPrimitives.ReadUInt64BigEndian(header[BackingOffset..]);
        var backingLength = BinaryPrimitives.ReadUInt32BigEndian(header[BackingLength..]);
        var clusterBits = BinaryPrimitives.ReadUInt32BigEndian(header[ClusterBits..]);
        var size = BinaryPrimitives.ReadUInt64BigEndian(header[Size..]);
        var encryption = BinaryPrimitives.ReadUInt32BigEndian(header[Encryption..]);
        var l1Entries = BinaryPrimitives.ReadUInt32BigEndian(header[L1Entries..]);
        var l1Offset = BinaryPrimitives.ReadInt64BigEndian(header[L1Offset..]);
        var refcountOffset = BinaryPrimitives.ReadInt64BigEndian(header[RefcountOffset..]);
        var refcountClusters = BinaryPrimitives.ReadUInt32BigEndian(header[RefcountClusters..]);
        var snapshots = BinaryPrimitives.ReadUInt32BigEndian(header[Snapshots..]);
        var snapshotsOffset = BinaryPrimitives.ReadInt64BigEndian(header[SnapshotsOffset..]);

        if (version is not (2 or 3))
            throw Refusal.Unsupported($"qcow version {version}");
        if (backingOffset != 0 || backingLength != 0)
            throw new UnsafeContentException("qcow2-backing-file", "the qcow2 image is based on another file.");
        if (encryption != 0)
            throw new UnsafeContentException("qcow2-encrypted", "the qcow2 image is encrypted, and nobody here has its key.");
        if (clusterBits is < 9 or > 21)
            throw BadGeometry($"its clusters have 2^{clusterBits} bytes");
        if (size > Refusal.MaxVirtualSize)
            throw BadGeometry($"its disk has {size} bytes");

        _header = new Qcow2Header(
            version, (int)clusterBits, (long)size, new Qcow2L1(l1Offset, l1Entries),
            refcountOffset, refcountClusters, snapshots, snapshotsOffset);
        CheckTables();
        if (version == 3)
            _pieces.Want(Version2Length, Version3Length - Version2Length, ReadVersion3);
        else
            ReadExtensions();
    }

    private void CheckTables()
    {
        if (Header.L1.Length > Qcow2Header.MaxL1Length
            || (ulong)Header.RefcountClusters << Header.ClusterBits > MaxRefcountTableLength
            || Header.Snapshots > MaxSnapshots)
        {
            throw BadGeometry("its tables are longer than any image needs");
        }

        if (Header.RefcountOffset == 0 || Header.RefcountClusters == 0)
            throw BadGeometry("it has no refcount table");
        if (!Header.IsClusterAligned(Header.L1.Offset) || !Header.IsClusterAligned(Header.RefcountOffset) || !Header.IsClusterAligned(Header.SnapshotsOffset))
            throw BadGeometry("its tables do not begin at clusters");
        if (Header is { L1: { Entries: > 0, Offset: 0 } } or { Snapshots: > 0, SnapshotsOffset: 0 })
            throw BadGeometry("its tables lie in its header");
    }

    private void ReadVersion3(ReadOnlySpan<byte> header)
    {
        _incompatible = BinaryPrimitives.ReadUInt64BigEndian(header);
        var refcountOrder = BinaryPrimitives.ReadUInt32BigEndian(header[(RefcountOrder - Version2Length)..]);
        _headerLength = BinaryPrimitives.ReadUInt32BigEndian(header[(HeaderLength - Version2Length)..]);

        CheckFeatures();
        if (refcountOrder > 6)
            throw BadGeometry($"its refcounts have 2^{refcountOrder} bits");
        if (_headerLength < Version3Length || _headerLength % 8 != 0 || _headerLength > (uint)Header.ClusterSize)
            throw BadGeometry($"its header has {_headerLength} bytes");

        _header = Header with
        {
            RefcountOrder = (int)refcountOrder,
            IsDirty = (_incompatible & Dirty) != 0,
            HasSubclusters = (_incompatible & ExtendedL2) != 0,
        };

        if (_headerLength > Version3Length)
            _pieces.Want(Version3Length, sizeof(ulong), ReadCompressionType);
        else if ((_incompatible & CompressionType) != 0)
            throw BadGeometry("it does not say how it is compressed");
        else
            ReadExtensions();
    }

    private void CheckFeatures()
    {
        if ((_incompatible & ExternalDataFile) != 0)
            throw DataFile();
        if ((_incompatible & Corrupt) != 0)
            throw new UnsafeContentException("qcow2-corrupt", "the qcow2 image is marked as corrupt.");
        if ((_incompatible & ~(Dirty | CompressionType | ExtendedL2)) is not 0 and var unknown)
            throw new UnsafeContentException("qcow2-incompatible-features", $"the qcow2 image needs features that are not known here (0x{unknown:x}).");
        if ((_incompatible & ExtendedL2) != 0 && Header.ClusterBits < LeastClusterBitsOfSubclusters)
            throw BadGeometry("its clusters are too short for the parts that it cuts them into");
    }

    private void ReadCompressionType(ReadOnlySpan<byte> field)
    {
        // Zlib needs no feature bit; every other type does.
        var type = (Qcow2Compression)field[0];
        if (!Enum.IsDefined(type) || type != Qcow2Compression.Zlib != ((_incompatible & CompressionType) != 0))
            throw new UnsafeContentException("qcow2-incompatible-features", $"the qcow2 image names a compression that is not known here ({type:d}).");

        _header = Header with { Compression = type };
        ReadExtensions();
    }

    private void ReadExtensions()
    {
        if (!Header.IsMapped(Header.Size, Header.L1))
            throw BadGeometry("its L1 table does not map the whole disk");

        ReadExtensionAt(_headerLength);
    }

    private void ReadExtensionAt(ulong offset)
    {
        // The list may also end because the cluster does.
        var end = (ulong)Header.ClusterSize;
        if (offset == end)
            return;
        if (offset > end - ExtensionHeaderLength)
            throw BadGeometry("its header extensions go beyond the first cluster");
        if (++_extensions > MaxExtensions)
            throw BadGeometry("it has more header extensions than there are uses for them");

        _pieces.Want((long)offset, ExtensionHeaderLength, extension => ReadExtension(offset, extension));
    }

    private void ReadExtension(ulong offset, ReadOnlySpan<byte> extension)
    {
        var type = BinaryPrimitives.ReadUInt32BigEndian(extension);
        var length = BinaryPrimitives.ReadUInt32BigEndian(extension[4..]);
        switch (type)
        {
            case EndOfExtensions:
                return;
            case DataFileName:
                throw DataFile();
            case EncryptionHeader:
                throw new UnsafeContentException("qcow2-encrypted", "the qcow2 image has an encryption header.");
            case BackingFormat or FeatureNames or Bitmaps:
                ReadExtensionAt(offset + ExtensionHeaderLength + (length + 7UL) / 8 * 8);
                return;
            default:
                throw new UnsafeContentException("qcow2-unknown-extension", $"the qcow2 image has a header extension that is not known here (0x{type:x8}).");
        }
    }

    private static UnsafeContentException DataFile() =>
        new("qcow2-data-file", "the qcow2 image keeps its data in another file.");

    private static UnsafeContentException BadGeometry(string what) => Qcow2Refusal.BadGeometry(what);
}
