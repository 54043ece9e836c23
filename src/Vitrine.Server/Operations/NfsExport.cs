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
        if (words is not [['/', ..] path, .. var rest])
            return null;

        // A word that begins with a dash has options for all clients; what stands in brackets, or before them nothing, is of one.
        var clients = rest.Where(word => !word.StartsWith('-')).Select(word => word.Split('(')[0]).ToList();
        return new NfsExport(path, clients.Count > 0 ? clients : [""]);
    }

    /// <summary>Parted by blanks outside of quotes, up to a comment, with what is escaped by a backslash and three octal digits.</summary>
    private static IEnumerable<string> Words(string line)
    {
        var (word, isQuoted, isWord) = (new StringBuilder(), false, false);
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (c == '"')
                (isQuoted, isWord) = (!isQuoted, true);
            else if (!isQuoted && c == '#')
                break;
            else if (isQuoted || !char.IsWhiteSpace(c))
                (word, isWord) = (word.Append(IsEscape(line, i) ? Unescaped(line, ref i) : c), true);
            else if (isWord)
            {
                yield return word.ToString();
                (word, isWord) = (word.Clear(), false);
            }
        }

        if (isWord)
            yield return word.ToString();
    }

    private static bool IsEscape(string line, int at) =>
        line[at] == '\\' && at + 3 < line.Length && line.AsSpan(at + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0;

    private static char Unescaped(string line, ref int at)
    {
        var digits = line.AsSpan(at + 1, 3);
        at += 3;
        return (char)(((digits[0] - '0') << 6) | ((digits[1] - '0') << 3) | (digits[2] - '0'));
    }
}
