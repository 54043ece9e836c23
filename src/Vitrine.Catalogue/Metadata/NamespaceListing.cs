using Vitrine.Catalogue.Database;
using Vitrine.Metadata;

namespace Vitrine.Catalogue.Metadata;

/// <summary>The statement that answers one page of a list of namespaces.</summary>
internal sealed class NamespaceListing
{
    private readonly Parameters _parameters = new();
    private readonly NamespaceQuery _query;
    private readonly Dialect _dialect;

    public NamespaceListing(NamespaceQuery query, Dialect dialect)
    {
        (_query, _dialect) = (query, dialect);
        var order = string.Join(", ", Keys().Select(key => $"{key.Column}{(query.Descending ? " desc" : "")}"));
        Statement = $"""
            select id, name, display_name, description, public, protected, owner, resource_types, created_at, updated_at, version
            from metadata_namespaces where {string.Join(" and ", Conditions().Prepend("1 = 1"))} order by {order} limit {_parameters.Add(query.Limit)}
            """;
    }

    public string Statement { get; }

    public object Values => _parameters.Values;

    private IEnumerable<string> Conditions()
    {
        if (_query.Sight is { } sight)
            yield return sight.Project is { } project
                ? $"(public or owner is null or owner = {_parameters.Add(project.Value)})"
                : "(public or owner is null)";
        if (_query.Public is { } isPublic)
            yield return isPublic ? "public" : "not public";
        if (_query.ResourceTypes is { } types)
            yield return $"""
                exists (select 1 from metadata_links where namespace = metadata_namespaces.id
                    and {_dialect.In("resource_type", _parameters.Add(types.Where(Stored.CanHold).ToArray()))})
                """;
        if (_query.After is { } last)
            yield return After(last);
    }

    private string After(DefinitionNamespace last)
    {
        var keys = Keys().ToList();
        var values = keys.Select(key => _parameters.Add(key.ValueOf(last)));
        return $"({string.Join(", ", keys.Select(key => key.Column))}) {(_query.Descending ? '<' : '>')} ({string.Join(", ", values)})";
    }

    private IEnumerable<(string Column, Func<DefinitionNamespace, object> ValueOf)> Keys()
    {
        if (_query.Sort is NamespaceSortKey.CreatedAt)
            yield return ("created_at", space => Stored.Micros(space.CreatedAt));
        if (_query.Sort is NamespaceSortKey.UpdatedAt)
            yield return ("updated_at", space => Stored.Micros(space.UpdatedAt));
        yield return ("name", space => space.Name);
    }
}
