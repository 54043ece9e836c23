using System.Collections.Immutable;

namespace Vitrine.Metadata;

public enum DefinitionKind
{
    Namespace,
    Property,
    Object,
    Tag,
    ResourceType,
}

/// <summary>Something with a name of its own within a namespace.</summary>
public interface IDefinition
{
    /// <summary>Which kind all of the type are.</summary>
    static abstract DefinitionKind Kind { get; }

    string Name { get; }
}

/// <summary>A property: its name, and which values it takes. What is null is not said.</summary>
public sealed record DefinedProperty : IDefinition
{
    public static DefinitionKind Kind => DefinitionKind.Property;

    public required string Name { get; init; }
    public required PropertyType Type { get; init; }

    /// <summary>The name as people read it.</summary>
    public required string Title { get; init; }

    public string? Description { get; init; }

    /// <summary>The comparisons that a scheduler may make with the value, as <c>&lt;or&gt;</c>.</summary>
    public ImmutableList<string>? Operators { get; init; }

    public string? Default { get; init; }
    public bool? ReadOnly { get; init; }
    public decimal? Minimum { get; init; }
    public decimal? Maximum { get; init; }

    /// <summary>All the values that there are.</summary>
    public ImmutableList<string>? Values { get; init; }

    /// <summary>A regular expression. Nobody here evaluates it.</summary>
    public string? Pattern { get; init; }

    public int? MinLength { get; init; }
    public int? MaxLength { get; init; }
    public DefinedItems? Items { get; init; }
    public bool? UniqueItems { get; init; }
    public int? MinItems { get; init; }
    public int? MaxItems { get; init; }
    public bool? AdditionalItems { get; init; }
}

/// <summary>The types of JSON.</summary>
public enum PropertyType
{
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}

/// <summary>What the elements of an array are.</summary>
public sealed record DefinedItems(PropertyType Type, ImmutableList<string>? Values);

/// <summary>Properties that belong together.</summary>
public sealed record DefinedObject : IDefinition
{
    public static DefinitionKind Kind => DefinitionKind.Object;

    public required string Name { get; init; }
    public string? Description { get; init; }

    /// <summary>The names of the properties that a resource with the object must have.</summary>
    public ImmutableList<string> Required { get; init; } = [];

    public ImmutableList<DefinedProperty> Properties { get; init; } = [];
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A word that resources may be tagged with.</summary>
public sealed record DefinedTag(string Name, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt) : IDefinition
{
    public static DefinitionKind Kind => DefinitionKind.Tag;
}

/// <summary>That a namespace is meant for resources of a type.</summary>
/// <param name="Name">The type.</param>
/// <param name="Prefix">Stands before the names of the properties on such resources, as <c>hw_</c>.</param>
/// <param name="Target">Which of several sets of properties is meant, where such resources have several.</param>
public sealed record ResourceTypeLink(string Name, string? Prefix, string? Target, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt) : IDefinition
{
    public static DefinitionKind Kind => DefinitionKind.ResourceType;
}

/// <summary>Lists in which no name stands twice.</summary>
public static class DefinitionLists
{
    /// <exception cref="DefinitionNotFoundException">There is none of this name.</exception>
    public static T Get<T>(this ImmutableList<T> list, string name) where T : class, IDefinition =>
        list.Find(d => IsNamed(d, name)) ?? throw new DefinitionNotFoundException(T.Kind, name);

    /// <exception cref="DefinitionExistsException">There is one of this name.</exception>
    public static ImmutableList<T> With<T>(this ImmutableList<T> list, T added) where T : class, IDefinition =>
        list.Exists(d => IsNamed(d, added.Name)) ? throw new DefinitionExistsException(T.Kind, added.Name) : list.Add(added);

    /// <summary>The definition of this name changed, its name perhaps, too; it keeps its place.</summary>
    /// <exception cref="DefinitionNotFoundException">There is none of this name.</exception>
    /// <exception cref="DefinitionExistsException">Another has its new name.</exception>
    public static ImmutableList<T> Changed<T>(this ImmutableList<T> list, string name, Func<T, T> change) where T : class, IDefinition
    {
        var current = list.Get(name);
        var next = change(current);
        return list.Exists(d => d != current && IsNamed(d, next.Name))
            ? throw new DefinitionExistsException(T.Kind, next.Name)
            : list.Replace(current, next);
    }

    /// <exception cref="DefinitionNotFoundException">There is none of this name.</exception>
    public static ImmutableList<T> Without<T>(this ImmutableList<T> list, string name) where T : class, IDefinition => list.Remove(list.Get(name));

    /// <exception cref="DefinitionExistsException">A name does.</exception>
    public static void RequireDistinct<T>(this ImmutableList<T> list) where T : class, IDefinition
    {
        if (list.CountBy(d => d.Name, Names<T>()).FirstOrDefault(name => name.Value > 1) is { Key: { } twice })
            throw new DefinitionExistsException(T.Kind, twice);
    }

    private static bool IsNamed<T>(T definition, string name) where T : IDefinition => Names<T>().Equals(definition.Name, name);

    // People write tags in capitals or not, and mean the same.
    private static StringComparer Names<T>() where T : IDefinition =>
        T.Kind is DefinitionKind.Tag ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
}
