using System.Text;
using Vitrine.Content;

namespace Vitrine.Formats.Vmdk;

/// <summary>The text of a VMDK, which says where a disk's sectors are kept. Only "in this very file" is acceptable.</summary>
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

    private static readonly string[] Accesses = ["RW", "RDONLY", "NOACCESS"];

    /// <summary>Refuses content that is a descriptor and nothing else: its data are elsewhere.</summary>
    /// <param name="start">The content's first bytes.</param>
    public static void RefuseAlone(ReadOnlySpan<byte> start)
    {
        if (IsDescriptor(Encoding.Latin1.GetString(start)))
            throw new UnsafeContentException("vmdk-foreign-extent", "the file is the description of a VMDK disk whose data are in other files.");
    }

    /// <param name="sectors">The descriptor, and maybe what follows it.</param>
    /// <param name="declared">How many bytes the header gives it.</param>
    public static void Check(ReadOnlySpan<byte> sectors, int declared)
    {
        var end = sectors.IndexOf((byte)0);
        end = end < 0 ? sectors.Length : end;
        if (end > declared || !IsRest(sectors[end..declared], sectors[..end]))
            throw Bad("it does not end where it should");

        var text = Encoding.Latin1.GetString(sectors[..end]);
        if (text.Any(c => char.IsAscii(c) && char.IsControl(c) && c is not ('\r' or '\n' or '\t')))
            throw Bad("it has characters that no text has");

        CheckWords(text);
        CheckLines(text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
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

    private static void CheckLines(string[] lines)
    {
        var extents = 0;
        foreach (var line in lines)
        {
            if (line.StartsWith('#'))
                continue;

            if (Accesses.Contains(line.Split(' ', '\t')[0], StringComparer.OrdinalIgnoreCase))
                CheckExtent(line, ++extents);
            else
                CheckSetting(line);
        }

        if (extents != 1)
            throw ForeignExtent();
    }

    private static void CheckExtent(string line, int count)
    {
        // access, number of sectors, type, file name, and for other types an offset
        var words = line.Split((char[])[' ', '\t'], 4, StringSplitOptions.RemoveEmptyEntries);
        if (count > 1 || words.Length < 4 || !words[2].Equals("SPARSE", StringComparison.OrdinalIgnoreCase) || !IsPlainName(words[3]))
            throw ForeignExtent();
    }

    private static void CheckSetting(string line)
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
                if (value is not ("monolithicSparse" or "streamOptimized"))
                    throw ForeignExtent();
                return;
            default:
                throw Bad($"it has a setting that is not known here ({Shown(key)})");
        }
    }

    private static bool IsDescriptor(string text)
    {
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# Disk DescriptorFile", StringComparison.OrdinalIgnoreCase))
                return true;

            // Tools take any text for a descriptor whose first line that is no comment is this one.
            if (!line.StartsWith('#'))
                return line.StartsWith("version=", StringComparison.OrdinalIgnoreCase);
        }

        return false;
    }

    // The name is that of the file itself, as it once was. It is opened by nobody, and must not be worth opening.
    private static bool IsPlainName(string quoted) =>
        quoted is ['"', .. var name, '"'] && name.Length > 0 && name.IndexOfAny(['/', '\\', '"']) < 0;

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
}
