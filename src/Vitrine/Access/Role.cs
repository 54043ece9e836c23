namespace Vitrine.Access;

/// <summary>Names a role. 32 hexadecimal digits when made here.</summary>
public readonly record struct RoleId(string Value)
{
    public static RoleId New() => new(IdentityIds.New());

    public override string ToString() => Value;
}

/// <summary>What a user may be in a project, a domain or the system. Its name decides what it allows.</summary>
public sealed record Role
{
    public required RoleId Id { get; init; }

    /// <summary>Unique; <see cref="RoleNames"/> has those that mean something here.</summary>
    public required string Name { get; init; }

    public string Description { get; init; } = "";

    /// <summary>Counts the changes; the catalogue accepts the next version only.</summary>
    public long Version { get; init; }
}
