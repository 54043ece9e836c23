using System.Buffers.Binary;
using System.Numerics;
using Vitrine.Content;
using Vitrine.Images;
using static Vitrine.Formats.Vhdx.VhdxMetadataItem;

namespace Vitrine.Formats.Vhdx;

/// <summary>VHDX, version 1, as Microsoft's [MS-VHDX] draws it.</summary>
/// <remarks>
/// Every field is little-endian. The places are fixed up to the regions, which lie anywhere from 1 MiB on:
/// <code>
///    0     64 KiB     128 KiB    192 KiB          256 KiB          1 MiB …
///    +----------+----------+----------+----------------+----------------+-----------------------------
///    | vhdxfile |  header  |  header  |  region table  |  region table  |  … metadata region, BAT, log
///    +----------+----------+----------+----------------+----------------+-----------------------------
/// </code>
/// A region table (2.2.3), of 64 KiB, with entries (<see cref="VhdxRegion"/>) from 16 on, and the metadata table (2.6.1), the first
/// 64 KiB of its region, with entries (<see cref="VhdxMetadataItem"/>) from 32 on:
/// <code>
///   0  regi     4  checksum     8  number of entries      12  reserved
///   0  metadata                 8  reserved (2)           10  number of entries (2)
/// </code>
/// </remarks>
internal sealed class VhdxHeaderReader : IFormatReader
{
    private const int MostEntries = 2047;

    // The order of a fixed layout is the order of reading, so that no piece lies before the one that asks for it.
    private readonly PieceFeed _pieces;
    private readonly List<VhdxMetadataItem> _items = [];
    private VhdxHeader? _header;
    private VhdxRegion _metadata;
    private VhdxRegion _bat;
    private ulong _size;
    private uint _sectorSize;
    private uint _blockSize;

    public VhdxHeaderReader(PieceFeed pieces)
    {
        _pieces = pieces;
        _pieces.Want(VhdxLayout.FirstHeader, VhdxHeader.Length, ReadFirstHeader);
    }

    /// <summary>The header that counts, once both have been read.</summary>
    public VhdxHeader Header => _header!;

    /// <summary>Whether the image was not closed, so that nothing behind the headers counts before its log has been replayed.</summary>
    public bool HasLog => Header.LogId != Guid.Empty;

    /// <summary>A log may change the disk's length too; whoever opens the disk replays it.</summary>
    public FormatVerdict Complete(long length, ReadOnlySpan<byte> tail) => new(DiskFormat.Vhdx, HasLog ? null : Finish(length).DiskLength);

    /// <summary>The layout, once the image's length is known too.</summary>
    public VhdxLayout Finish(long length)
    {
        if (_metadata.End > length || _bat.End > length)
            throw Refusal.Truncated("VHDX");
        if (_metadata.Overlaps(_bat) || Header.Log.Overlaps(_bat) || Header.Log.Overlaps(_metadata))
            throw VhdxLayout.BadGeometry("its regions lie on top of each other");
        if (_size % _sectorSize != 0)
            throw VhdxLayout.BadGeometry($"its disk has {_size} bytes");

        var layout = new VhdxLayout((long)_size, _sectorSize, _blockSize, _bat, _metadata, Header.Log);
        return layout.Entries * VhdxLayout.EntryLength <= _bat.Length
            ? layout
            : throw VhdxLayout.BadGeometry("its block table does not map the whole disk");
    }

    /// <summary>Goes on where a log that was not empty was met. What is fed from now on is what the log makes of the image.</summary>
    public void ContinueAfterLog() => _pieces.Want(VhdxLayout.FirstRegionTable, VhdxLayout.TableLength, ReadFirstRegions);

    private void ReadFirstHeader(ReadOnlySpan<byte> piece)
    {
        _header = VhdxHeader.TryRead(piece);
        _pieces.Want(VhdxLayout.SecondHeader, VhdxHeader.Length, ReadSecondHeader);
    }

    private void ReadSecondHeader(ReadOnlySpan<byte> piece)
    {
        // The header with the higher number counts; a crash leaves at most one that is not whole.
        var second = VhdxHeader.TryRead(piece);
        if (second is not null && (_header is null || second.Sequence > _header.Sequence))
            _header = second;

        if (_header is null)
            throw VhdxLayout.BadGeometry("neither of its headers is whole");
        if (_header.Version != VhdxHeader.Version1)
            throw new UnsafeContentException("vhdx-incompatible-features", $"the VHDX image is of a version that is not known here ({_header.Version}).");
        if (!HasLog)
            ContinueAfterLog();
    }

    private void ReadFirstRegions(ReadOnlySpan<byte> table)
    {
        (_metadata, _bat) = ReadRegions(table);
        _pieces.Want(VhdxLayout.SecondRegionTable, VhdxLayout.TableLength, ReadSecondRegions);
    }

    private void ReadSecondRegions(ReadOnlySpan<byte> table)
    {
        // Some readers take the first table and some the second where the first is damaged.
        if (ReadRegions(table) != (_metadata, _bat))
            throw VhdxLayout.BadGeometry("its two region tables contradict each other");

        _pieces.Want(_metadata.Offset, VhdxLayout.TableLength, ReadMetadata);
    }

    private static (VhdxRegion Metadata, VhdxRegion Bat) ReadRegions(ReadOnlySpan<byte> table)
    {
        if (!table.StartsWith(VhdxLayout.RegionTableSignature) || !VhdxChecksum.IsRight(table))
            throw VhdxLayout.BadGeometry("a region table is not whole");

        var count = BinaryPrimitives.ReadUInt32LittleEndian(table[8..]);
        if (count != 2)
            throw new UnsafeContentException("vhdx-incompatible-features", $"the VHDX image has {count} regions where two are known here.");

        var (first, second) = (ReadRegion(table, 0), ReadRegion(table, 1));
        return (Find(VhdxRegion.MetadataId, first, second), Find(VhdxRegion.BatId, first, second));
    }

    private static VhdxRegion ReadRegion(ReadOnlySpan<byte> table, int index) =>
        VhdxRegion.Read(table[(VhdxLayout.RegionTableHeaderLength + index * VhdxRegion.EntryLength)..]);

    private static VhdxRegion Find(Guid id, VhdxRegion first, VhdxRegion second)
    {
        var found = first.Id == id ? first : second;
        if (found.Id != id)
            throw new UnsafeContentException("vhdx-incompatible-features", "the VHDX image has a region that is not known here.");
        if (!found.IsAligned)
            throw VhdxLayout.BadGeometry("its regions are not where they can be");

        return found;
    }

    private void ReadMetadata(ReadOnlySpan<byte> table)
    {
        if (!table.StartsWith(VhdxLayout.MetadataTableSignature))
            throw VhdxLayout.BadGeometry("its metadata table is not there");

        var count = BinaryPrimitives.ReadUInt16LittleEndian(table[10..]);
        if (count > MostEntries)
            throw VhdxLayout.BadGeometry($"its metadata have {count} entries");

        for (var i = 0; i < count; i++)
            AddItem(VhdxMetadataItem.Read(table[(VhdxLayout.MetadataTableHeaderLength + i * VhdxMetadataItem.EntryLength)..]));

        _items.Sort((one, other) => one.Offset.CompareTo(other.Offset));
        CheckItems();
        ReadNextItem(0);
    }

    private void AddItem(VhdxMetadataItem item)
    {
        if (item.Id == ParentLocator)
            throw Parent();

        if (item.IsUser && !item.IsRequired)
            return;
        if (item.IsUser || LengthOf(item.Id) is not { } length)
            throw new UnsafeContentException("vhdx-incompatible-features", "the VHDX image has metadata that are not known here.");
        if (item.Length != length || item.Offset < VhdxLayout.TableLength || item.End > (ulong)_metadata.Length)
            throw VhdxLayout.BadGeometry("an entry of its metadata is not where it can be");

        _items.Add(item);
    }

    private void CheckItems()
    {
        if (!new[] { FileParameters, VirtualDiskSize, LogicalSectorSize }.All(id => _items.Exists(i => i.Id == id)))
            throw VhdxLayout.BadGeometry("its metadata are not complete");
        if (_items.DistinctBy(i => i.Id).Count() != _items.Count)
            throw VhdxLayout.BadGeometry("its metadata say the same thing twice");

        for (var i = 1; i < _items.Count; i++)
        {
            if (_items[i].Offset < _items[i - 1].End)
                throw VhdxLayout.BadGeometry("its metadata lie on top of each other");
        }
    }

    private void ReadNextItem(int index)
    {
        if (index == _items.Count)
            return;

        var item = _items[index];
        _pieces.Want(_metadata.Offset + item.Offset, (int)item.Length, value =>
        {
            ReadItem(item.Id, value);
            ReadNextItem(index + 1);
        });
    }

    private void ReadItem(Guid id, ReadOnlySpan<byte> value)
    {
        if (id == FileParameters)
            TakeFileParameters(BinaryPrimitives.ReadUInt32LittleEndian(value), BinaryPrimitives.ReadUInt32LittleEndian(value[4..]));
        else if (id == VirtualDiskSize)
            TakeSize(BinaryPrimitives.ReadUInt64LittleEndian(value));
        else if (id == LogicalSectorSize || id == PhysicalSectorSize)
            TakeSectorSize(id, BinaryPrimitives.ReadUInt32LittleEndian(value));
    }

    private void TakeFileParameters(uint blockSize, uint flags)
    {
        const uint LeaveBlocksAllocated = 1;
        const uint HasParent = 2;
        if ((flags & HasParent) != 0)
            throw Parent();
        if ((flags & ~LeaveBlocksAllocated) != 0)
            throw new UnsafeContentException("vhdx-incompatible-features", "the VHDX image has parameters that are not known here.");
        if (!BitOperations.IsPow2(blockSize) || blockSize is < VhdxLayout.MiB or > 256 * VhdxLayout.MiB)
            throw VhdxLayout.BadGeometry($"its blocks have {blockSize} bytes");

        _blockSize = blockSize;
    }

    private void TakeSize(ulong size)
    {
        if (size is 0 or > Refusal.MaxVirtualSize || size % 512 != 0)
            throw VhdxLayout.BadGeometry($"its disk has {size} bytes");

        _size = size;
    }

    private void TakeSectorSize(Guid id, uint size)
    {
        if (size is not (512 or 4096))
            throw VhdxLayout.BadGeometry($"its sectors have {size} bytes");

        if (id == LogicalSectorSize)
            _sectorSize = size;
    }

    private static uint? LengthOf(Guid id) => id switch
    {
        _ when id == FileParameters || id == VirtualDiskSize => 8,
        _ when id == VirtualDiskId => 16,
        _ when id == LogicalSectorSize || id == PhysicalSectorSize => 4,
        _ => null,
    };

    private static UnsafeContentException Parent() => new("vhdx-parent", "the VHDX image is based on another one.");
}
