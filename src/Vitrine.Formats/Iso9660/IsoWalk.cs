using System.Text;
using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Iso9660;

/// <summary>One way through all directories of a volume, holding one sector of each that it is in.</summary>
internal sealed class IsoWalk(ContentReader content, IsoNaming naming, int skip)
{
    private const int SectorSize = VolumeDescriptor.SectorSize;

    // Far more than media have: the deepest trees of distributions have a dozen levels, the fullest some hundred thousand files.
    private const int MostDepth = 64;
    private const int MostEntries = 500_000;
    private const long MostDirectoryBytes = 128 * 1024 * 1024;
    private const int MostExtents = 1024;
    private const int MostContinuations = 16;

    // The type of a file in POSIX's mode.
    private const uint TypeMask = 0xf000;
    private const uint SymbolicLink = 0xa000;
    private const uint RegularFile = 0x8000;

    private readonly Stack<Level> _levels = new();
    private readonly HashSet<uint> _entered = [];
    private readonly byte[] _continuation = new byte[SectorSize];
    private long _directoryBytes;
    private int _entries;

    public void Enter(uint sector, uint length, string path)
    {
        if (_levels.Count == MostDepth)
            throw IsoRefusal.TooMuch("deeper directories");
        if (!_entered.Add(sector))
            throw IsoRefusal.Loop();

        Count(length);
        _levels.Push(new Level(sector, length, path));
    }

    /// <returns>Null at the end.</returns>
    public async ValueTask<IsoEntry?> NextAsync(CancellationToken cancellationToken)
    {
        while (_levels.TryPeek(out var level))
        {
            if (await NextRecordAsync(level, cancellationToken) is not { } record)
                _levels.Pop();
            else if (await TakeAsync(level, record, cancellationToken) is { } entry)
                return entry;
        }

        return null;
    }

    private async ValueTask<DirectoryRecord?> NextRecordAsync(Level level, CancellationToken cancellationToken)
    {
        while (level.Position < level.Length)
        {
            var within = (int)(level.Position % SectorSize);
            if (within == 0)
            {
                // Records hold slices of it, and a file may go on in the next sector.
                level.Sector = new byte[(int)Math.Min(SectorSize, level.Length - level.Position)];
                await content.ReadExactlyAsync(IsoVolume.Format, level.Start + level.Position, level.Sector, cancellationToken);
            }

            if (within >= level.Sector.Length || level.Sector[within] == 0)
            {
                // No record crosses the end of a sector; zeros fill it up.
                level.Position += SectorSize - within;
                continue;
            }

            level.Position += level.Sector[within];
            return DirectoryRecord.TryRead(level.Sector.AsMemory(within)) ?? throw IsoRefusal.BadGeometry("a directory has a record that is none");
        }

        return null;
    }

    private async ValueTask<IsoEntry?> TakeAsync(Level level, DirectoryRecord record, CancellationToken cancellationToken)
    {
        if (++_entries > MostEntries)
            throw IsoRefusal.TooMuch("more files");
        if (record.IsSelf || record.IsParent || record.Flags.HasFlag(DirectoryFlags.Associated))
            return null;

        var facts = naming is IsoNaming.RockRidge ? await ReadFieldsAsync(record, cancellationToken) : new RockRidge();
        if (facts.IsMovedAway)
            return null;

        var path = PathOf(level, facts.Name ?? NameOf(record));
        if (record.IsDirectory || facts.MovedTo is not null)
            return await EnterAsync(path, record, facts.MovedTo, cancellationToken);

        AddExtent(level, record);
        if (record.Flags.HasFlag(DirectoryFlags.Continued))
            return null;

        var extents = level.Extents;
        level.Extents = [];
        return new IsoEntry(path, KindOf(facts), extents);
    }

    private async ValueTask<IsoEntry> EnterAsync(string path, DirectoryRecord record, uint? movedTo, CancellationToken cancellationToken)
    {
        if (movedTo is { } sector)
            Enter(sector, await LengthOfAsync(sector, cancellationToken), path);
        else
            Enter(record.Sector, record.ContentLength, path);

        return new IsoEntry(path, IsoEntryKind.Directory, []);
    }

    // What was moved is known by where it begins alone; its first record, of itself, says how long it is.
    private async ValueTask<uint> LengthOfAsync(uint sector, CancellationToken cancellationToken)
    {
        var bytes = new byte[SectorSize];
        await content.ReadExactlyAsync(IsoVolume.Format, (long)sector * SectorSize, bytes, cancellationToken);
        return DirectoryRecord.TryRead(bytes) is { IsSelf: true } self ? self.ContentLength : throw IsoRefusal.BadGeometry("a directory is not where it should be");
    }

    private async ValueTask<RockRidge> ReadFieldsAsync(DirectoryRecord record, CancellationToken cancellationToken)
    {
        var facts = new RockRidge();
        var next = facts.Read(record.SystemUse.Span[Math.Min(skip, record.SystemUse.Length)..]);
        for (var count = 0; next is { } where; count++)
        {
            if (count == MostContinuations || where.Offset >= SectorSize || where.Length > SectorSize - where.Offset)
                throw RockRidge.Bad("they go on and on");

            Count(where.Length);
            var bytes = _continuation.AsMemory(0, (int)where.Length);
            await content.ReadExactlyAsync(IsoVolume.Format, (long)where.Sector * SectorSize + where.Offset, bytes, cancellationToken);
            next = facts.Read(bytes.Span);
        }

        return facts;
    }

    private void Count(uint directoryBytes)
    {
        if ((_directoryBytes += directoryBytes) > MostDirectoryBytes)
            throw IsoRefusal.TooMuch("longer directories");
    }

    private void AddExtent(Level level, DirectoryRecord record)
    {
        var start = (long)record.Sector * SectorSize;
        if (record.IsInterleaved)
            throw new Content.UnsafeContentException("iso-interleaved", "the ISO image has a file whose content is mixed with others'.");
        if (record.ContentLength > content.Length - start)
            throw Refusal.Truncated(IsoVolume.Format);
        if (level.Extents.Count == MostExtents)
            throw IsoRefusal.TooMuch("a file in more parts");

        if (record.ContentLength > 0)
            level.Extents.Add(new Extent(start, record.ContentLength, ExtentKind.Data));
    }

    private static IsoEntryKind KindOf(RockRidge facts) => (facts.Mode & TypeMask) switch
    {
        _ when facts.IsSymbolicLink => IsoEntryKind.SymbolicLink,
        SymbolicLink => IsoEntryKind.SymbolicLink,
        null or 0 or RegularFile => IsoEntryKind.File,
        _ => IsoEntryKind.Special,
    };

    private static string PathOf(Level level, string name)
    {
        if (name is "" or "." or ".." || name.AsSpan().IndexOfAny('/', '\0') >= 0)
            throw IsoRefusal.BadName();

        return level.Path.Length == 0 ? name : $"{level.Path}/{name}";
    }

    private string NameOf(DirectoryRecord record)
    {
        var name = naming is IsoNaming.Joliet ? Encoding.BigEndianUnicode.GetString(record.Name.Span) : IsoText.Decode(record.Name.Span);
        var version = name.LastIndexOf(';');
        var withoutVersion = version > 0 ? name[..version] : name;
        return naming is IsoNaming.Joliet ? withoutVersion : withoutVersion.TrimEnd('.');
    }

    private sealed class Level(uint sector, uint length, string path)
    {
        public long Start { get; } = (long)sector * SectorSize;

        public long Length { get; } = length;

        public string Path { get; } = path;

        public long Position { get; set; }

        public byte[] Sector { get; set; } = [];

        /// <summary>The parts of a file that goes on in the next record.</summary>
        public List<Extent> Extents { get; set; } = [];
    }
}
