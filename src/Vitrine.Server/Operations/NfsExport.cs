using System.Text;

namespace Vitrine.Server.Operations;

/// <summary>A directory that this machine gives to others by NFS, as exports(5) writes it.</summary>
/// <param name="Clients">To whom: addresses, networks, names and patterns of names; an empty text is everybody.</param>
internal sealed record NfsExport(string Path, IReadOnlyList<string> Clients)
{
    /// <summary>Reads a file of exports. A line that does not begin with a path is passed over.</summary>
    public static IEnumerable<NfsExport> Parse(string text) => text.ReplaceLineEndings("\n").Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')
        .Select(ParseLine).OfType<NfsExport>();

    private static NfsExport? ParseLine(string line)
    {
        var words = Words(line).ToList();
        if (words is not [['/', ..] path, .. var rest] || path.Contains('\0', StringComparison.Ordinal))
            return null;

        // A word that begins with a dash has options for all clients; what stands in brackets, or before them nothing, is of one.
        var clients = rest.Where(word => !word.StartsWith('-')).Select(word => word.Split('(')[0]).ToList();
        return new NfsExport(path, clients.Count > 0 ? clients : [""]);
    }

    /// <summary>Parted by blanks outside of quotes, up to a comment, with bytes that are escaped by a backslash and three octal digits.</summary>
    private static IEnumerable<string> Words(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line);
        var (word, isQuoted, isWord) = (new List<byte>(), false, false);
        for (var i = 0; i < bytes.Length; i++)
        {
            var c = bytes[i];
            if (c == '"')
                (isQuoted, isWord) = (!isQuoted, true);
            else if (!isQuoted && c == '#')
                break;
            else if (!isQuoted && (c == ' ' || c == '\t'))
            {
                if (isWord)
                    yield return Encoding.UTF8.GetString([.. word]);
                (word, isWord) = ([], false);
            }
            else
            {
                word.Add(IsEscape(bytes, i) ? Unescaped(bytes, ref i) : c);
                isWord = true;
            }
        }

        if (isWord)
            yield return Encoding.UTF8.GetString([.. word]);
    }

    private static bool IsEscape(ReadOnlySpan<byte> bytes, int at) =>
        bytes[at] == '\\' && at + 3 < bytes.Length && bytes.Slice(at + 1, 3).IndexOfAnyExceptInRange((byte)'0', (byte)'7') < 0;

    private static byte Unescaped(ReadOnlySpan<byte> bytes, ref int at)
    {
        var digits = bytes.Slice(at + 1, 3);
        at += 3;
        return (byte)(((digits[0] - '0') << 6) | ((digits[1] - '0') << 3) | (digits[2] - '0'));
    }
}
