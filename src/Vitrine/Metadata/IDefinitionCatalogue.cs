using Vitrine.Access;

namespace Vitrine.Metadata;

/// <summary>Where namespaces of definitions are kept.</summary>
public interface IDefinitionCatalogue
{
    /// <summary>
    /// Stores a namespace whose <c>Version</c> is 0 as a new one; any other only in the place of the one with the same version.
    /// Resource types that nobody named before are known from then on, whatever becomes of the namespace.
    /// </summary>
    /// <returns>The namespace with its next version.</returns>
    /// <exception cref="DefinitionExistsException">Another namespace has the name.</exception>
    /// <exception cref="ConcurrentChangeException">The stored one has another version by now, or is gone.</exception>
    Task<DefinitionNamespace> SaveAsync(DefinitionNamespace space, CancellationToken cancellationToken);

    Task<DefinitionNamespace?> FindAsync(string name, CancellationToken cancellationToken);

    /// <summary>One page. The namespaces come without their properties, objects and tags, which no list shows.</summary>
    Task<IReadOnlyList<DefinitionNamespace>> ListAsync(NamespaceQuery query, CancellationToken cancellationToken);

    /// <exception cref="ConcurrentChangeException">The stored one has another version by now, or is gone.</exception>
    Task DeleteAsync(DefinitionNamespace space, CancellationToken cancellationToken);

    /// <summary>All that were ever named, by their names.</summary>
    Task<IReadOnlyList<ResourceType>> ListResourceTypesAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Stores new namespaces, each but once in the life of the catalogue: one that was offered before, or whose name is taken, is
    /// passed over, so that what operators changed or deleted stays as they left it.
    /// </summary>
    Task PreloadAsync(IReadOnlyList<DefinitionNamespace> spaces, CancellationToken cancellationToken);
}

/// <summary>Which namespaces, in which order.</summary>
public sealed record NamespaceQuery
{
    /// <summary>Who asks; null for somebody who sees all.</summary>
    public NamespaceSight? Sight { get; init; }

    /// <summary>Only those that everybody sees, or only those that not everybody sees; null for both.</summary>
    public bool? Public { get; init; }

    /// <summary>Only those meant for one of these types; null for any.</summary>
    public IReadOnlyCollection<string>? ResourceTypes { get; init; }

    public NamespaceSortKey Sort { get; init; } = NamespaceSortKey.CreatedAt;
    public bool Descending { get; init; } = true;

    /// <summary>The last one of the page before.</summary>
    public DefinitionNamespace? After { get; init; }

    public required int Limit { get; init; }
}

/// <param name="Project">Null for somebody without one, who sees the public namespaces.</param>
public sealed record NamespaceSight(ProjectId? Project);

/// <summary>What a list is ordered by; the name settles what is equal.</summary>
public enum NamespaceSortKey
{
    CreatedAt,
    UpdatedAt,
    Name,
}
