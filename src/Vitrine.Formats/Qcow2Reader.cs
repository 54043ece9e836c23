using System.Buffers.Binary;
using System.Numerics;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Formats;

/// <summary>qcow2, versions 2 and 3, as the document "qcow2" of the QEMU project draws it.</summary>
/// <remarks>
/// Every field is big-endian. Both versions:
/// <code>
///   0  magic  QFI\xfb            4  version: 2 or 3
///   8  backing file offset (8)  16  backing file name's length
///  20  cluster bits             24  size of the guest's disk (8)
///  32  encryption method        36  entries of the L1 table
///  40  L1 table offset (8)      48  refcount table offset (8)
///  56  refcount table clusters  60  number of snapshots
///  64  snapshots offset (8)
/// </code>
/// Version 3 goes on, and may go on further up to its header length:
/// <code>
///  72  incompatible features (8)   80  compatible features (8)   88  autoclear features (8)
///  96  refcount order             100  header length            104  compression type (1), padding (7)
/// </code>
/// Then header extensions, up to the end of the first cluster: type (4), length (4), data padded to 8; type 0 is the last.
/// </remarks>
internal sealed class Qcow2Reader : IFormatReader
{
    private const int Version2Length = 72;
    private const int Version3Length = 104;
    private const int ExtensionHeaderLength = 8;

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

    // The bounds that QEMU holds images to.
    private const long MaxL1Length = 32 * 1024 * 1024;
    private const long MaxRefcountTableLength = 8 * 1024 * 1024;
    private const uint MaxSnapshots = 65536;

    private readonly PieceFeed _pieces;
    private uint _version;
    private int _clusterBits;
    private ulong _size;
    private uint _l1Entries;
    private ulong _l1Offset;
    private ulong _refcountOffset;
    private uint _refcountClusters;
    private uint _snapshots;
    private ulong _snapshotsOffset;
    private ulong _incompatible;
    private uint _headerLength = Version2Length;

    public Qcow2Reader(PieceFeed pieces)
    {
        _pieces = pieces;
        _pieces.Want(0, Version2Length, ReadCommon);
    }

    public FormatVerdict Complete(long length, ReadOnlySpan<byte> tail)
    {
        if (!Fits(_l1Offset, _l1Entries * 8UL, length)
            || !Fits(_refcountOffset, (ulong)_refcountClusters << _clusterBits, length)
            || !Fits(_snapshotsOffset, _snapshots, length))
        {
            throw Refusal.Truncated("qcow2");
        }

        return new FormatVerdict(DiskFormat.Qcow2, (long)_size);
    }

    private ulong ClusterSize => 1UL << _clusterBits;

    private void ReadCommon(ReadOnlySpan<byte> header)
    {
        _version = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        var backingOffset = BinaryPrimitives.ReadUInt64BigEndian(header[8..]);
        var backingLength = BinaryPrimitives.ReadUInt32BigEndian(header[16..]);
        var clusterBits = BinaryPrimitives.ReadUInt32BigEndian(header[20..]);
        _size = BinaryPrimitives.ReadUInt64BigEndian(header[24..]);
        var encryption = BinaryPrimitives.ReadUInt32BigEndian(header[32..]);
        _l1Entries = BinaryPrimitives.ReadUInt32BigEndian(header[36..]);
        _l1Offset = BinaryPrimitives.ReadUInt64BigEndian(header[40..]);
        _refcountOffset = BinaryPrimitives.ReadUInt64BigEndian(header[48..]);
        _refcountClusters = BinaryPrimitives.ReadUInt32BigEndian(header[56..]);
        _snapshots = BinaryPrimitives.ReadUInt32BigEndian(header[60..]);
        _snapshotsOffset = BinaryPrimitives.ReadUInt64BigEndian(header[64..]);

        if (_version is not (2 or 3))
            throw Refusal.Unsupported($"qcow version {_version}");
        if (backingOffset != 0 || backingLength != 0)
            throw new UnsafeContentException("qcow2-backing-file", "the qcow2 image is based on another file.");
        if (encryption != 0)
            throw new UnsafeContentException("qcow2-encrypted", "the qcow2 image is encrypted, and nobody here has its key.");
        if (clusterBits is < 9 or > 21)
            throw BadGeometry($"its clusters have 2^{clusterBits} bytes");

        _clusterBits = (int)clusterBits;
        CheckTables();
        if (_version == 3)
            _pieces.Want(Version2Length, Version3Length - Version2Length, ReadVersion3);
        else
            ReadExtensionAt(Version2Length);
    }

    private void CheckTables()
    {
        if (_size > Refusal.MaxVirtualSize)
            throw BadGeometry($"its disk has {_size} bytes");
        if (_l1Entries * 8L > MaxL1Length || (ulong)_refcountClusters << _clusterBits > MaxRefcountTableLength || _snapshots > MaxSnapshots)
            throw BadGeometry("its tables are longer than any image needs");
        if (_refcountOffset == 0 || _refcountClusters == 0)
            throw BadGeometry("it has no refcount table");
        if (!IsAligned(_l1Offset) || !IsAligned(_refcountOffset) || !IsAligned(_snapshotsOffset))
            throw BadGeometry("its tables do not begin at clusters");
    }

    private void ReadVersion3(ReadOnlySpan<byte> header)
    {
        _incompatible = BinaryPrimitives.ReadUInt64BigEndian(header);
        var refcountOrder = BinaryPrimitives.ReadUInt32BigEndian(header[24..]);
        _headerLength = BinaryPrimitives.ReadUInt32BigEndian(header[28..]);

        CheckFeatures();
        if (refcountOrder > 6)
            throw BadGeometry($"its refcounts have 2^{refcountOrder} bits");
        if (_headerLength < Version3Length || _headerLength % 8 != 0 || _headerLength > ClusterSize)
            throw BadGeometry($"its header has {_headerLength} bytes");
        CheckL1();

        if (_headerLength > Version3Length)
            _pieces.Want(Version3Length, sizeof(ulong), ReadCompressionType);
        else if ((_incompatible & CompressionType) != 0)
            throw BadGeometry("it does not say how it is compressed");
        else
            ReadExtensionAt(_headerLength);
    }

    private void CheckFeatures()
    {
        if ((_incompatible & ExternalDataFile) != 0)
            throw DataFile();
        if ((_incompatible & Corrupt) != 0)
            throw new UnsafeContentException("qcow2-corrupt", "the qcow2 image is marked as corrupt.");
        if ((_incompatible & ~(Dirty | CompressionType | ExtendedL2)) is not 0 and var unknown)
            throw new UnsafeContentException("qcow2-incompatible-features", $"the qcow2 image needs features that are not known here (0x{unknown:x}).");
    }

    private void CheckL1()
    {
        // With extended L2 tables an entry has 16 bytes instead of 8, so that a table maps half as much.
        var entryBits = (_incompatible & ExtendedL2) != 0 ? 4 : 3;
        if (entryBits == 4 && _clusterBits < 14)
            throw BadGeometry("its clusters are too short for the parts that it cuts them into");

        var bitsPerL1Entry = _clusterBits + _clusterBits - entryBits;
        if ((UInt128)_l1Entries << bitsPerL1Entry < _size)
            throw BadGeometry("its L1 table does not map the whole disk");
    }

    private void ReadCompressionType(ReadOnlySpan<byte> field)
    {
        // 0 is zlib, which needs no feature bit; 1 is zstd, which does.
        var type = field[0];
        if (type > 1 || type != 0 != ((_incompatible & CompressionType) != 0))
            throw new UnsafeContentException("qcow2-incompatible-features", $"the qcow2 image names a compression that is not known here ({type}).");

        ReadExtensionAt(_headerLength);
    }

    private void ReadExtensionAt(ulong offset)
    {
        if (_version == 2 && offset == Version2Length)
            CheckL1();

        // The list may also end because the cluster does.
        if (offset == ClusterSize)
            return;
        if (offset > ClusterSize - ExtensionHeaderLength)
            throw BadGeometry("its header extensions go beyond the first cluster");

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

    private bool IsAligned(ulong offset) => BitOperations.TrailingZeroCount(offset) >= _clusterBits;

    private static bool Fits(ulong offset, ulong count, long length) => (UInt128)offset + count <= (ulong)length;

    private static UnsafeContentException DataFile() =>
        new("qcow2-data-file", "the qcow2 image keeps its data in another file.");

    private static UnsafeContentException BadGeometry(string what) => new("qcow2-bad-geometry", $"the qcow2 image cannot be right: {what}.");
}
