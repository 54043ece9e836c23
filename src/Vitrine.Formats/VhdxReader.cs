using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Formats;

/// <summary>VHDX, version 1, as Microsoft's [MS-VHDX] draws it.</summary>
/// <remarks>
/// Every field is little-endian. The places are fixed up to the regions, which lie anywhere from 1 MiB on:
/// <code>
///    0     64 KiB     128 KiB    192 KiB          256 KiB          1 MiB …
///    +----------+----------+----------+----------------+----------------+-----------------------------
///    | vhdxfile |  header  |  header  |  region table  |  region table  |  … metadata region, BAT, log
///    +----------+----------+----------+----------------+----------------+-----------------------------
/// </code>
/// A header (2.2.2), of 4 KiB:
/// <code>
///   0  head     4  checksum     8  sequence number (8)    16  file write id (16)    32  data write id (16)
///  48  log id (16)             64  log version (2)        66  version (2)           68  log length         72  log offset (8)
/// </code>
/// A region table (2.2.3), of 64 KiB, and its entries of 32 bytes from 16 on:
/// <code>
///   0  regi     4  checksum     8  number of entries      12  reserved
///   0  id (16)                 16  offset (8)             24  length                28  flags: 1 is "required"
/// </code>
/// The metadata table (2.6.1), the first 64 KiB of its region, and its entries of 32 bytes from 32 on:
/// <code>
///   0  metadata                 8  reserved (2)           10  number of entries (2)
///   0  id (16)                 16  offset in the region   20  length    24  flags: 1 user, 2 disk, 4 required    28  reserved
/// </code>
/// Checksums are CRC-32C over the whole structure with the checksum itself as zero.
/// </remarks>
internal sealed class VhdxReader : IFormatReader
{
    private const int KiB = 1024;
    private const long MiB = 1024 * 1024;
    private const int HeaderLength = 4 * KiB;
    private const int TableLength = 64 * KiB;
    private const int EntryLength = 32;
    private const int MostEntries = 2047;

    private static readonly Guid BatRegion = new("2dc27766-f623-4200-9d64-115e9bfd4a08");
    private static readonly Guid MetadataRegion = new("8b7ca206-4790-4b9a-b8fe-575f050f886e");

    private static readonly Guid FileParameters = new("caa16737-fa36-4d43-b3b6-33f0aa44e76b");
    private static readonly Guid VirtualDiskSize = new("2fa54224-cd1b-4876-b211-5dbed83bf4b8");
    private static readonly Guid VirtualDiskId = new("beca12ab-b2e6-4523-93ef-c309e000c746");
    private static readonly Guid LogicalSectorSize = new("8141bf1d-a96f-4709-ba47-f233a8faab5f");
    private static readonly Guid PhysicalSectorSize = new("cda348c7-445d-4471-9cc9-e9885251c556");
    private static readonly Guid ParentLocator = new("a8d35f2d-b30b-454d-abf7-d3d84834ab0c");

    // The order of a fixed layout is the order of reading, so that no piece lies before the one that asks for it.
    private readonly PieceFeed _pieces;
    private readonly List<Item> _items = [];
    private Header? _header;
    private Region _metadata;
    private Region _bat;
    private ulong _size;

    public VhdxReader(PieceFeed pieces)
    {
        _pieces = pieces;
        _pieces.Want(64 * KiB, HeaderLength, ReadFirstHeader);
    }

    public FormatVerdict Complete(long length, ReadOnlySpan<byte> tail) =>
        (UInt128)_metadata.Offset + _metadata.Length > (ulong)length || (UInt128)_bat.Offset + _bat.Length > (ulong)length
            ? throw Refusal.Truncated("VHDX")
            : new FormatVerdict(DiskFormat.Vhdx, (long)_size);

    private void ReadFirstHeader(ReadOnlySpan<byte> piece)
    {
        _header = Header.TryRead(piece);
        _pieces.Want(128 * KiB, HeaderLength, ReadSecondHeader);
    }

    private void ReadSecondHeader(ReadOnlySpan<byte> piece)
    {
        // The header with the higher number counts; a crash leaves at most one that is not whole.
        var second = Header.TryRead(piece);
        if (second is not null && (_header is null || second.Sequence > _header.Sequence))
            _header = second;

        if (_header is null)
            throw BadGeometry("neither of its headers is whole");
        if (_header.Version != 1)
            throw new UnsafeContentException("vhdx-incompatible-features", $"the VHDX image is of a version that is not known here ({_header.Version}).");
        if (_header.LogId != Guid.Empty)
            throw new UnsafeContentException("vhdx-dirty-log", "the VHDX image was not closed: its log would have to be replayed, and could change everything.");

        _pieces.Want(192 * KiB, TableLength, ReadFirstRegions);
    }

    private void ReadFirstRegions(ReadOnlySpan<byte> table)
    {
        (_metadata, _bat) = ReadRegions(table);
        _pieces.Want(256 * KiB, TableLength, ReadSecondRegions);
    }

    private void ReadSecondRegions(ReadOnlySpan<byte> table)
    {
        // Some readers take the first table and some the second where the first is damaged.
        if (ReadRegions(table) != (_metadata, _bat))
            throw BadGeometry("its two region tables contradict each other");

        _pieces.Want((long)_metadata.Offset, TableLength, ReadMetadata);
    }

    private static (Region Metadata, Region Bat) ReadRegions(ReadOnlySpan<byte> table)
    {
        if (!table.StartsWith("regi"u8) || !IsChecksumRight(table))
            throw BadGeometry("a region table is not whole");

        var count = BinaryPrimitives.ReadUInt32LittleEndian(table[8..]);
        if (count != 2)
            throw new UnsafeContentException("vhdx-incompatible-features", $"the VHDX image has {count} regions where two are known here.");

        var (first, second) = (Region.Read(table[16..]), Region.Read(table[(16 + EntryLength)..]));
        return (Find(MetadataRegion, first, second), Find(BatRegion, first, second));
    }

    private static Region Find(Guid id, Region first, Region second)
    {
        var found = first.Id == id ? first : second;
        if (found.Id != id)
            throw new UnsafeContentException("vhdx-incompatible-features", "the VHDX image has a region that is not known here.");
        if (found.Offset < MiB || found.Offset % MiB != 0 || found.Length < MiB || found.Length % MiB != 0 || found.Offset > Refusal.MaxVirtualSize)
            throw BadGeometry("its regions are not where they can be");

        return found;
    }

    private void ReadMetadata(ReadOnlySpan<byte> table)
    {
        if (!table.StartsWith("metadata"u8))
            throw BadGeometry("its metadata table is not there");

        var count = BinaryPrimitives.ReadUInt16LittleEndian(table[10..]);
        if (count > MostEntries)
            throw BadGeometry($"its metadata have {count} entries");

        for (var i = 0; i < count; i++)
            AddItem(Item.Read(table[(32 + i * EntryLength)..]));

        _items.Sort((one, other) => one.Offset.CompareTo(other.Offset));
        CheckItems();
        ReadNextItem(0);
    }

    private void AddItem(Item item)
    {
        if (item.Id == ParentLocator)
            throw Parent();

        if (item.IsUser && !item.IsRequired)
            return;
        if (item.IsUser || LengthOf(item.Id) is not { } length)
            throw new UnsafeContentException("vhdx-incompatible-features", "the VHDX image has metadata that are not known here.");
        if (item.Length != length || item.Offset < TableLength || item.End > _metadata.Length)
            throw BadGeometry("an entry of its metadata is not where it can be");

        _items.Add(item);
    }

    private void CheckItems()
    {
        if (!new[] { FileParameters, VirtualDiskSize, LogicalSectorSize }.All(id => _items.Exists(i => i.Id == id)))
            throw BadGeometry("its metadata are not complete");
        if (_items.DistinctBy(i => i.Id).Count() != _items.Count)
            throw BadGeometry("its metadata say the same thing twice");

        for (var i = 1; i < _items.Count; i++)
        {
            if (_items[i].Offset < _items[i - 1].End)
                throw BadGeometry("its metadata lie on top of each other");
        }
    }

    private void ReadNextItem(int index)
    {
        if (index == _items.Count)
            return;

        var item = _items[index];
        _pieces.Want((long)_metadata.Offset + item.Offset, (int)item.Length, value =>
        {
            ReadItem(item.Id, value);
            ReadNextItem(index + 1);
        });
    }

    private void ReadItem(Guid id, ReadOnlySpan<byte> value)
    {
        if (id == FileParameters)
            CheckFileParameters(BinaryPrimitives.ReadUInt32LittleEndian(value), BinaryPrimitives.ReadUInt32LittleEndian(value[4..]));
        else if (id == VirtualDiskSize)
            TakeSize(BinaryPrimitives.ReadUInt64LittleEndian(value));
        else if (id == LogicalSectorSize || id == PhysicalSectorSize)
            CheckSectorSize(BinaryPrimitives.ReadUInt32LittleEndian(value));
    }

    private static void CheckFileParameters(uint blockSize, uint flags)
    {
        const uint LeaveBlocksAllocated = 1;
        const uint HasParent = 2;
        if ((flags & HasParent) != 0)
            throw Parent();
        if ((flags & ~LeaveBlocksAllocated) != 0)
            throw new UnsafeContentException("vhdx-incompatible-features", "the VHDX image has parameters that are not known here.");
        if (!BitOperations.IsPow2(blockSize) || blockSize is < (uint)MiB or > 256 * (uint)MiB)
            throw BadGeometry($"its blocks have {blockSize} bytes");
    }

    private void TakeSize(ulong size)
    {
        if (size is 0 or > Refusal.MaxVirtualSize || size % 512 != 0)
            throw BadGeometry($"its disk has {size} bytes");

        _size = size;
    }

    private static void CheckSectorSize(uint size)
    {
        if (size is not (512 or 4096))
            throw BadGeometry($"its sectors have {size} bytes");
    }

    private static uint? LengthOf(Guid id) => id switch
    {
        _ when id == FileParameters || id == VirtualDiskSize => 8,
        _ when id == VirtualDiskId => 16,
        _ when id == LogicalSectorSize || id == PhysicalSectorSize => 4,
        _ => null,
    };

    /// <summary>Whether a structure is whole: its checksum is the four bytes at 4, and counts as zero.</summary>
    private static bool IsChecksumRight(ReadOnlySpan<byte> structure)
    {
        var crc = Crc(uint.MaxValue, structure[..4]);
        crc = Crc(crc, [0, 0, 0, 0]);
        return ~Crc(crc, structure[8..]) == BinaryPrimitives.ReadUInt32LittleEndian(structure[4..]);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var word in MemoryMarshal.Cast<byte, uint>(bytes))
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));

        return crc;
    }

    private static UnsafeContentException Parent() => new("vhdx-parent", "the VHDX image is based on another one.");

    private static UnsafeContentException BadGeometry(string what) => new("vhdx-bad-geometry", $"the VHDX image cannot be right: {what}.");

    private sealed record Header(ulong Sequence, Guid LogId, ushort Version)
    {
        /// <returns>Null where it is not whole.</returns>
        public static Header? TryRead(ReadOnlySpan<byte> bytes) => bytes.StartsWith("head"u8) && IsChecksumRight(bytes)
            ? new Header(
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
                new Guid(bytes.Slice(48, 16)),
                BinaryPrimitives.ReadUInt16LittleEndian(bytes[66..]))
            : null;
    }

    private readonly record struct Region(Guid Id, ulong Offset, uint Length)
    {
        public static Region Read(ReadOnlySpan<byte> entry) => new(
            new Guid(entry[..16]), BinaryPrimitives.ReadUInt64LittleEndian(entry[16..]), BinaryPrimitives.ReadUInt32LittleEndian(entry[24..]));
    }

    private readonly record struct Item(Guid Id, uint Offset, uint Length, uint Flags)
    {
        public ulong End => (ulong)Offset + Length;
        public bool IsUser => (Flags & 1) != 0;
        public bool IsRequired => (Flags & 4) != 0;

        public static Item Read(ReadOnlySpan<byte> entry) => new(
            new Guid(entry[..16]),
            BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]),
            BinaryPrimitives.ReadUInt32LittleEndian(entry[24..]));
    }
}
