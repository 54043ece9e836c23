using System.Collections.Immutable;
using Vitrine.Access;

namespace Vitrine.Metadata;

/// <summary>A group of definitions under one name, and the types of resources that they are meant for.</summary>
/// <remarks>
/// Definitions tell people and programs which properties a resource may carry and what their values mean. They are advice: no
/// image is held to them.
/// </remarks>
public sealed record DefinitionNamespace
{
    public required NamespaceId Id { get; init; }

    /// <summary>Unique among all, as <c>OS::Compute::Watchdog</c>; may be changed.</summary>
    public required string Name { get; init; }

    public string? DisplayName { get; init; }
    public string? Description { get; init; }

    /// <summary>Whether every project sees it, or its owner alone.</summary>
    public bool Public { get; init; }

    /// <summary>Whether it, and what is in it, is safe from deletion.</summary>
    public bool Protected { get; init; }

    /// <summary>Null where it came with the product; such a namespace is seen by everybody.</summary>
    public ProjectId? Owner { get; init; }

    /// <summary>In the order in which they were added, as all the lists.</summary>
    public ImmutableList<ResourceTypeLink> ResourceTypes { get; init; } = [];

    public ImmutableList<DefinedProperty> Properties { get; init; } = [];
    public ImmutableList<DefinedObject> Objects { get; init; } = [];
    public ImmutableList<DefinedTag> Tags { get; init; } = [];

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Counts the times it was stored; 0 for one that never was.</summary>
    public long Version { get; init; }

    /// <summary>The same namespace, if what is in it may be taken away.</summary>
    /// <exception cref="DefinitionProtectedException">It may not.</exception>
    public DefinitionNamespace RequireUnprotected(DefinitionKind kind, string name) =>
        Protected ? throw new DefinitionProtectedException(kind, name) : this;
}

public readonly record struct NamespaceId(Guid Value)
{
    public static NamespaceId New() => new(Guid.NewGuid());

    public static NamespaceId Parse(string text) => new(Guid.ParseExact(text, "D"));

    public override string ToString() => Value.ToString("D");
}

/// <summary>A type of resources that definitions are meant for, as <c>OS::Glance::Image</c>; known since a namespace named it first.</summary>
public sealed record ResourceType(string Name, DateTimeOffset CreatedAt);
