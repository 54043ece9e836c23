namespace Vitrine.Access;

/// <summary>Where users, projects, domains, roles and revoked tokens are kept.</summary>
/// <remarks>
/// Every catalogue promises, and IdentityCatalogueContract in the tests holds it to:
/// <list type="bullet">
/// <item>What was committed is read at once by every node.</item>
/// <item>The generation that <see cref="CheckTokenAsync"/> answers is another one after every <see cref="SaveAsync"/>, and never
/// an earlier one; what is read after it is at least as new as it.</item>
/// <item>Names are compared exactly, letter case included; lists come in the order of names.</item>
/// </list>
/// Nothing here asks who may see an answer.
/// </remarks>
public interface IIdentityCatalogue
{
    Task<IdentityDomain?> FindDomainAsync(string id, CancellationToken cancellationToken);

    /// <param name="name">Null lists all.</param>
    Task<IReadOnlyList<IdentityDomain>> ListDomainsAsync(string? name, CancellationToken cancellationToken);

    Task<Project?> FindProjectAsync(ProjectId id, CancellationToken cancellationToken);

    Task<IReadOnlyList<Project>> ListProjectsAsync(IdentityQuery query, CancellationToken cancellationToken);

    Task<User?> FindUserAsync(UserId id, CancellationToken cancellationToken);

    Task<IReadOnlyList<User>> ListUsersAsync(IdentityQuery query, CancellationToken cancellationToken);

    Task<Role?> FindRoleAsync(RoleId id, CancellationToken cancellationToken);

    /// <param name="name">Null lists all.</param>
    Task<IReadOnlyList<Role>> ListRolesAsync(string? name, CancellationToken cancellationToken);

    /// <summary>In no particular order.</summary>
    Task<IReadOnlyList<RoleAssignment>> ListAssignmentsAsync(AssignmentQuery query, CancellationToken cancellationToken);

    Task<ApplicationCredential?> FindCredentialAsync(ApplicationCredentialId id, CancellationToken cancellationToken);

    /// <param name="name">Null lists all of the user.</param>
    Task<IReadOnlyList<ApplicationCredential>> ListCredentialsAsync(UserId user, string? name, CancellationToken cancellationToken);

    /// <summary>
    /// Makes all changes in one transaction. A saved record whose <c>Version</c> is 0 is new; any other replaces the stored one
    /// only if that has the same version, and is stored with the next.
    /// </summary>
    /// <exception cref="IdentityConflictException">Another record has the name, or the id; nothing was changed.</exception>
    /// <exception cref="IdentityNotFoundException">A record refers to one that is gone; nothing was changed.</exception>
    /// <exception cref="ConcurrentChangeException">A stored record has another version by now; nothing was changed.</exception>
    Task SaveAsync(IReadOnlyList<IdentityChange> changes, CancellationToken cancellationToken);

    /// <summary>All that must be asked of the catalogue for each request: whether one of these audit ids is revoked, and
    /// whether what a node remembers of identity is still so.</summary>
    Task<TokenCheck> CheckTokenAsync(IReadOnlyList<string> auditIds, CancellationToken cancellationToken);

    /// <summary>Keeps the audit id at least until the token has expired, and forgets those whose time is long over.</summary>
    Task RevokeTokenAsync(string auditId, DateTimeOffset expiresAt, DateTimeOffset now, CancellationToken cancellationToken);
}

/// <summary>Which projects or users to list; what is null does not restrict.</summary>
/// <param name="Domain">The id of an identity domain.</param>
public sealed record IdentityQuery(string? Domain = null, string? Name = null);

/// <summary>Which assignments to list; what is null does not restrict.</summary>
public sealed record AssignmentQuery(UserId? User = null, AssignmentTarget? Target = null, RoleId? Role = null);

/// <param name="Generation">Another number after every change of a user, project, domain, role, assignment or credential.</param>
/// <param name="Revoked">At least one of the audit ids is revoked.</param>
public readonly record struct TokenCheck(long Generation, bool Revoked);

/// <summary>One step of a transaction on identity.</summary>
public abstract record IdentityChange
{
    private IdentityChange()
    {
    }

    public sealed record SaveDomain(IdentityDomain Domain) : IdentityChange;

    /// <summary>Takes the domain's users and projects along. Deleting what is not there succeeds, here and below.</summary>
    public sealed record DeleteDomain(string Id) : IdentityChange;

    public sealed record SaveProject(Project Project) : IdentityChange;

    /// <summary>Takes the assignments in the project and the application credentials for it along.</summary>
    public sealed record DeleteProject(ProjectId Id) : IdentityChange;

    public sealed record SaveUser(User User) : IdentityChange;

    /// <summary>Takes the user's assignments and application credentials along.</summary>
    public sealed record DeleteUser(UserId Id) : IdentityChange;

    public sealed record SaveRole(Role Role) : IdentityChange;

    /// <summary>Takes its assignments along.</summary>
    public sealed record DeleteRole(RoleId Id) : IdentityChange;

    /// <summary>Assigning what is assigned already succeeds and changes nothing.</summary>
    public sealed record Assign(RoleAssignment Assignment) : IdentityChange;

    public sealed record Unassign(RoleAssignment Assignment) : IdentityChange;

    public sealed record AddCredential(ApplicationCredential Credential) : IdentityChange;

    public sealed record DeleteCredential(ApplicationCredentialId Id) : IdentityChange;
}
