using System.Buffers.Binary;
using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Vmdk;

/// <summary>Grain directory, grain tables, grains: where a sparse VMDK keeps each 64 KiB, or whatever its grain size is.</summary>
/// <remarks>
/// Both levels are tables of 32-bit sector numbers, little-endian. In the directory 0 is a table that is not there; in a table 0 is
/// a grain that is not there and, where the header says so, 1 a grain of zeros.
/// </remarks>
internal sealed class VmdkMap(ContentReader content, VmdkHeader header) : IDiskMap
{
    public const uint NotThere = 0;
    public const uint ZeroGrain = 1;

    private const int SectorSize = VmdkHeader.SectorSize;
    private const int EntryLength = sizeof(uint);

    private readonly TableCache _tables = new(content, "VMDK");
    private readonly VmdkGrains _grains = new(content, header);

    public long Length => header.DiskLength;

    public async ValueTask<Stretch> FindAsync(long offset, long most, CancellationToken cancellationToken)
    {
        var grain = offset / header.GrainLength;
        var table = grain / header.TableEntries;
        var directory = await _tables.ReadAsync((long)header.GrainDirectory * SectorSize + table * EntryLength, EntryLength, cancellationToken);
        var start = BinaryPrimitives.ReadUInt32LittleEndian(directory.Span);
        if (start == NotThere)
            return FindAbsentTables(directory.Span, table, offset, most);

        var index = (int)(grain % header.TableEntries);
        var entries = await _tables.ReadAsync((long)start * SectorSize + index * EntryLength, EntryLength, cancellationToken);
        var count = Math.Min(entries.Length / EntryLength, (int)header.TableEntries - index);
        return FindGrains(entries.Span[..(count * EntryLength)], offset, most);
    }

    public ValueTask ReadAsync(Stretch stretch, Memory<byte> buffer, CancellationToken cancellationToken) => header.IsCompressed
        ? _grains.ReadAsync(stretch, buffer, cancellationToken)
        : content.ReadExactlyAsync("VMDK", stretch.Place, buffer, cancellationToken);

    public Task CheckAsync(CancellationToken cancellationToken) => new VmdkCheck(content, header, _tables, _grains).RunAsync(cancellationToken);

    private Stretch FindAbsentTables(ReadOnlySpan<byte> directory, long table, long offset, long most)
    {
        var covered = header.TableEntries * header.GrainLength;
        var end = (table + 1) * covered;
        for (var at = EntryLength; at + EntryLength <= directory.Length && end - offset < most; at += EntryLength)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(directory[at..]) != NotThere)
                break;

            end += covered;
        }

        return new Stretch(ExtentKind.Absent, offset, Math.Min(end - offset, most));
    }

    private Stretch FindGrains(ReadOnlySpan<byte> entries, long offset, long most)
    {
        var within = offset % header.GrainLength;
        var first = BinaryPrimitives.ReadUInt32LittleEndian(entries);
        var kind = KindOf(first);
        var length = header.GrainLength - within;
        if (kind is ExtentKind.Data && header.IsCompressed)
            return new Stretch(kind, offset, Math.Min(length, most), (long)first * SectorSize, (int)within);

        var next = (ulong)first;
        for (var at = EntryLength; at < entries.Length && length < most; at += EntryLength)
        {
            next += header.GrainSize;
            var entry = BinaryPrimitives.ReadUInt32LittleEndian(entries[at..]);
            if (kind is ExtentKind.Data ? entry != next : KindOf(entry) != kind)
                break;

            length += header.GrainLength;
        }

        return new Stretch(kind, offset, Math.Min(length, most), first * (long)SectorSize + within);
    }

    private ExtentKind KindOf(uint entry) => entry switch
    {
        NotThere => ExtentKind.Absent,
        ZeroGrain when header.HasZeroGrains => ExtentKind.Zero,
        _ when entry < header.FirstFreeSector => throw VmdkHeader.BadGeometry("a grain lies over its header"),
        _ => ExtentKind.Data,
    };
}
