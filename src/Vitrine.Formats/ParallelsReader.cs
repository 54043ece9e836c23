using System.Buffers.Binary;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Formats;

/// <summary>The expandable image of Parallels and Virtuozzo, which Glance calls ploop, as the document "parallels" of the QEMU project draws it.</summary>
/// <remarks>
/// Every field is little-endian, the disk's size and the offsets are in sectors of 512 bytes:
/// <code>
///   0  magic (16)       16  version: 2      20  heads        24  cylinders       28  sectors of a cluster
///  32  map entries      36  sectors (8)     44  in use       48  data offset     52  flags      56  extension offset (8)
/// </code>
/// With the magic <c>WithoutFreeSpace</c> only the lower half of the number of sectors counts.
/// </remarks>
internal sealed class ParallelsReader : IFormatReader
{
    private const int HeaderLength = 64;
    private const uint Version = 2;
    private const long SectorSize = 512;

    private ulong _sectors;
    private uint _entries;

    public ParallelsReader(PieceFeed pieces) => pieces.Want(0, HeaderLength, Read);

    public FormatVerdict Complete(long length, ReadOnlySpan<byte> tail) => HeaderLength + 4L * _entries > length
        ? throw Refusal.Truncated("Parallels")
        : new FormatVerdict(DiskFormat.Ploop, (long)_sectors * SectorSize);

    private void Read(ReadOnlySpan<byte> header)
    {
        var hasShortSize = header.StartsWith("WithoutFreeSpace"u8);
        var version = BinaryPrimitives.ReadUInt32LittleEndian(header[16..]);
        var clusterSectors = BinaryPrimitives.ReadUInt32LittleEndian(header[28..]);
        _entries = BinaryPrimitives.ReadUInt32LittleEndian(header[32..]);
        var sectors = BinaryPrimitives.ReadUInt64LittleEndian(header[36..]);
        _sectors = hasShortSize ? (uint)sectors : sectors;
        var extension = BinaryPrimitives.ReadUInt64LittleEndian(header[56..]);

        if (version != Version || extension != 0)
            throw new UnsafeContentException("ploop-incompatible-features", "the Parallels image needs features that are not known here.");
        if (_sectors is 0 or > (ulong)(Refusal.MaxVirtualSize / SectorSize))
            throw BadGeometry($"its disk has {_sectors} sectors");
        if (clusterSectors == 0 || (UInt128)_entries * clusterSectors < _sectors)
            throw BadGeometry("its map does not hold the whole disk");
    }

    private static UnsafeContentException BadGeometry(string what) => new("ploop-bad-geometry", $"the Parallels image cannot be right: {what}.");
}
