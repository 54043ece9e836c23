using Dapper;

namespace Vitrine.Catalogue.Database;

/// <summary>The values of a statement that is put together from parts; each gets a name of its own.</summary>
internal sealed class Parameters
{
    private int _count;

    public DynamicParameters Values { get; } = new();

    /// <returns>The name under which the statement refers to the value.</returns>
    public string Add(object value)
    {
        // Lists become several parameters, each with a number after the name, which must not make the name of another.
        var name = $"@p{_count++}_";
        Values.Add(name, value);
        return name;
    }
}
