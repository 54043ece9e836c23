using System.Buffers.Binary;
using Vitrine.Content;

namespace Vitrine.Formats.Iso9660;

/// <summary>
/// What Rock Ridge says of a file in the part of its record that the system uses: IEEE P1282, in fields as IEEE P1281 (SUSP) draws them.
/// </summary>
/// <remarks>
/// <code>
///   0  name (2)    2  length    3  version: 1    4  data
///
///  SP  be ef, how many bytes to skip in every other record            on the root's own record: the volume has such fields
///  CE  sector (8), offset (8), length (8)                             the fields go on elsewhere
///  ER  lengths of the three texts (3), version, texts                 by which document the fields are
///  PX  mode (8), links (8), user (8), group (8)
///  TF  flags: 2 changed, 4 read, 8 attributes; a time of 7 bytes for each
///  NM  flags: 1 goes on in the next one, 2 this directory, 4 the one above; the name
///  SL  flags; parts of a path: flags, length, text
///  CL  sector (8)                                                     the directory that belongs here lies there, to keep paths short
///  RE                                                                 it is such a directory, and belongs elsewhere
/// </code>
/// Numbers of eight bytes are written twice, little-endian and then big-endian.
/// </remarks>
internal sealed class RockRidge
{
    private const int FieldHeaderLength = 4;
    private const int MostNameLength = 255;
    private const byte GoesOn = 1;
    private const byte SelfOrParent = 2 | 4;

    private readonly List<byte> _name = [];

    /// <summary>Null where it has none of its own.</summary>
    public string? Name => _name.Count == 0 ? null : IsoText.Decode([.. _name]);

    public uint? Mode { get; private set; }

    public bool IsSymbolicLink { get; private set; }

    /// <summary>Where the directory begins whose name this is.</summary>
    public uint? MovedTo { get; private set; }

    public bool IsMovedAway { get; private set; }

    /// <param name="systemUse">Of the record that the root has of itself.</param>
    /// <returns>How many bytes to skip in other records; null where the volume has no such fields.</returns>
    public static int? FindSkip(ReadOnlySpan<byte> systemUse)
    {
        // CD-ROM XA puts 14 bytes of its own before.
        const int AfterXa = 14;
        foreach (var at in (ReadOnlySpan<int>)[0, AfterXa])
        {
            if (systemUse.Length >= at + 7 && systemUse[at..].StartsWith("SP"u8) && systemUse[at + 4] == 0xbe && systemUse[at + 5] == 0xef)
                return systemUse[at + 6];
        }

        return null;
    }

    /// <returns>Where the fields go on; null where they do not.</returns>
    /// <exception cref="UnsafeContentException">They cannot be right.</exception>
    public Continuation? Read(ReadOnlySpan<byte> fields)
    {
        Continuation? continuation = null;
        while (fields.Length >= FieldHeaderLength && fields[0] != 0)
        {
            var length = fields[2];
            if (length < FieldHeaderLength || length > fields.Length)
                throw Bad("a field is longer than the place that it is in");

            var data = fields[FieldHeaderLength..length];
            if (fields.StartsWith("CE"u8))
                continuation = Continuation.Read(data);
            else if (fields.StartsWith("ST"u8))
                break;
            else
                Take(fields[..2], data);

            fields = fields[length..];
        }

        return continuation;
    }

    public static UnsafeContentException Bad(string what) => new("iso-bad-rock-ridge", $"the ISO image's Rock Ridge fields cannot be right: {what}.");

    private void Take(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        if (name.SequenceEqual("NM"u8))
            TakeName(data);
        else if (name.SequenceEqual("PX"u8) && data.Length >= sizeof(uint))
            Mode = BinaryPrimitives.ReadUInt32LittleEndian(data);
        else if (name.SequenceEqual("SL"u8))
            IsSymbolicLink = true;
        else if (name.SequenceEqual("CL"u8) && data.Length >= sizeof(uint))
            MovedTo = BinaryPrimitives.ReadUInt32LittleEndian(data);
        else if (name.SequenceEqual("RE"u8))
            IsMovedAway = true;
    }

    private void TakeName(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || (data[0] & SelfOrParent) != 0)
            return;
        if (_name.Count + data.Length - 1 > MostNameLength)
            throw Bad($"a name is longer than {MostNameLength} bytes");

        _name.AddRange(data[1..]);
    }

    /// <summary>Where more fields of one record are.</summary>
    internal readonly record struct Continuation(uint Sector, uint Offset, uint Length)
    {
        public static Continuation Read(ReadOnlySpan<byte> data) => data.Length < 24
            ? throw Bad("a continuation does not say where it is")
            : new Continuation(
                BinaryPrimitives.ReadUInt32LittleEndian(data),
                BinaryPrimitives.ReadUInt32LittleEndian(data[8..]),
                BinaryPrimitives.ReadUInt32LittleEndian(data[16..]));
    }

    /// <summary>Makes the fields of the records of one medium.</summary>
    internal sealed class Writer(DateTimeOffset time)
    {
        private const uint FileMode = 0x8000 | 0b100_100_100;
        private const uint DirectoryMode = 0x4000 | 0b101_101_101;
        private const uint LinkMode = 0xa000 | 0b111_111_111;

        // A field's length is one byte, and its name has a byte of flags before it.
        private const int MostNameInField = 250;
        private const int ContinuationLength = 28;

        // Of a part of a path, and of what of it is put together in one field.
        private const int MostLinkPart = 240;
        private const int MostLinkParts = 250;
        private const byte Here = 2;
        private const byte Above = 4;
        private const byte Root = 8;

        /// <summary>The fields of a file or directory, without its name.</summary>
        public byte[] Describe(bool isDirectory, int links) =>
            [.. Attributes(isDirectory ? DirectoryMode : FileMode, (uint)links), .. Times()];

        /// <summary>The same for a symbolic link, without where it leads.</summary>
        public byte[] DescribeLink() => [.. Attributes(LinkMode, links: 1), .. Times()];

        /// <summary>Where a symbolic link leads.</summary>
        public static byte[] Link(string target)
        {
            List<byte[]> fields = [[]];
            foreach (var part in LinkParts(target))
            {
                if (fields[^1].Length + part.Length > MostLinkParts)
                    fields.Add([]);
                fields[^1] = [.. fields[^1], .. part];
            }

            return [.. fields.SelectMany((parts, i) => (byte[])[.. "SL"u8, (byte)(5 + parts.Length), 1, i < fields.Count - 1 ? GoesOn : (byte)0, .. parts])];
        }

        /// <summary>The field that says that a volume has fields; it comes first of all.</summary>
        public static byte[] Announce() => [.. "SP"u8, 7, 1, 0xbe, 0xef, 0];

        /// <summary>The field that says by which document the others are.</summary>
        public static byte[] Identify()
        {
            var id = "RRIP_1991A"u8;
            var what = "THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS"u8;
            var source = "PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  SEE PUBLISHER IDENTIFIER IN PRIMARY VOLUME DESCRIPTOR FOR CONTACT INFORMATION."u8;
            var length = (byte)(8 + id.Length + what.Length + source.Length);
            return [.. "ER"u8, length, 1, (byte)id.Length, (byte)what.Length, (byte)source.Length, 1, .. id, .. what, .. source];
        }

        /// <param name="name">At most 255 bytes.</param>
        public static byte[] Name(ReadOnlySpan<byte> name) => name.Length <= MostNameInField
            ? NamePart(name, flags: 0)
            : [.. NamePart(name[..MostNameInField], GoesOn), .. NamePart(name[MostNameInField..], flags: 0)];

        /// <summary>What of the fields stands in the record, and what elsewhere.</summary>
        /// <param name="first">Always in the record.</param>
        /// <param name="second">In the record if there is room for all of it.</param>
        public static (byte[] Inline, byte[] Outside) Divide(byte[] first, byte[] second, int room) =>
            first.Length + second.Length <= room
                ? ([.. first, .. second], [])
                : ([.. first, .. new byte[ContinuationLength]], second);

        /// <summary>Writes where the rest is, into the last bytes that <see cref="Divide"/> left for it.</summary>
        public static void WriteContinuation(Span<byte> inline, Continuation where)
        {
            var field = inline[^ContinuationLength..];
            ((ReadOnlySpan<byte>)[.. "CE"u8, ContinuationLength, 1]).CopyTo(field);
            BothEndian.Write(field[4..], where.Sector);
            BothEndian.Write(field[12..], where.Offset);
            BothEndian.Write(field[20..], where.Length);
        }

        private static IEnumerable<byte[]> LinkParts(string target)
        {
            if (target.StartsWith('/'))
                yield return [Root, 0];
            foreach (var name in target.Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                if (name is "." or "..")
                {
                    yield return [name is "." ? Here : Above, 0];
                    continue;
                }

                var pieces = IsoText.GetUtf8(name).Chunk(MostLinkPart).ToArray();
                for (var i = 0; i < pieces.Length; i++)
                    yield return [i < pieces.Length - 1 ? GoesOn : (byte)0, (byte)pieces[i].Length, .. pieces[i]];
            }
        }

        private static byte[] NamePart(ReadOnlySpan<byte> name, byte flags) => [.. "NM"u8, (byte)(5 + name.Length), 1, flags, .. name];

        private static byte[] Attributes(uint mode, uint links)
        {
            byte[] field = [.. "PX"u8, 36, 1, .. new byte[32]];
            BothEndian.Write(field.AsSpan(4), mode);
            BothEndian.Write(field.AsSpan(12), links);
            return field;
        }

        private byte[] Times()
        {
            const byte ChangedReadAttributes = 2 | 4 | 8;
            byte[] field = [.. "TF"u8, 5 + 3 * IsoTime.Length, 1, ChangedReadAttributes, .. new byte[3 * IsoTime.Length]];
            for (var i = 0; i < 3; i++)
                IsoTime.Write(field.AsSpan(5 + i * IsoTime.Length), time);

            return field;
        }
    }
}
