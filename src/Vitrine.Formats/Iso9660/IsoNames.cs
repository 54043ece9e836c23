using System.Text;

namespace Vitrine.Formats.Iso9660;

/// <summary>The poorer names of files, for readers that know no Rock Ridge: unique in their directory, and the same each time.</summary>
internal static class IsoNames
{
    // ECMA-119, 7.5.1 and 7.6.3, interchange level 2: thirty characters, a dot between them.
    private const int MostPlain = 31;
    private const int MostPlainExtension = 12;

    // The Joliet specification: 128 bytes of UCS-2. Longer names cannot be written, and are cut.
    private const int MostJoliet = 64;
    private const int MostJolietExtension = 16;

    /// <summary>Capitals, digits and underscores, with one dot in files' names, and a version at their end.</summary>
    public static IReadOnlyList<Named> Plain(IReadOnlyCollection<IsoNode> children) => Unique(
        children,
        // A directory must not have the name of a file without extension, which ends in its dot.
        node => node is IsoDirectory ? new Parts(FoldPlain(node.Name), ".") : SplitPlain(node.Name),
        MostPlain,
        (node, name) => IsoText.Ascii.GetBytes(node is IsoDirectory ? name.TrimEnd('.') : $"{name};1"));

    /// <summary>Exact up to 64 characters, but for those that Joliet has no room for. No version, as other tools leave it out too.</summary>
    public static IReadOnlyList<Named> Joliet(IReadOnlyCollection<IsoNode> children) => Unique(
        children,
        node => SplitJoliet(FoldJoliet(node.Name)),
        MostJoliet,
        (_, name) => IsoText.Ucs2.GetBytes(name));

    private static List<Named> Unique(
        IReadOnlyCollection<IsoNode> children, Func<IsoNode, Parts> split, int most, Func<IsoNode, string, byte[]> spell)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var counts = new Dictionary<Parts, int>();
        var names = new List<(string Name, IsoNode Node)>(children.Count);
        foreach (var node in children)
        {
            var parts = split(node);
            var name = parts.Join("", most);
            while (!taken.Add(name))
                name = parts.Join($"{counts[parts] = counts.GetValueOrDefault(parts) + 1}", most);
            names.Add((name, node));
        }

        names.Sort((one, other) => string.CompareOrdinal(one.Name, other.Name));
        return [.. names.Select(n => new Named(spell(n.Node, n.Name), n.Node))];
    }

    private static Parts SplitPlain(string name)
    {
        var dot = name.LastIndexOf('.');
        return dot <= 0
            ? new Parts(FoldPlain(name), ".")
            : new Parts(FoldPlain(name[..dot]), $".{Cut(FoldPlain(name[(dot + 1)..]), MostPlainExtension)}");
    }

    private static Parts SplitJoliet(string name)
    {
        var dot = name.LastIndexOf('.');
        return dot <= 0 || name.Length - dot > MostJolietExtension ? new Parts(name, "") : new Parts(name[..dot], name[dot..]);
    }

    private static string FoldPlain(string name) => Fold(name, rune =>
        rune.IsAscii && Rune.IsLetterOrDigit(rune) ? char.ToUpperInvariant((char)rune.Value) : '_');

    private static string FoldJoliet(string name) => Fold(name, rune =>
        !rune.IsBmp || rune.Value < ' ' || "*/:;?\\".Contains((char)rune.Value, StringComparison.Ordinal) ? '_' : (char)rune.Value);

    private static string Fold(string name, Func<Rune, char> fold) => string.Concat(name.EnumerateRunes().Select(fold));

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..length];

    /// <param name="Extension">With its dot; never cut.</param>
    private readonly record struct Parts(string Stem, string Extension)
    {
        /// <param name="number">Tells it from others that would have the same name; empty where there are none.</param>
        public string Join(string number, int most) => $"{Cut(Stem, most - number.Length - Extension.Length)}{number}{Extension}";
    }
}

/// <param name="Identifier">As it stands in a directory record.</param>
internal readonly record struct Named(byte[] Identifier, IsoNode Node);
