namespace Vitrine.Access;

/// <summary>Who owns images and has quotas.</summary>
public sealed record Project
{
    public required ProjectId Id { get; init; }
    public required string Name { get; init; }

    /// <summary>The id of the identity domain; it never changes.</summary>
    public required string Domain { get; init; }

    public string Description { get; init; } = "";

    /// <summary>Nobody logs in to a disabled project, and logins to it stop to hold.</summary>
    public bool Enabled { get; init; } = true;

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Counts the changes; the catalogue accepts the next version only.</summary>
    public long Version { get; init; }
}
