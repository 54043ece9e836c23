using System.Collections.Immutable;
using System.Text.Json;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Metadata;

namespace Vitrine.Catalogue.Metadata;

/// <summary>A namespace as its table has it.</summary>
internal sealed class NamespaceRow
{
    public string Id { get; init; } = "";
    public string Name { get; init; } = "";
    public string? DisplayName { get; init; }
    public string? Description { get; init; }
    public bool Public { get; init; }
    public bool Protected { get; init; }
    public string? Owner { get; init; }

    /// <summary>A JSON list of <see cref="ResourceTypeLink"/>.</summary>
    public string ResourceTypes { get; init; } = "";

    /// <summary>A JSON object: a <see cref="DefinitionDocument"/>.</summary>
    public string Definitions { get; init; } = "";

    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }
    public long Version { get; init; }

    /// <summary>The row that is to be stored for a namespace: its version is the next.</summary>
    public static NamespaceRow From(DefinitionNamespace space) => new()
    {
        Id = space.Id.ToString(),
        Name = space.Name,
        DisplayName = space.DisplayName,
        Description = space.Description,
        Public = space.Public,
        Protected = space.Protected,
        Owner = space.Owner?.Value,
        ResourceTypes = JsonSerializer.Serialize(space.ResourceTypes),
        Definitions = JsonSerializer.Serialize(new DefinitionDocument(space.Properties, space.Objects, space.Tags)),
        CreatedAt = Stored.Micros(space.CreatedAt),
        UpdatedAt = Stored.Micros(space.UpdatedAt),
        Version = space.Version + 1,
    };

    public DefinitionNamespace ToNamespace()
    {
        // Lists do not read what is in a namespace.
        var definitions = Definitions.Length > 0 ? JsonSerializer.Deserialize<DefinitionDocument>(Definitions)! : new DefinitionDocument([], [], []);
        return new DefinitionNamespace
        {
            Id = NamespaceId.Parse(Id),
            Name = Name,
            DisplayName = DisplayName,
            Description = Description,
            Public = Public,
            Protected = Protected,
            Owner = Owner is null ? null : new ProjectId(Owner),
            ResourceTypes = JsonSerializer.Deserialize<ImmutableList<ResourceTypeLink>>(ResourceTypes)!,
            Properties = definitions.Properties,
            Objects = definitions.Objects,
            Tags = definitions.Tags,
            CreatedAt = Stored.Time(CreatedAt),
            UpdatedAt = Stored.Time(UpdatedAt),
            Version = Version,
        };
    }

    private sealed record DefinitionDocument(
        ImmutableList<DefinedProperty> Properties, ImmutableList<DefinedObject> Objects, ImmutableList<DefinedTag> Tags);
}
