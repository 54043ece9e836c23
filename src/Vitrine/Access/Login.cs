using System.Collections.Frozen;

namespace Vitrine.Access;

/// <summary>A user that has proved who it is, for a scope and a time. <see cref="Logins"/> makes them.</summary>
public sealed record Login
{
    public required User User { get; init; }
    public required IdentityDomain UserDomain { get; init; }
    public required LoginScope Scope { get; init; }

    /// <summary>Those held in the scope, implied ones included; none for an unscoped login.</summary>
    public required IReadOnlyList<Role> Roles { get; init; }

    /// <summary>How the user proved itself: <see cref="LoginMethods"/>, the latest first.</summary>
    public required IReadOnlyList<string> Methods { get; init; }

    /// <summary>Its own id, and for one made from another that of the first in the chain.</summary>
    public required IReadOnlyList<string> AuditIds { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What the client sends with each request. Whoever has it is the user.</summary>
    public required string Token { get; init; }

    /// <summary>The application credential that made the login; null for one by password.</summary>
    public ApplicationCredential? Credential { get; init; }

    public required Caller Caller { get; init; }

    /// <summary>Never prints the token, as logs print records.</summary>
    public override string ToString() => $"login of {User} until {ExpiresAt:O}";
}

/// <summary>What a login is good for.</summary>
public abstract record LoginScope
{
    private LoginScope()
    {
    }

    public sealed record None : LoginScope;

    public sealed record InProject(Project Project, IdentityDomain Domain) : LoginScope;

    public sealed record InDomain(IdentityDomain Domain) : LoginScope;

    public sealed record InSystem : LoginScope;
}

/// <summary>How a user can prove itself, in Keystone's words.</summary>
public static class LoginMethods
{
    public const string Password = "password";
    public const string Token = "token";
    public const string ApplicationCredential = "application_credential";
}

/// <summary>What a user is in a scope as the catalogue has it now, apart from any one token.</summary>
internal sealed record Standing(
    User User, IdentityDomain UserDomain, LoginScope Scope, IReadOnlyList<Role> Roles, ApplicationCredential? Credential)
{
    public Caller Caller { get; } = new(
        User.Id,
        Scope is LoginScope.InProject inProject ? inProject.Project.Id : null,
        Scope switch
        {
            LoginScope.InProject project => project.Domain.Id,
            LoginScope.InDomain domain => domain.Domain.Id,
            _ => UserDomain.Id,
        },
        Roles.Select(r => r.Name).ToFrozenSet())
    {
        Credential = Credential?.Id,
    };

    public AssignmentTarget? Target => Scope switch
    {
        LoginScope.InProject project => AssignmentTarget.Project(project.Project.Id),
        LoginScope.InDomain domain => AssignmentTarget.Domain(domain.Domain.Id),
        LoginScope.InSystem => AssignmentTarget.System,
        _ => null,
    };
}
