using System.Buffers.Binary;
using System.Numerics;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Formats.Vhd;

/// <summary>VHD that grows ("dynamic"): a copy of the footer, a header with a block table behind it, blocks, the footer.</summary>
/// <remarks>
/// The header, every field big-endian:
/// <code>
///   0  cookie  cxsparse     8  unused (8)           16  block table offset (8)
///  24  version 1.0         28  table entries        32  block size                  36  checksum
///  40  parent id (16)      56  parent time stamp    60  reserved                    64  parent name (512)
/// 576  eight parent locators of 24 bytes, each beginning with a platform code that is zero where there is none
/// </code>
/// </remarks>
internal sealed class VhdHeaderReader : IFormatReader
{
    public const int HeaderLength = 1024;
    public const int ChecksumOffset = 36;
    private const int LocatorsOffset = 576;
    private const int LocatorLength = 24;

    // A disk of 2 TiB has so many blocks of the usual length.
    private const uint MostRows = 1 << 20;

    /// <summary>Of the header.</summary>
    public static ReadOnlySpan<byte> Cookie => "cxsparse"u8;

    private readonly PieceFeed _pieces;
    private VhdFooter _copy;
    private VhdLayout _layout;

    public VhdHeaderReader(PieceFeed pieces)
    {
        _pieces = pieces;
        _pieces.Want(0, VhdFooter.Length, ReadCopy);
    }

    /// <summary>Reads a fixed VHD: the guest's disk, byte for byte, and then the footer.</summary>
    public static FormatVerdict ReadFixed(ReadOnlySpan<byte> tail, long length) =>
        new(DiskFormat.Vhd, ReadFixedFooter(tail, length).DiskLength);

    /// <inheritdoc cref="ReadFixed"/>
    public static VhdFooter ReadFixedFooter(ReadOnlySpan<byte> tail, long length)
    {
        var footer = ReadFooter(tail);
        if (footer.Type is not VhdType.Fixed)
            throw Refusal.Truncated("VHD");
        if (footer.Size != (ulong)(length - VhdFooter.Length))
            throw VhdFooter.BadGeometry("its length is not that of its disk");

        return footer;
    }

    public FormatVerdict Complete(long length, ReadOnlySpan<byte> tail) => new(DiskFormat.Vhd, Finish(length, tail).Footer.DiskLength);

    /// <summary>The layout, once the image's end has been seen too.</summary>
    /// <param name="length">Of the whole image.</param>
    /// <param name="tail">Its last bytes: at least a sector, or all if there are fewer.</param>
    public VhdLayout Finish(long length, ReadOnlySpan<byte> tail)
    {
        var footer = ReadFooter(tail);
        if (_layout.TableOffset + _layout.TableEntries * sizeof(uint) > length)
            throw Refusal.Truncated("VHD");

        // Some readers go by the footer and some by its copy.
        return footer == _copy ? _layout : throw VhdFooter.BadGeometry("its footer and the footer's copy contradict each other");
    }

    private static VhdFooter ReadFooter(ReadOnlySpan<byte> tail) =>
        tail.Length >= VhdFooter.Length && VhdFooter.IsIn(tail[^VhdFooter.Length..])
            ? VhdFooter.Read(tail[^VhdFooter.Length..])
            : throw Refusal.Truncated("VHD");

    private void ReadCopy(ReadOnlySpan<byte> sector)
    {
        _copy = VhdFooter.Read(sector);
        if (_copy.Type is not VhdType.Dynamic)
            throw VhdFooter.BadGeometry("it begins like a disk that grows and says that it is fixed");
        if (_copy.HeaderOffset is < VhdFooter.Length or > Refusal.MaxVirtualSize || _copy.HeaderOffset % VhdLayout.SectorSize != 0)
            throw VhdFooter.BadGeometry("its header is not where one can be");

        _pieces.Want((long)_copy.HeaderOffset, HeaderLength, ReadHeader);
    }

    private void ReadHeader(ReadOnlySpan<byte> header)
    {
        if (!header.StartsWith(Cookie))
            throw VhdFooter.BadGeometry("it has no header");

        var tableOffset = BinaryPrimitives.ReadUInt64BigEndian(header[16..]);
        var version = BinaryPrimitives.ReadUInt32BigEndian(header[24..]);
        var tableEntries = BinaryPrimitives.ReadUInt32BigEndian(header[28..]);
        var blockSize = BinaryPrimitives.ReadUInt32BigEndian(header[32..]);
        var checksum = BinaryPrimitives.ReadUInt32BigEndian(header[ChecksumOffset..]);

        CheckLocators(header[LocatorsOffset..]);
        if (version != VhdFooter.Version1)
            throw new UnsafeContentException("vhd-incompatible-features", "the VHD image's header is of a version that is not known here.");
        if (!BitOperations.IsPow2(blockSize) || blockSize is < 512 or > 256 * 1024 * 1024)
            throw VhdFooter.BadGeometry($"its blocks have {blockSize} bytes");
        if ((ulong)tableEntries * blockSize < _copy.Size)
            throw VhdFooter.BadGeometry("its table does not map the whole disk");
        if (tableOffset is < VhdFooter.Length or > Refusal.MaxVirtualSize || tableOffset % VhdLayout.SectorSize != 0)
            throw VhdFooter.BadGeometry("its table is not where one can be");
        if (checksum != VhdFooter.ChecksumOf(header, ChecksumOffset))
            throw VhdFooter.BadGeometry("its header's checksum is wrong");

        _layout = new VhdLayout(_copy, (long)_copy.HeaderOffset, (long)tableOffset, tableEntries, blockSize);
        if (_pieces.Rows is not null && tableEntries <= MostRows && (long)tableOffset >= (long)_copy.HeaderOffset + HeaderLength)
            WantTable(new List<long>((int)tableEntries));
    }

    // Each block stands behind a bitmap of a sector, so that no two of them begin alike; the table says where they are.
    private void WantTable(List<long> rows)
    {
        var done = rows.Count * sizeof(uint);
        var left = (int)_layout.TableEntries * sizeof(uint) - done;
        if (left == 0)
        {
            foreach (var row in rows.Where(row => row > 0).Order())
                _pieces.Rows!.Enqueue(row);

            return;
        }

        _pieces.Want(_layout.TableOffset + done, Math.Min(left, PieceFeed.MaxPiece), table =>
        {
            for (; !table.IsEmpty; table = table[sizeof(uint)..])
            {
                var sector = BinaryPrimitives.ReadUInt32BigEndian(table);
                rows.Add(sector == VhdMap.NotThere ? 0 : sector * (long)VhdLayout.SectorSize + _layout.BitmapLength);
            }

            WantTable(rows);
        });
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
