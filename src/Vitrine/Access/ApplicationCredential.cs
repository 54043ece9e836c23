using System.Collections.Immutable;

namespace Vitrine.Access;

/// <summary>Names an application credential. 32 hexadecimal digits when made here.</summary>
public readonly record struct ApplicationCredentialId(string Value)
{
    public static ApplicationCredentialId New() => new(IdentityIds.New());

    public override string ToString() => Value;
}

/// <summary>A secret by which a program logs in to one project as a user, with some of the user's roles there.</summary>
/// <remarks>It never changes; one that is no longer good is deleted and another made.</remarks>
public sealed record ApplicationCredential
{
    public required ApplicationCredentialId Id { get; init; }

    /// <summary>Unique among those of the user.</summary>
    public required string Name { get; init; }

    public required UserId User { get; init; }
    public required ProjectId Project { get; init; }
    public string Description { get; init; } = "";
    public required string SecretHash { get; init; }

    /// <summary>What its logins have at most; a role that the user loses is lost to them too.</summary>
    public required ImmutableArray<RoleId> Roles { get; init; }

    /// <summary>Whether its logins may make and delete application credentials themselves.</summary>
    public bool Unrestricted { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    public bool IsExpired(DateTimeOffset now) => ExpiresAt <= now;

    /// <summary>Never prints the hash, as logs print records.</summary>
    public override string ToString() => $"application credential {Name} ({Id})";
}
