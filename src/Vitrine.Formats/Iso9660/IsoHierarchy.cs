using System.Buffers.Binary;

namespace Vitrine.Formats.Iso9660;

/// <summary>One of the two trees of directories of a medium: it has names and places of its own, and the files' content in common with the other.</summary>
/// <remarks>
/// It lies in a row: the path table twice, then each directory, from the root down, with the fields behind it that its records had no room for.
/// <code>
///  path table entry (ECMA-119, 9.4):   0  length of the name    1  0    2  sector (4)    6  number of the directory above (2)    8  name
/// </code>
/// Entries are padded to an even length. One copy has little-endian numbers, the other big-endian ones.
/// </remarks>
internal sealed class IsoHierarchy
{
    private const int SectorSize = VolumeDescriptor.SectorSize;

    // The numbers of the path table have two bytes.
    private const int MostDirectories = ushort.MaxValue;

    // What a record can say the length of, in whole sectors; longer files have several, one for each extent.
    private const long MostExtent = uint.MaxValue / SectorSize * SectorSize;

    private readonly IsoText _text;
    private readonly DateTimeOffset _time;
    private readonly RockRidge.Writer? _rockRidge;
    private readonly IReadOnlyDictionary<IsoContent, int> _links;
    private readonly List<Placed> _directories = [];

    /// <param name="links">How many names each content has.</param>
    public IsoHierarchy(IsoDirectory root, IsoText text, DateTimeOffset time, IReadOnlyDictionary<IsoContent, int> links)
    {
        (_text, _time, _links) = (text, time, links);
        _rockRidge = text.IsUcs2 ? null : new RockRidge.Writer(time);
        List(root);
        foreach (var directory in _directories)
            Fill(directory);
    }

    public PathTables Paths { get; private set; }

    /// <param name="sector">Where it may begin.</param>
    /// <returns>Where the next thing may begin.</returns>
    public uint Place(uint sector)
    {
        var length = _directories.Sum(PathEntryLength);
        var sectors = (uint)SectorsFor(length);
        Paths = new PathTables(length, sector, sector + sectors);
        sector += 2 * sectors;
        foreach (var directory in _directories)
        {
            directory.Sector = sector;
            sector += (uint)SectorsFor(directory.Length) + (uint)SectorsFor(directory.OutsideLength);
        }

        return sector;
    }

    /// <param name="medium">From its first sector on.</param>
    /// <param name="contents">Where the files' content is.</param>
    public void Write(Span<byte> medium, IReadOnlyDictionary<IsoContent, uint> contents)
    {
        WritePaths(medium[At(Paths.LittleEndianSector)..], isBigEndian: false);
        WritePaths(medium[At(Paths.BigEndianSector)..], isBigEndian: true);
        foreach (var directory in _directories)
            WriteDirectory(medium, directory, contents);
    }

    public void WriteDescriptor(Span<byte> sector, IsoFacts facts, uint sectors)
    {
        Span<byte> root = stackalloc byte[DirectoryRecord.HeadLength(1)];
        var directory = _directories[0];
        DirectoryRecord.Write(root, [0], directory.Sector, (uint)directory.Length, _time, DirectoryFlags.Directory, []);
        VolumeDescriptor.WriteVolume(sector, _text, facts, sectors, Paths, root);
    }

    // By level, then by the number of the one above, then by name: the order that ECMA-119, 6.9.1 wants of path tables.
    private void List(IsoDirectory root)
    {
        _directories.Add(new Placed(root, [0], Parent: null, Number: 1));
        for (var i = 0; i < _directories.Count; i++)
        {
            var parent = _directories[i];
            parent.Children = _text.IsUcs2 ? IsoNames.Joliet([.. parent.Node.Children.Where(c => c is not IsoSymbolicLink)]) : IsoNames.Plain(parent.Node.Children);
            foreach (var child in parent.Children)
            {
                if (child.Node is not IsoDirectory node)
                    continue;
                if (_directories.Count == MostDirectories)
                    throw new InvalidOperationException($"A medium has room for {MostDirectories} directories.");

                var placed = new Placed(node, child.Identifier, parent, _directories.Count + 1);
                _directories.Add(placed);
                parent.Subdirectories.Add(placed);
            }
        }
    }

    private void Fill(Placed directory)
    {
        Append(directory, [0], directory, FieldsOfSelf(directory), directory.Parent is null && _rockRidge is not null ? RockRidge.Writer.Identify() : []);
        Append(directory, [1], directory.Parent ?? directory, FieldsOf(directory.Parent ?? directory), []);

        var subdirectories = directory.Subdirectories.GetEnumerator();
        foreach (var (identifier, node) in directory.Children)
        {
            var name = _rockRidge is null ? [] : RockRidge.Writer.Name(IsoText.GetUtf8(node.Name));
            if (node is IsoFile file)
                AppendFile(directory, identifier, file, name);
            else if (node is IsoSymbolicLink link)
                Append(directory, identifier, IsoContent.None, _rockRidge!.DescribeLink(), [.. name, .. RockRidge.Writer.Link(link.Target)]);
            else if (subdirectories.MoveNext())
                Append(directory, identifier, subdirectories.Current, FieldsOf(subdirectories.Current), name);
        }
    }

    private void AppendFile(Placed directory, byte[] identifier, IsoFile file, byte[] name)
    {
        var length = file.Content.Length;
        for (var start = 0L; start == 0 || start < length; start += MostExtent)
            Append(directory, identifier, file.Content, FieldsOf(file), name, start);
    }

    private static void Append(Placed directory, byte[] identifier, object target, byte[] fields, byte[] moreFields, long start = 0)
    {
        var head = DirectoryRecord.HeadLength(identifier.Length);
        var (inline, outside) = RockRidge.Writer.Divide(fields, moreFields, DirectoryRecord.MostLength - head);
        var length = head + inline.Length + inline.Length % 2;
        directory.Records.Add(new Record(
            identifier, target, start, inline, outside,
            Reserve(directory.Length, length, out var end),
            outside.Length == 0 ? 0 : Reserve(directory.OutsideLength, outside.Length, out directory.OutsideLength)));
        directory.Length = end;
    }

    /// <summary>Finds room that crosses no end of a sector.</summary>
    private static int Reserve(int used, int length, out int end)
    {
        var start = used % SectorSize + length > SectorSize ? SectorsFor(used) * SectorSize : used;
        end = start + length;
        return start;
    }

    private byte[] FieldsOfSelf(Placed directory) =>
        _rockRidge is not null && directory.Parent is null ? [.. RockRidge.Writer.Announce(), .. FieldsOf(directory)] : FieldsOf(directory);

    // A directory is linked from above, from itself and from those below.
    private byte[] FieldsOf(Placed directory) => _rockRidge?.Describe(isDirectory: true, 2 + directory.Subdirectories.Count) ?? [];

    private byte[] FieldsOf(IsoFile file) => _rockRidge?.Describe(isDirectory: false, _links[file.Content]) ?? [];

    private void WriteDirectory(Span<byte> medium, Placed directory, IReadOnlyDictionary<IsoContent, uint> contents)
    {
        var records = medium[At(directory.Sector)..];
        var outsideSector = directory.Sector + (uint)SectorsFor(directory.Length);
        foreach (var record in directory.Records)
        {
            if (record.Outside.Length > 0)
            {
                record.Outside.CopyTo(medium[(At(outsideSector) + record.OutsideOffset)..]);
                RockRidge.Writer.WriteContinuation(record.Inline, new RockRidge.Continuation(
                    outsideSector + (uint)(record.OutsideOffset / SectorSize), (uint)(record.OutsideOffset % SectorSize), (uint)record.Outside.Length));
            }

            var (sector, length, flags) = record.Target is Placed target
                ? (target.Sector, (uint)(SectorsFor(target.Length) * SectorSize), DirectoryFlags.Directory)
                : ExtentOf((IsoContent)record.Target, record.Start, contents);
            DirectoryRecord.Write(records[record.Offset..], record.Identifier, sector, length, _time, flags, record.Inline);
        }
    }

    private static (uint Sector, uint Length, DirectoryFlags Flags) ExtentOf(
        IsoContent content, long start, IReadOnlyDictionary<IsoContent, uint> contents)
    {
        var rest = content.Length - start;
        return (
            contents.GetValueOrDefault(content) + (uint)(start / SectorSize),
            (uint)Math.Min(rest, MostExtent),
            rest > MostExtent ? DirectoryFlags.Continued : DirectoryFlags.None);
    }

    private void WritePaths(Span<byte> table, bool isBigEndian)
    {
        foreach (var directory in _directories)
        {
            table[0] = (byte)directory.Identifier.Length;
            var above = (ushort)(directory.Parent?.Number ?? 1);
            if (isBigEndian)
            {
                BinaryPrimitives.WriteUInt32BigEndian(table[2..], directory.Sector);
                BinaryPrimitives.WriteUInt16BigEndian(table[6..], above);
            }
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(table[2..], directory.Sector);
                BinaryPrimitives.WriteUInt16LittleEndian(table[6..], above);
            }

            directory.Identifier.CopyTo(table[8..]);
            table = table[PathEntryLength(directory)..];
        }
    }

    private static int PathEntryLength(Placed directory) => 8 + directory.Identifier.Length + directory.Identifier.Length % 2;

    private static int SectorsFor(int length) => (length + SectorSize - 1) / SectorSize;

    private static int At(uint sector) => (int)sector * SectorSize;

    private sealed record Placed(IsoDirectory Node, byte[] Identifier, Placed? Parent, int Number)
    {
        /// <summary>Of what the records had no room for, in bytes.</summary>
        public int OutsideLength;

        public IReadOnlyList<Named> Children { get; set; } = [];

        public List<Placed> Subdirectories { get; } = [];

        public List<Record> Records { get; } = [];

        /// <summary>Of the records, in bytes; what is on the medium is whole sectors.</summary>
        public int Length { get; set; }

        public uint Sector { get; set; }
    }

    /// <param name="Target">A <see cref="Placed"/> or an <see cref="IsoContent"/>.</param>
    /// <param name="Start">From which byte of the content on.</param>
    private sealed record Record(byte[] Identifier, object Target, long Start, byte[] Inline, byte[] Outside, int Offset, int OutsideOffset);
}
