namespace Vitrine.Cli;

/// <summary>Columns of text, never broken, so that lines can be searched and cut.</summary>
internal static class TextTable
{
    public static void Write(TextWriter output, IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.Prepend(head).Select(row => row.Select(Shown).ToList()).ToList();
        var widths = Enumerable.Range(0, head.Count).Select(column => all.Max(row => row[column].Length)).ToList();
        foreach (var row in all)
            output.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }

    /// <summary>Names and values below each other; what has no value is left out.</summary>
    public static void WriteFacts(TextWriter output, params IReadOnlyList<(string Name, string? Value)> facts)
    {
        var shown = facts.Where(f => !string.IsNullOrEmpty(f.Value)).ToList();
        var width = shown.Select(f => f.Name.Length).DefaultIfEmpty().Max();
        foreach (var (name, value) in shown)
            output.WriteLine($"{name.PadRight(width)}  {Shown(value!)}");
    }

    /// <summary>Names come from users, and must not move a terminal's cursor.</summary>
    private static string Shown(string text) =>
        text.Length == 0 ? "-" : text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '·' : c)) : text;
}
