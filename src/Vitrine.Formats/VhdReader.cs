using System.Buffers.Binary;
using System.Numerics;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Formats;

/// <summary>VHD that grows ("dynamic"): a copy of the footer, a header with a block table behind it, blocks, the footer.</summary>
/// <remarks>
/// The header, every field big-endian:
/// <code>
///   0  cookie  cxsparse     8  unused (8)           16  block table offset (8)
///  24  version 1.0         28  table entries        32  block size                  36  checksum
///  40  parent id (16)      56  parent time stamp    60  reserved                    64  parent name (512)
/// 576  eight parent locators of 24 bytes, each beginning with a platform code that is zero where there is none
/// </code>
/// The disk's length is the footer's current size, as Hyper-V takes it; the geometry, which old programs go by, is rounded.
/// </remarks>
internal sealed class VhdReader : IFormatReader
{
    private const int HeaderLength = 1024;
    private const int ChecksumOffset = 36;
    private const int LocatorsOffset = 576;
    private const int LocatorLength = 24;
    private const uint Version1 = 0x0001_0000;

    private readonly PieceFeed _pieces;
    private VhdFooter _copy;
    private ulong _tableOffset;
    private uint _tableEntries;

    public VhdReader(PieceFeed pieces)
    {
        _pieces = pieces;
        _pieces.Want(0, VhdFooter.Length, ReadCopy);
    }

    /// <summary>Reads a fixed VHD: the guest's disk, byte for byte, and then the footer.</summary>
    public static FormatVerdict ReadFixed(ReadOnlySpan<byte> tail, long length)
    {
        var footer = VhdFooter.Read(tail[^VhdFooter.Length..]);
        if (footer.Type is not VhdType.Fixed)
            throw Refusal.Truncated("VHD");
        if (footer.Size != (ulong)(length - VhdFooter.Length))
            throw VhdFooter.BadGeometry("its length is not that of its disk");

        return new FormatVerdict(DiskFormat.Vhd, (long)footer.Size);
    }

    public FormatVerdict Complete(long length, ReadOnlySpan<byte> tail)
    {
        if (tail.Length < VhdFooter.Length || !VhdFooter.IsIn(tail[^VhdFooter.Length..]) || _tableOffset + 4UL * _tableEntries > (ulong)length)
            throw Refusal.Truncated("VHD");

        // Some readers go by the footer and some by its copy.
        if (VhdFooter.Read(tail[^VhdFooter.Length..]) != _copy)
            throw VhdFooter.BadGeometry("its footer and the footer's copy contradict each other");

        return new FormatVerdict(DiskFormat.Vhd, (long)_copy.Size);
    }

    private void ReadCopy(ReadOnlySpan<byte> sector)
    {
        _copy = VhdFooter.Read(sector);
        if (_copy.Type is not VhdType.Dynamic)
            throw VhdFooter.BadGeometry("it begins like a disk that grows and says that it is fixed");
        if (_copy.HeaderOffset is < VhdFooter.Length or > Refusal.MaxVirtualSize)
            throw VhdFooter.BadGeometry("its header is not where one can be");

        _pieces.Want((long)_copy.HeaderOffset, HeaderLength, ReadHeader);
    }

    private void ReadHeader(ReadOnlySpan<byte> header)
    {
        if (!header.StartsWith("cxsparse"u8))
            throw VhdFooter.BadGeometry("it has no header");

        _tableOffset = BinaryPrimitives.ReadUInt64BigEndian(header[16..]);
        var version = BinaryPrimitives.ReadUInt32BigEndian(header[24..]);
        _tableEntries = BinaryPrimitives.ReadUInt32BigEndian(header[28..]);
        var blockSize = BinaryPrimitives.ReadUInt32BigEndian(header[32..]);
        var checksum = BinaryPrimitives.ReadUInt32BigEndian(header[ChecksumOffset..]);

        CheckLocators(header[LocatorsOffset..]);
        if (version != Version1)
            throw new UnsafeContentException("vhd-incompatible-features", "the VHD image's header is of a version that is not known here.");
        if (!BitOperations.IsPow2(blockSize) || blockSize is < 512 or > 256 * 1024 * 1024)
            throw VhdFooter.BadGeometry($"its blocks have {blockSize} bytes");
        if ((ulong)_tableEntries * blockSize < _copy.Size || _tableOffset > Refusal.MaxVirtualSize)
            throw VhdFooter.BadGeometry("its table does not map the whole disk");
        if (checksum != VhdFooter.ChecksumOf(header, ChecksumOffset))
            throw VhdFooter.BadGeometry("its header's checksum is wrong");
    }

    private static void CheckLocators(ReadOnlySpan<byte> locators)
    {
        for (var i = 0; i < 8; i++)
        {
            if (BinaryPrimitives.ReadUInt32BigEndian(locators[(i * LocatorLength)..]) != 0)
                throw new UnsafeContentException("vhd-parent", "the VHD image says where another one is that it is based on.");
        }
    }
}
