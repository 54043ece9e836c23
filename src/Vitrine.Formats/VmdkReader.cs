using System.Buffers.Binary;
using System.Numerics;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Formats;

/// <summary>VMDK in one file: monolithicSparse and streamOptimized, as VMware's "Virtual Disk Format 5.0" draws them.</summary>
/// <remarks>
/// The first sector, every field little-endian, offsets and lengths in sectors of 512 bytes:
/// <code>
///   0  magic  KDMV                    4  version: 1 to 3           8  flags
///  12  capacity (8)                  20  grain size (8)           28  descriptor offset (8)
///  36  descriptor length (8)         44  entries of a grain table
///  48  second grain directory (8)    56  grain directory (8)      64  overhead (8)
///  72  unclean shutdown (1)          73  \n, space, \r, \n        77  compression: 0 none, 1 deflate (2)
/// </code>
/// The descriptor is text and follows in the next sectors. Where the grain directory is given as all ones it stands at the end, and
/// the last three sectors are a marker, a second copy of the header, which counts, and an end marker.
/// </remarks>
internal sealed class VmdkReader : IFormatReader
{
    private const int SectorSize = 512;
    private const int HeaderLength = 79;
    private const ulong AtEnd = ulong.MaxValue;
    private const uint FooterMarker = 3;

    private const uint ChecksNewlines = 1 << 0;
    private const uint HasSecondDirectory = 1 << 1;
    private const uint HasZeroGrains = 1 << 2;
    private const uint IsCompressed = 1 << 16;
    private const uint HasMarkers = 1 << 17;

    // Readers look for a parent in this many sectors after the header, whatever the header says of the descriptor.
    private const uint LeastDescriptorSectors = 20;
    private const uint MostDescriptorSectors = PieceFeed.MaxPiece / SectorSize;

    private readonly PieceFeed _pieces;
    private Header _header;

    public VmdkReader(PieceFeed pieces)
    {
        _pieces = pieces;
        _pieces.Want(0, HeaderLength, ReadHeader);
    }

    public FormatVerdict Complete(long length, ReadOnlySpan<byte> tail)
    {
        if (_header.GrainDirectory == AtEnd)
            CheckFooter(tail, length);
        else if (_header.GrainDirectory >= (ulong)length / SectorSize)
            throw Refusal.Truncated("VMDK");

        return new FormatVerdict(DiskFormat.Vmdk, (long)_header.Capacity * SectorSize);
    }

    private void ReadHeader(ReadOnlySpan<byte> bytes)
    {
        _header = Header.Read(bytes);
        _header.Check();
        if (_header.DescriptorOffset == 0)
            throw new UnsafeContentException("vmdk-foreign-extent", "the VMDK file is one part of a disk that has others.");
        if (_header.DescriptorOffset != 1 || _header.DescriptorLength is 0 or > MostDescriptorSectors)
            throw new UnsafeContentException("vmdk-bad-descriptor", "the VMDK image's descriptor is not where it belongs.");

        var sectors = (int)Math.Max((uint)_header.DescriptorLength, LeastDescriptorSectors);
        _pieces.Want(SectorSize, sectors * SectorSize, ReadDescriptor);
    }

    private void ReadDescriptor(ReadOnlySpan<byte> sectors) =>
        VmdkDescriptor.Check(sectors, (int)_header.DescriptorLength * SectorSize);

    private void CheckFooter(ReadOnlySpan<byte> tail, long length)
    {
        if (tail.Length < 3 * SectorSize)
            throw Refusal.Truncated("VMDK");

        var marker = tail[^(3 * SectorSize)..];
        var footer = tail[^(2 * SectorSize)..];
        var end = tail[^SectorSize..];
        var isWhole = BinaryPrimitives.ReadUInt64LittleEndian(marker) == 1
            && BinaryPrimitives.ReadUInt32LittleEndian(marker[8..]) == 0
            && BinaryPrimitives.ReadUInt32LittleEndian(marker[12..]) == FooterMarker
            && footer.StartsWith("KDMV"u8)
            && !end[..16].ContainsAnyExcept((byte)0);
        if (!isWhole)
            throw Refusal.Truncated("VMDK");

        // The footer may differ from the header in where the grain directory is, and in nothing that has been judged.
        var found = Header.Read(footer);
        if (found with { GrainDirectory = AtEnd, SecondDirectory = 0, Overhead = 0 } != _header with { SecondDirectory = 0, Overhead = 0 })
            throw new UnsafeContentException("vmdk-bad-geometry", "the VMDK image's header and footer contradict each other.");
        if (found.GrainDirectory >= (ulong)length / SectorSize)
            throw Refusal.Truncated("VMDK");
    }

    private readonly record struct Header(
        uint Version, uint Flags, ulong Capacity, ulong GrainSize, ulong DescriptorOffset, ulong DescriptorLength,
        uint TableEntries, ulong SecondDirectory, ulong GrainDirectory, ulong Overhead, uint Newlines, ushort Compression)
    {
        private const uint GoodNewlines = 0x0a0d_200a;
        private const uint KnownFlags = ChecksNewlines | HasSecondDirectory | HasZeroGrains | IsCompressed | HasMarkers;

        public static Header Read(ReadOnlySpan<byte> bytes) => new(
            Version: BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
            Flags: BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
            Capacity: BinaryPrimitives.ReadUInt64LittleEndian(bytes[12..]),
            GrainSize: BinaryPrimitives.ReadUInt64LittleEndian(bytes[20..]),
            DescriptorOffset: BinaryPrimitives.ReadUInt64LittleEndian(bytes[28..]),
            DescriptorLength: BinaryPrimitives.ReadUInt64LittleEndian(bytes[36..]),
            TableEntries: BinaryPrimitives.ReadUInt32LittleEndian(bytes[44..]),
            SecondDirectory: BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..]),
            GrainDirectory: BinaryPrimitives.ReadUInt64LittleEndian(bytes[56..]),
            Overhead: BinaryPrimitives.ReadUInt64LittleEndian(bytes[64..]),
            Newlines: BinaryPrimitives.ReadUInt32LittleEndian(bytes[73..]),
            Compression: BinaryPrimitives.ReadUInt16LittleEndian(bytes[77..]));

        public void Check()
        {
            if (Version is < 1 or > 3 || (Flags & ~KnownFlags) != 0)
                throw new UnsafeContentException("vmdk-incompatible-features", $"the VMDK image needs features that are not known here (version {Version}, flags 0x{Flags:x}).");
            if ((Flags & ChecksNewlines) != 0 && Newlines != GoodNewlines)
                throw new UnsafeContentException("vmdk-damaged", "the VMDK image was altered on its way by a transfer in text mode.");
            if (Compression > 1 || Compression != 0 != ((Flags & IsCompressed) != 0))
                throw new UnsafeContentException("vmdk-incompatible-features", $"the VMDK image names a compression that is not known here ({Compression}).");
            if (Capacity is 0 or > Refusal.MaxVirtualSize / SectorSize)
                throw BadGeometry($"its disk has {Capacity} sectors");
            if (!BitOperations.IsPow2(GrainSize) || GrainSize is < 8 or > 0x20_0000)
                throw BadGeometry($"its grains have {GrainSize} sectors");
            if (TableEntries is 0 or > 512)
                throw BadGeometry($"its grain tables have {TableEntries} entries");
            if (GrainDirectory == 0)
                throw BadGeometry("it has no grain directory");
        }

        private static UnsafeContentException BadGeometry(string what) => new("vmdk-bad-geometry", $"the VMDK image cannot be right: {what}.");
    }
}
