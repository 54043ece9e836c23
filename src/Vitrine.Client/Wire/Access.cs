using System.Text.Json.Serialization;

namespace Vitrine.Client;

/// <summary>Asks for a token: by a user's password, or by an application credential.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record TokenRequest
{
    public string? User { get; init; }
    public string? Password { get; init; }

    /// <summary>The name or id of the domain of user and project. Default: the default domain.</summary>
    public string? Domain { get; init; }

    /// <summary>The name or id of the project to work in. Default: the user's default project.</summary>
    public string? Project { get; init; }

    public ApplicationCredentialRequest? ApplicationCredential { get; init; }

    /// <summary>Never prints the secrets, as logs print records.</summary>
    public override string ToString() => $"token for {User ?? ApplicationCredential?.Id}";
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ApplicationCredentialRequest
{
    public string? Id { get; init; }
    public string? Secret { get; init; }

    /// <summary>Never prints the secret, as logs print records.</summary>
    public override string ToString() => $"application credential {Id}";
}

/// <summary>A token, and what it is good for.</summary>
/// <param name="Token">Sent with each request as <c>Authorization: Bearer …</c>. Whoever has it is the user.</param>
/// <param name="Project">Null for a login that is not scoped to a project.</param>
/// <param name="Roles">The names of the roles held in the project, implied ones included.</param>
public sealed record TokenRecord(
    string Token, DateTimeOffset ExpiresAt, IdentityRecord User, IdentityRecord? Project, IReadOnlyList<string> Roles)
{
    /// <summary>Where OpenStack's clients log in: the library's own Keystone face, or the Keystone of the cloud that it serves.</summary>
    public string? IdentityUrl { get; init; }

    /// <summary>The region under which the library is in the service catalogue.</summary>
    public string? Region { get; init; }

    /// <summary>Never prints the token, as logs print records.</summary>
    public override string ToString() => $"token of {User.Name} until {ExpiresAt:O}";
}

/// <summary>Who the caller is.</summary>
public sealed record MeRecord(
    IdentityRecord User, IdentityRecord? Project, IReadOnlyList<string> Roles, DateTimeOffset ExpiresAt);

/// <summary>A user or a project.</summary>
/// <param name="Domain">The id of its identity domain.</param>
public sealed record IdentityRecord(string Id, string Name, string Domain);
