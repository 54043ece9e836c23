using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Vitrine.Access;

public sealed partial class IdentityAdministration
{
    /// <summary>Users make credentials for themselves alone, for the project they are logged in to, with roles they have there.</summary>
    /// <exception cref="ForbiddenException">Another user's, a role that the login has not, or a login by a restricted credential.</exception>
    /// <exception cref="IdentityConflictException">The user has one with the name.</exception>
    public async Task<CreatedCredential> CreateCredentialAsync(
        Login login, UserId user, CredentialDraft draft, CancellationToken cancellationToken)
    {
        const string Action = "create application credential";
        RequireOwner(login, user, Action);
        RequireUnrestricted(login, Action);

        var secret = draft.Secret ?? Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(48));
        var credential = new ApplicationCredential
        {
            Id = ApplicationCredentialId.New(),
            Name = IdentityRules.CheckName(draft.Name),
            User = user,
            Project = login.Caller.RequireProject(),
            Description = IdentityRules.CheckText("description", draft.Description),
            SecretHash = hasher.Hash(IdentityRules.CheckPassword("secret", secret)),
            Roles = RolesOf(login, draft),
            Unrestricted = draft.Unrestricted,
            ExpiresAt = CheckExpiry(draft.ExpiresAt),
            CreatedAt = time.Now(),
        };
        await SaveAsync(new IdentityChange.AddCredential(credential), cancellationToken);
        return new CreatedCredential(credential, secret);
    }

    public Task<IReadOnlyList<ApplicationCredential>> ListCredentialsAsync(
        Login login, UserId user, string? name, CancellationToken cancellationToken)
    {
        RequireSelfOrAdmin(login.Caller, user, "list application credentials");
        return catalogue.ListCredentialsAsync(user, name, cancellationToken);
    }

    public Task<ApplicationCredential> GetCredentialAsync(
        Login login, UserId user, ApplicationCredentialId id, CancellationToken cancellationToken)
    {
        RequireSelfOrAdmin(login.Caller, user, "get application credential");
        return GetCredentialAsync(user, id, cancellationToken);
    }

    /// <summary>Ends its logins too. An administrator may delete any user's.</summary>
    public async Task DeleteCredentialAsync(
        Login login, UserId user, ApplicationCredentialId id, CancellationToken cancellationToken)
    {
        const string Action = "delete application credential";
        RequireSelfOrAdmin(login.Caller, user, Action);
        RequireUnrestricted(login, Action);
        await GetCredentialAsync(user, id, cancellationToken);
        await SaveAsync(new IdentityChange.DeleteCredential(id), cancellationToken);
    }

    private async Task<ApplicationCredential> GetCredentialAsync(
        UserId user, ApplicationCredentialId id, CancellationToken cancellationToken)
    {
        var found = IdentityIds.IsPlausible(id.Value) ? await catalogue.FindCredentialAsync(id, cancellationToken) : null;
        return found is not null && found.User == user
            ? found
            : throw new IdentityNotFoundException(IdentityKind.ApplicationCredential, id.Value);
    }

    private static ImmutableArray<RoleId> RolesOf(Login login, CredentialDraft draft)
    {
        if (draft.Roles is not { Count: > 0 } asked)
            return [.. login.Roles.Select(r => r.Id)];

        return [.. asked.Distinct().Select(role => OwnRole(login, role).Id)];
    }

    private static Role OwnRole(Login login, RoleReference asked) =>
        login.Roles.FirstOrDefault(r => asked.Id is { } id ? r.Id.Value == id : r.Name == asked.Name)
        ?? throw new ForbiddenException("create application credential", "it would have a role that you do not have in this project");

    private DateTimeOffset? CheckExpiry(DateTimeOffset? expiresAt) => expiresAt > time.Now() || expiresAt is null
        ? expiresAt
        : throw new InvalidFieldException("expires_at", "must be in the future");

    private static void RequireOwner(Login login, UserId user, string action)
    {
        if (login.User.Id != user)
            throw new ForbiddenException(action, "only the user itself may");
    }

    // A program that was given a credential with an end must not be able to make itself one without.
    private static void RequireUnrestricted(Login login, string action)
    {
        if (login.Credential is { Unrestricted: false })
            throw new ForbiddenException(action, "this login is by an application credential that is restricted");
    }
}

/// <summary>A role as a client names it: by id, or by name.</summary>
public sealed record RoleReference(string? Id, string? Name);

/// <param name="Secret">Null has one generated.</param>
/// <param name="Roles">None takes all that the login has.</param>
public sealed record CredentialDraft(
    string Name, string? Secret = null, string Description = "", IReadOnlyList<RoleReference>? Roles = null,
    bool Unrestricted = false, DateTimeOffset? ExpiresAt = null)
{
    /// <summary>Never prints the secret, as logs print records.</summary>
    public override string ToString() => $"draft of application credential {Name}";
}

/// <param name="Secret">Told this once; only its hash is kept.</param>
public sealed record CreatedCredential(ApplicationCredential Credential, string Secret)
{
    /// <summary>Never prints the secret, as logs print records.</summary>
    public override string ToString() => Credential.ToString();
}
