using System.Buffers.Binary;
using System.Numerics;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Formats.Vdi;

/// <summary>VDI, version 1.1, as VirtualBox writes it.</summary>
/// <remarks>
/// After 64 bytes of text, every field little-endian:
/// <code>
///  0x40  magic  7f 10 da be       0x44  version 1.1          0x48  header length       0x4c  type
///  0x50  flags                    0x54  description (256)   0x154  block map offset   0x158  data offset
/// 0x15c  geometry (12)           0x168  sector size         0x16c  unused             0x170  disk size (8)
/// 0x178  block size              0x17c  extra bytes a block 0x180  blocks             0x184  blocks in use
/// 0x188  id (16)                 0x198  snapshot (16)       0x1a8  linked id (16)     0x1b8  parent id (16)
/// </code>
/// </remarks>
internal sealed class VdiHeaderReader : IFormatReader
{
    public const int MagicOffset = 0x40;

    private static ReadOnlySpan<byte> Magic => [0x7f, 0x10, 0xda, 0xbe];

    private const int HeaderEnd = 0x1c8;
    private const uint Version = 0x0001_0001;
    private const uint Growing = 1;
    private const uint Fixed = 2;
    private const uint Undo = 3;
    private const uint Differencing = 4;
    private const uint SectorSize = 512;
    private const uint MostBlockSize = 256 * 1024 * 1024;

    private readonly PieceFeed _pieces;
    private VdiHeader _header;

    public VdiHeaderReader(PieceFeed pieces)
    {
        _pieces = pieces;
        _pieces.Want(0, HeaderEnd, Read);
    }

    public FormatVerdict Complete(long length, ReadOnlySpan<byte> tail) => new(DiskFormat.Vdi, Finish(length).DiskLength);

    /// <summary>The header, once the image's length is known too.</summary>
    public VdiHeader Finish(long length) => _header.MapOffset + _header.Blocks * sizeof(uint) > length
        ? throw Refusal.Truncated("VDI")
        : _header;

    public static UnsafeContentException BadGeometry(string what) => new("vdi-bad-geometry", $"the VDI image cannot be right: {what}.");

    private void Read(ReadOnlySpan<byte> header)
    {
        if (!header[MagicOffset..].StartsWith(Magic))
            throw Refusal.Mistaken("VDI");

        var version = BinaryPrimitives.ReadUInt32LittleEndian(header[0x44..]);
        var type = BinaryPrimitives.ReadUInt32LittleEndian(header[0x4c..]);
        var mapOffset = BinaryPrimitives.ReadUInt32LittleEndian(header[0x154..]);
        var dataOffset = BinaryPrimitives.ReadUInt32LittleEndian(header[0x158..]);
        var sectorSize = BinaryPrimitives.ReadUInt32LittleEndian(header[0x168..]);
        var size = BinaryPrimitives.ReadUInt64LittleEndian(header[0x170..]);
        var blockSize = BinaryPrimitives.ReadUInt32LittleEndian(header[0x178..]);
        var extra = BinaryPrimitives.ReadUInt32LittleEndian(header[0x17c..]);
        var blocks = BinaryPrimitives.ReadUInt32LittleEndian(header[0x180..]);
        var used = BinaryPrimitives.ReadUInt32LittleEndian(header[0x184..]);

        if (type is Undo or Differencing || header[0x1a8..HeaderEnd].ContainsAnyExcept((byte)0))
            throw new UnsafeContentException("vdi-parent", "the VDI image is based on another one.");
        if (version != Version || type is not (Growing or Fixed) || extra != 0)
            throw new UnsafeContentException("vdi-incompatible-features", "the VDI image is of a version or type that is not known here.");
        if (size is 0 or > Refusal.MaxVirtualSize)
            throw BadGeometry($"its disk has {size} bytes");
        if (sectorSize != SectorSize || !BitOperations.IsPow2(blockSize) || blockSize is < SectorSize or > MostBlockSize)
            throw BadGeometry($"its sectors have {sectorSize} bytes and its blocks {blockSize}");
        if ((UInt128)blocks * blockSize < size || used > blocks)
            throw BadGeometry("its map does not hold the whole disk");
        if (mapOffset < HeaderEnd || dataOffset < mapOffset + 4UL * blocks)
            throw BadGeometry("its map is not where one can be");
        if (mapOffset % SectorSize != 0 || dataOffset % SectorSize != 0)
            throw BadGeometry("its parts do not begin with a sector");

        _pieces.Rows?.Enqueue(dataOffset);
        var whole = (size + SectorSize - 1) / SectorSize * SectorSize;
        _header = new VdiHeader((long)whole, blockSize, mapOffset, dataOffset, blocks);
    }
}
