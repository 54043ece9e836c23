using System.Reflection;
using System.Text;

namespace Vitrine.Catalogue.Database;

/// <summary>The parts of statements that follow from the properties of a row: <c>CreatedAt</c> is the column <c>created_at</c>.</summary>
/// <typeparam name="TRow">Has one property for each column that is written.</typeparam>
internal static class Row<TRow>
{
    private static readonly string[] Properties =
        [.. typeof(TRow).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Select(p => p.Name)];

    /// <summary>The columns, for a SELECT or an INSERT.</summary>
    public static readonly string Columns = string.Join(", ", Properties.Select(Column));

    /// <summary>The parameters, in the order of <see cref="Columns"/>.</summary>
    public static readonly string Parameters = string.Join(", ", Properties.Select(p => $"@{p}"));

    /// <summary>Each column equal to its parameter, for an UPDATE.</summary>
    public static readonly string Assignments = string.Join(", ", Properties.Select(p => $"{Column(p)} = @{p}"));

    private static string Column(string property)
    {
        var column = new StringBuilder();
        foreach (var letter in property)
        {
            if (char.IsAsciiLetterUpper(letter) && column.Length > 0)
                column.Append('_');
            column.Append(char.ToLowerInvariant(letter));
        }

        return column.ToString();
    }
}
