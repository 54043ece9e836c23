namespace Vitrine.Access;

/// <summary>A name space of projects and users. Names are unique within one, ids over all.</summary>
public sealed record IdentityDomain
{
    /// <summary><see cref="IdentityIds.DefaultDomain"/> for the one that is always there.</summary>
    public required string Id { get; init; }

    public required string Name { get; init; }
    public string Description { get; init; } = "";

    /// <summary>Nobody of a disabled domain logs in, and nobody logs in to its projects.</summary>
    public bool Enabled { get; init; } = true;

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Counts the changes; the catalogue accepts the next version only.</summary>
    public long Version { get; init; }
}
