using System.Globalization;
using System.Text;
using Vitrine.Content;

namespace Vitrine.Formats.Vmdk;

/// <summary>
/// The text of a VMDK, which says where a disk's sectors are kept. Only "in this very file" is acceptable, and in an archive
/// "in files beside it".
/// </summary>
/// <remarks>
/// <code>
/// # Disk DescriptorFile
/// version=1
/// CID=4cb4c0c7
/// parentCID=ffffffff
/// createType="streamOptimized"
/// RW 2097152 SPARSE "disk.vmdk"
/// ddb.adapterType = "ide"
/// </code>
/// Readers search it in different ways, some for lines and some for words, so that a word with a meaning may stand in it
/// once, at its place, and nowhere else.
/// </remarks>
internal static class VmdkDescriptor
{
    // As text, an id has up to eight digits and at least one.
    private const int MostShortened = 7;

    // Each but those of zeros is a file, of which an archive has no more.
    private const int MostExtents = 128;

    private static readonly string[] OneFileKinds = ["monolithicSparse", "streamOptimized"];
    private static readonly string[] FlatKinds = ["monolithicFlat", "twoGbMaxExtentFlat", "vmfs"];
    private static readonly string[] Accesses = ["RW", "RDONLY", "NOACCESS"];

    /// <summary>Refuses content that is a descriptor and nothing else: its data are elsewhere.</summary>
    /// <param name="start">The content's first bytes.</param>
    public static void RefuseAlone(ReadOnlySpan<byte> start)
    {
        if (IsIn(start))
            throw new UnsafeContentException("vmdk-foreign-extent", "the file is the description of a VMDK disk whose data are in other files.");
    }

    /// <param name="sectors">The descriptor, and maybe what follows it.</param>
    /// <param name="declared">How many bytes the header gives it.</param>
    public static void Check(ReadOnlySpan<byte> sectors, int declared)
    {
        // The name is that of the file itself, as it once was. It is opened by nobody, and must not be worth opening.
        if (ReadExtents(FindText(sectors, declared), OneFileKinds) is not [{ Type: "SPARSE", Rest: ['"', .. var name, '"'] }] || !IsPlainName(name))
            throw ForeignExtent();
    }

    /// <summary>Whether content begins as a descriptor that stands alone.</summary>
    /// <param name="start">The content's first bytes.</param>
    public static bool IsIn(ReadOnlySpan<byte> start)
    {
        foreach (var line in Encoding.Latin1.GetString(start).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# Disk DescriptorFile", StringComparison.OrdinalIgnoreCase))
                return true;

            // Tools take any text for a descriptor whose first line that is no comment is this one.
            if (!line.StartsWith('#'))
                return line.StartsWith("version=", StringComparison.OrdinalIgnoreCase);
        }

        return false;
    }

    /// <summary>The stretches of a disk that is kept as it is, in their order, by a descriptor that stands alone.</summary>
    /// <param name="file">The whole of it.</param>
    /// <exception cref="UnsafeContentException">The disk is of another kind, based on another one, of no size that a disk has, or in files elsewhere.</exception>
    public static IReadOnlyList<FlatExtent> ReadFlat(ReadOnlySpan<byte> file)
    {
        var extents = ReadExtents(FindText(file, file.Length), FlatKinds).ConvertAll(ReadFlat);
        if (extents.Count is 0 or > MostExtents || extents.Sum(e => (decimal)e.Length) > Refusal.MaxVirtualSize)
            throw Bad("the disk is of no size that a disk has");
        if (extents.Where(e => e.File is not null).GroupBy(e => e.File, StringComparer.OrdinalIgnoreCase).Any(same => same.Skip(1).Any()))
            throw Bad("it has a file twice");

        return extents;
    }

    private static ReadOnlySpan<byte> FindText(ReadOnlySpan<byte> bytes, int declared)
    {
        var end = bytes.IndexOf((byte)0);
        end = end < 0 ? bytes.Length : end;
        return end <= declared && IsRest(bytes[end..declared], bytes[..end]) ? bytes[..end] : throw Bad("it does not end where it should");
    }

    // qemu-img puts a new content id over the old one. Where the new one is shorter, the text moves up and its old end stays behind.
    private static bool IsRest(ReadOnlySpan<byte> rest, ReadOnlySpan<byte> text)
    {
        var left = rest.TrimEnd((byte)0);
        if (left.Length > MostShortened)
            return false;

        foreach (var piece in left.Split((byte)0))
        {
            if (!text.EndsWith(left[piece]))
                return false;
        }

        return true;
    }

    private static void CheckWords(string text)
    {
        if (Count(text, "parentFileNameHint") != 0 || Count(text, "parentCID") != 1)
            throw Parent();
        if (Count(text, "createType") != 1)
            throw Bad("it does not say once what kind of disk it is");
        if (text.Replace("\r\n", "\n", StringComparison.Ordinal).Contains('\r', StringComparison.Ordinal))
            throw Bad("its lines end in different ways");
    }

    private static FlatExtent ReadFlat(DescribedExtent extent)
    {
        if (!long.TryParse(extent.Sectors, NumberStyles.None, CultureInfo.InvariantCulture, out var sectors)
            || sectors is 0 or > Refusal.MaxVirtualSize / VmdkHeader.SectorSize)
            throw Bad("the disk is of no size that a disk has");
        if (extent is { Type: "ZERO", Rest: "" })
            return new FlatExtent(sectors * VmdkHeader.SectorSize, File: null, Offset: 0);

        // A name in quotation marks, then the sector where the stretch begins; on VMFS it is the first one.
        var end = extent.Rest.LastIndexOf('"');
        if (extent.Type is not ("FLAT" or "VMFS") || end < 1 || extent.Rest[0] != '"' || !IsPlainName(extent.Rest[1..end]))
            throw ForeignExtent();

        var first = extent.Rest[(end + 1)..].Trim();
        if (!long.TryParse(first is "" ? "0" : first, NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            || offset > Refusal.MaxVirtualSize / VmdkHeader.SectorSize)
            throw Bad("the data begin nowhere");

        return new FlatExtent(sectors * VmdkHeader.SectorSize, extent.Rest[1..end], offset * VmdkHeader.SectorSize);
    }

    private static List<DescribedExtent> ReadExtents(ReadOnlySpan<byte> bytes, string[] kinds)
    {
        var text = Encoding.Latin1.GetString(bytes);
        if (text.Any(c => char.IsAscii(c) && char.IsControl(c) && c is not ('\r' or '\n' or '\t')))
            throw Bad("it has characters that no text has");

        CheckWords(text);
        var extents = new List<DescribedExtent>();
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith('#'))
                continue;

            // access, number of sectors, type, and for most types a file name and an offset
            var words = line.Split((char[])[' ', '\t'], 4, StringSplitOptions.RemoveEmptyEntries);
            if (!Accesses.Contains(words[0], StringComparer.OrdinalIgnoreCase))
                CheckSetting(line, kinds);
            else if (words.Length >= 3)
                extents.Add(new DescribedExtent(words[1], words[2].ToUpperInvariant(), words.ElementAtOrDefault(3) ?? ""));
            else
                throw ForeignExtent();
        }

        return extents;
    }

    private static void CheckSetting(string line, string[] kinds)
    {
        var equals = line.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
            throw Bad("it has a line that is no setting");

        var key = line[..equals].TrimEnd();
        var value = line[(equals + 1)..].Trim().Trim('"');
        switch (key.ToUpperInvariant())
        {
            case "PARENTCID":
                if (!value.Equals("ffffffff", StringComparison.OrdinalIgnoreCase))
                    throw Parent();
                return;
            case var parent when parent.Contains("PARENT", StringComparison.Ordinal):
                // VirtualBox writes more ids of parents, as zeros where there are none.
                if (value.AsSpan().ContainsAnyExcept("0-"))
                    throw Parent();
                return;
            case "VERSION" or "ENCODING" or "CID":
            case "ISNATIVESNAPSHOT" when value.Equals("no", StringComparison.OrdinalIgnoreCase):
            case var data when data.StartsWith("DDB.", StringComparison.Ordinal):
                return;
            case "CREATETYPE":
                if (!kinds.Contains(value))
                    throw ForeignExtent();
                return;
            default:
                throw Bad($"it has a setting that is not known here ({Shown(key)})");
        }
    }

    private static bool IsPlainName(string name) => name.Length > 0 && name.IndexOfAny(['/', '\\', '"']) < 0;

    private static int Count(string text, string word)
    {
        var count = 0;
        for (var at = 0; (at = text.IndexOf(word, at, StringComparison.OrdinalIgnoreCase)) >= 0; at += word.Length)
            count++;

        return count;
    }

    private static string Shown(string key) => key.Length <= 40 && key.All(c => char.IsAsciiLetterOrDigit(c) || c == '.') ? key : "an odd one";

    private static UnsafeContentException ForeignExtent() =>
        new("vmdk-foreign-extent", "the VMDK image keeps its data in other files, or is of a kind that does.");

    private static UnsafeContentException Parent() => new("vmdk-parent", "the VMDK image is based on another one.");

    private static UnsafeContentException Bad(string what) => new("vmdk-bad-descriptor", $"the VMDK image's descriptor cannot be right: {what}.");

    private readonly record struct DescribedExtent(string Sectors, string Type, string Rest);
}

/// <summary>A stretch of a disk that is kept as it is.</summary>
/// <param name="Length">In bytes, like all here.</param>
/// <param name="File">What has it; null where it is zeros.</param>
/// <param name="Offset">Where in that file it begins.</param>
internal sealed record FlatExtent(long Length, string? File, long Offset);
