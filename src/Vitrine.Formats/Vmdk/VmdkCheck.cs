using System.Buffers.Binary;
using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Formats.Vmdk;

/// <summary>Holds the tables of a sparse VMDK against its length, against one another and against its markers.</summary>
internal sealed class VmdkCheck(ContentReader content, VmdkHeader header, TableCache tables, VmdkGrains grains)
{
    private const int SectorSize = VmdkHeader.SectorSize;
    private const int EntryLength = sizeof(uint);

    private readonly long _sectors = (content.Length + SectorSize - 1) / SectorSize;
    private readonly TakenUnits _taken = new((content.Length + SectorSize - 1) / SectorSize);
    private readonly long _tableLength = header.TableEntries * EntryLength;
    private long _compressed;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        do
        {
            Take(0, header.FirstFreeSector * SectorSize, "a header");
            Take((long)header.GrainDirectory, header.Tables * EntryLength, "a grain directory");
            if (header.HasSecondDirectory)
                Take((long)header.SecondDirectory, header.Tables * EntryLength, "a grain directory");

            await WalkDirectoryAsync(cancellationToken);
        }
        while (_taken.MoveOn());

        if (header.IsCompressed && header.IsFooter)
            await WalkStreamAsync(cancellationToken);
    }

    private static long SectorsOf(long bytes) => (bytes + SectorSize - 1) / SectorSize;

    private void Take(long sector, long length, string what)
    {
        if (sector * SectorSize > content.Length - length)
            throw Refusal.Truncated("VMDK");
        if (!_taken.TryTake(sector, SectorsOf(length)))
            throw VmdkHeader.BadGeometry($"{what} lies over something else");
    }

    private async Task WalkDirectoryAsync(CancellationToken cancellationToken)
    {
        for (var table = 0L; table < header.Tables;)
        {
            var directory = await ReadEntriesAsync(header.GrainDirectory, table, cancellationToken);
            var second = header.HasSecondDirectory ? await ReadEntriesAsync(header.SecondDirectory, table, cancellationToken) : directory;
            var count = (int)Math.Min(Math.Min(directory.Length, second.Length) / EntryLength, header.Tables - table);
            for (var i = 0; i < count; i++)
                await WalkTableAsync(table + i, EntryAt(directory, i), EntryAt(second, i), cancellationToken);

            table += count;
        }
    }

    private async ValueTask WalkTableAsync(long table, uint start, uint second, CancellationToken cancellationToken)
    {
        if ((start == VmdkMap.NotThere) != (second == VmdkMap.NotThere))
            throw Contradiction();
        if (start == VmdkMap.NotThere)
            return;

        Take(start, _tableLength, "a grain table");
        if (second != start)
            Take(second, _tableLength, "a grain table");

        cancellationToken.ThrowIfCancellationRequested();
        for (var index = 0; index < header.TableEntries;)
        {
            var entries = await ReadEntriesAsync(start, index, cancellationToken);
            var others = second == start ? entries : await ReadEntriesAsync(second, index, cancellationToken);
            var count = Math.Min(Math.Min(entries.Length, others.Length) / EntryLength, (int)header.TableEntries - index);

            // Some readers go by the one copy and some by the other.
            if (_taken.IsFirstWindow && !entries.Span[..(count * EntryLength)].SequenceEqual(others.Span[..(count * EntryLength)]))
                throw Contradiction();

            for (var i = 0; i < count; i++)
                await TakeGrainAsync(table * header.TableEntries + index + i, EntryAt(entries, i), cancellationToken);

            index += count;
        }
    }

    private ValueTask TakeGrainAsync(long grain, uint entry, CancellationToken cancellationToken)
    {
        if (entry == VmdkMap.NotThere || (entry == VmdkMap.ZeroGrain && header.HasZeroGrains))
            return ValueTask.CompletedTask;
        if (grain >= header.Grains)
            throw VmdkHeader.BadGeometry("a grain lies behind the end of its disk");
        if (header.IsCompressed)
            return TakeCompressedGrainAsync(grain, entry, cancellationToken);

        // The file may end where the disk does, inside the last grain.
        var needed = Math.Min(header.GrainLength, header.DiskLength - grain * header.GrainLength);
        Take(entry, needed, "a grain");
        return ValueTask.CompletedTask;
    }

    private async ValueTask TakeCompressedGrainAsync(long grain, uint entry, CancellationToken cancellationToken)
    {
        _compressed += _taken.IsFirstWindow ? 1 : 0;
        if (!_taken.IsFirstWindow && !_taken.IsInWindow(entry, SectorsOf(VmdkMarker.GrainDataOffset + 2 * header.GrainLength)))
            return;

        var marker = await grains.ReadMarkerAsync((long)entry * SectorSize, cancellationToken);
        if (!grains.IsOf(marker, grain * header.GrainLength))
            throw BadStream("a grain's marker is not the one that its table means");

        Take(entry, VmdkMarker.GrainDataOffset + marker.Size, "a grain");
    }

    /// <summary>Goes from marker to marker, as those do who read the image while it arrives: they must come to the same grains.</summary>
    private async Task WalkStreamAsync(CancellationToken cancellationToken)
    {
        var end = _sectors - 1;
        var at = (long)Math.Min(header.Overhead, (ulong)end);
        for (var isDone = false; !isDone && at < end;)
        {
            var marker = await grains.ReadMarkerAsync(at * SectorSize, cancellationToken);
            if (marker.Size != 0)
            {
                await MeetGrainAsync(marker, at, cancellationToken);
                at += SectorsOf(VmdkMarker.GrainDataOffset + (long)marker.Size);
                continue;
            }

            if (marker.Type is not (VmdkMarkerType.GrainTable or VmdkMarkerType.GrainDirectory or VmdkMarkerType.Footer)
                || marker.Sector > (ulong)(end - at))
                throw BadStream("its markers lead nowhere");

            isDone = marker.Type is VmdkMarkerType.Footer;
            at += 1 + (long)marker.Sector;
        }

        if (at != end || _compressed != 0)
            throw BadStream("its markers do not lead to all that its tables name");
    }

    private async ValueTask MeetGrainAsync(VmdkMarker marker, long sector, CancellationToken cancellationToken)
    {
        var grain = (long)Math.Min(marker.Sector / header.GrainSize, (ulong)header.Grains);
        if (grain == header.Grains || !grains.IsOf(marker, grain * header.GrainLength))
            throw BadStream("there is a grain that no table can name");

        var start = EntryAt(await ReadEntriesAsync(header.GrainDirectory, grain / header.TableEntries, cancellationToken), 0);
        if (start == VmdkMap.NotThere
            || EntryAt(await ReadEntriesAsync(start, grain % header.TableEntries, cancellationToken), 0) != sector)
            throw BadStream("there is a grain that its tables do not name");

        _compressed--;
    }

    private ValueTask<ReadOnlyMemory<byte>> ReadEntriesAsync(ulong sector, long index, CancellationToken cancellationToken) =>
        tables.ReadAsync((long)sector * SectorSize + index * EntryLength, EntryLength, cancellationToken);

    private static uint EntryAt(ReadOnlyMemory<byte> entries, int index) =>
        BinaryPrimitives.ReadUInt32LittleEndian(entries.Span[(index * EntryLength)..]);

    private static UnsafeContentException Contradiction() => VmdkHeader.BadGeometry("its two copies of the grain tables contradict each other");

    private static UnsafeContentException BadStream(string what) => new("vmdk-bad-stream", $"the VMDK image cannot be right: {what}.");
}
