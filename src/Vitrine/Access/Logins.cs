using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace Vitrine.Access;

/// <summary>Lets users in, and knows again those that were let in.</summary>
/// <remarks>
/// Tokens are not stored: they are sealed claims. What they claim is held against the catalogue at each use, by one query that
/// also tells whether what this node remembers is still so; a role taken away, a user disabled and a token revoked take effect
/// with the next request, on every node.
/// </remarks>
public sealed partial class Logins : ILogins
{
    private readonly IIdentityCatalogue _catalogue;
    private readonly IPasswordHasher _hasher;
    private readonly TokenSeal _seal;
    private readonly LoginOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<Logins> _logger;
    private readonly Standings _standings;
    private readonly FailedLogins _failures;

    // Verified for users that do not exist, so that they take as long as those that do.
    private readonly string _nobodysHash;

    public Logins(
        IIdentityCatalogue catalogue, IPasswordHasher hasher, TokenSeal seal, LoginOptions options, TimeProvider time,
        ILogger<Logins> logger)
    {
        (_catalogue, _hasher, _seal, _options, _time, _logger) = (catalogue, hasher, seal, options, time, logger);
        _standings = new Standings(catalogue);
        _failures = new FailedLogins(options, time);
        _nobodysHash = hasher.Hash(NewAuditId());
    }

    /// <exception cref="UnauthenticatedException">Whatever was wrong: user, password or scope.</exception>
    public async Task<Login> ByPasswordAsync(
        UserReference user, string password, ScopeRequest scope, CancellationToken cancellationToken)
    {
        var found = await FindUserAsync(user, cancellationToken);
        Prove(found?.Id.Value, found?.PasswordHash, password);

        var standing = await FindStandingAsync(found!.Id, scope, cancellationToken);
        var now = _time.Now();
        return Issue(standing, [LoginMethods.Password], [NewAuditId()], now, now + _options.TokenLifetime);
    }

    public async Task<Login> ByWordsAsync(LoginWords words, CancellationToken cancellationToken)
    {
        var domain = await DomainOfAsync(words.Domain, cancellationToken);
        var user = new UserReference(Id: null, words.User, domain);
        if (words.Project is { } project)
            return await ByPasswordAsync(user, words.Password, await ProjectOfAsync(project, domain, cancellationToken), cancellationToken);

        var login = await ByPasswordAsync(user, words.Password, new ScopeRequest.Default(), cancellationToken);
        return login.Scope is LoginScope.None && await FindOnlyProjectAsync(login, cancellationToken) is { } only
            ? await ByTokenAsync(login.Token, new ScopeRequest.ToProject(new ProjectReference(only, Name: null, Domain: null)), cancellationToken)
            : login;
    }

    /// <summary>Another login of the same user, for another scope, that ends when the first does.</summary>
    /// <exception cref="UnauthenticatedException">The token does not hold, or the scope is not the user's.</exception>
    public async Task<Login> ByTokenAsync(string token, ScopeRequest scope, CancellationToken cancellationToken)
    {
        var first = await ValidateAsync(token, cancellationToken);
        var standing = first.Credential is null
            ? await FindStandingAsync(first.User.Id, scope, cancellationToken)
            : await StayInProjectAsync(first, scope, cancellationToken);

        return Issue(
            standing,
            [LoginMethods.Token, .. first.Methods.Where(m => m != LoginMethods.Token)],
            [NewAuditId(), first.AuditIds[^1]],
            _time.Now(),
            first.ExpiresAt);
    }

    /// <summary>A login to the credential's project with no more than the credential's roles.</summary>
    /// <exception cref="UnauthenticatedException">Whatever was wrong: name, secret, time, or the user's own standing.</exception>
    public async Task<Login> ByApplicationCredentialAsync(
        CredentialReference credential, string secret, CancellationToken cancellationToken)
    {
        var found = await FindCredentialAsync(credential, cancellationToken);
        Prove(found?.Id.Value, found?.SecretHash, secret);

        var now = _time.Now();
        if (found!.IsExpired(now))
            throw new UnauthenticatedException();

        var standing = await _standings.FindAsync(found.User, AssignmentTarget.Project(found.Project), found.Id, cancellationToken);
        var end = now + _options.TokenLifetime;
        return Issue(
            standing, [LoginMethods.ApplicationCredential], [NewAuditId()], now, found.ExpiresAt < end ? found.ExpiresAt.Value : end);
    }

    /// <summary>What a token stands for at this moment. Asked for every request, and made to be cheap.</summary>
    /// <exception cref="UnauthenticatedException">
    /// Not a token of ours, expired, revoked, or its user or scope is no longer what it was.
    /// </exception>
    public async Task<Login> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        var claims = _seal.Open(token);
        if (claims.ExpiresAt <= _time.Now())
            throw new UnauthenticatedException();

        var check = await _catalogue.CheckTokenAsync(claims.AuditIds, cancellationToken);
        if (check.Revoked)
            throw new UnauthenticatedException();

        ApplicationCredentialId? credential = claims.Credential is { } id ? new ApplicationCredentialId(id) : null;
        var standing = await _standings.RecallAsync(
            new UserId(claims.User), claims.Target, credential, check.Generation, cancellationToken);
        if (standing is null || standing.User.TokensValidFrom != claims.ValidFrom)
            throw new UnauthenticatedException();

        return LoginOf(standing, claims, token);
    }

    /// <summary>Looks at a token on behalf of a caller, who may look at its own, and as admin at everybody's.</summary>
    /// <exception cref="IdentityNotFoundException">The token does not hold.</exception>
    /// <exception cref="ForbiddenException">It is another user's.</exception>
    public async Task<Login> InspectAsync(Login caller, string token, CancellationToken cancellationToken)
    {
        Login subject;
        try
        {
            subject = await ValidateAsync(token, cancellationToken);
        }
        catch (UnauthenticatedException)
        {
            // The token itself is a secret and stays out of the message.
            throw new IdentityNotFoundException(IdentityKind.Token, "with this text");
        }

        if (subject.User.Id != caller.User.Id)
            caller.Caller.RequireAdmin("validate token");
        return subject;
    }

    /// <summary>The token, and every token made from it, holds no more, on any node.</summary>
    /// <exception cref="UnauthenticatedException">Not a token of ours.</exception>
    public Task RevokeAsync(string token, CancellationToken cancellationToken)
    {
        var claims = _seal.Open(token);
        return _catalogue.RevokeTokenAsync(claims.AuditIds[0], claims.ExpiresAt, _time.Now(), cancellationToken);
    }

    /// <summary>Holds a password against the user's own, as a login would, without one.</summary>
    /// <exception cref="UnauthenticatedException">It is wrong, or too many were.</exception>
    internal void ProvePassword(User user, string password) => Prove(user.Id.Value, user.PasswordHash, password);

    // One verification is made whatever is known and whatever is wrong, so that time tells nothing.
    private void Prove(string? subject, string? hash, string secret)
    {
        if (!IdentityRules.IsPossiblePassword(secret))
            throw new UnauthenticatedException();

        var mayTry = subject is null || _failures.TryBegin(subject);
        var right = _hasher.Verify(hash ?? _nobodysHash, secret);
        if (subject is null || hash is null || !mayTry || !right)
        {
            if (!mayTry)
                LogLockedOut(subject!);
            throw new UnauthenticatedException();
        }

        _failures.Succeeded(subject);
    }

    private async Task<Standing?> FindStandingAsync(UserId user, ScopeRequest scope, CancellationToken cancellationToken) => scope switch
    {
        ScopeRequest.ToSystem => await _standings.FindAsync(user, AssignmentTarget.System, credentialId: null, cancellationToken),
        ScopeRequest.ToDomain to => await FindDomainIdAsync(to.Domain, cancellationToken) is { } domain
            ? await _standings.FindAsync(user, AssignmentTarget.Domain(domain), credentialId: null, cancellationToken)
            : null,
        ScopeRequest.ToProject to => await FindProjectAsync(to.Project, cancellationToken) is { } project
            ? await _standings.FindAsync(user, AssignmentTarget.Project(project), credentialId: null, cancellationToken)
            : null,
        ScopeRequest.Default => await FindDefaultAsync(user, cancellationToken),
        _ => await _standings.FindAsync(user, target: null, credentialId: null, cancellationToken),
    };

    private async Task<Standing?> FindDefaultAsync(UserId user, CancellationToken cancellationToken)
    {
        var unscoped = await _standings.FindAsync(user, target: null, credentialId: null, cancellationToken);
        return unscoped?.User.DefaultProject is { } project
            ? await _standings.FindAsync(user, AssignmentTarget.Project(project), credentialId: null, cancellationToken) ?? unscoped
            : unscoped;
    }

    // A credential is for one project; a login by it can be renewed there and lead nowhere else.
    private async Task<Standing?> StayInProjectAsync(Login first, ScopeRequest scope, CancellationToken cancellationToken)
    {
        var credential = first.Credential!;
        var stays = scope switch
        {
            ScopeRequest.Default => true,
            ScopeRequest.ToProject to => await FindProjectAsync(to.Project, cancellationToken) == credential.Project,
            _ => false,
        };
        return stays
            ? await _standings.FindAsync(first.User.Id, AssignmentTarget.Project(credential.Project), credential.Id, cancellationToken)
            : null;
    }

    private async Task<DomainReference> DomainOfAsync(string? word, CancellationToken cancellationToken)
    {
        if (word is null)
            return new DomainReference(IdentityIds.DefaultDomain, Name: null);

        return IdentityIds.IsPlausible(word) && await _catalogue.FindDomainAsync(word, cancellationToken) is not null
            ? new DomainReference(word, Name: null)
            : new DomainReference(Id: null, word);
    }

    private async Task<ScopeRequest> ProjectOfAsync(string word, DomainReference domain, CancellationToken cancellationToken)
    {
        var isId = IdentityIds.IsPlausible(word) && await _catalogue.FindProjectAsync(new ProjectId(word), cancellationToken) is not null;
        return new ScopeRequest.ToProject(isId ? new ProjectReference(word, Name: null, Domain: null) : new ProjectReference(Id: null, word, domain));
    }

    /// <summary>Who has a role in one project only means that one.</summary>
    private async Task<string?> FindOnlyProjectAsync(Login login, CancellationToken cancellationToken)
    {
        var assignments = await _catalogue.ListAssignmentsAsync(new AssignmentQuery(User: login.User.Id), cancellationToken);
        var projects = assignments.Where(a => a.Target.Kind is AssignmentKind.Project).Select(a => a.Target.Id).Distinct().ToList();
        return projects is [var only] ? only : null;
    }

    private Login Issue(
        Standing? standing, ImmutableArray<string> methods, ImmutableArray<string> auditIds, DateTimeOffset issued, DateTimeOffset expires)
    {
        if (standing is null)
            throw new UnauthenticatedException();

        var claims = new TokenClaims
        {
            User = standing.User.Id.Value,
            ScopeKind = standing.Target?.Kind,
            ScopeId = standing.Target?.Id,
            Credential = standing.Credential?.Id.Value,
            Methods = methods,
            AuditIds = auditIds,
            IssuedAt = issued,
            ExpiresAt = expires,
            ValidFrom = standing.User.TokensValidFrom,
        };
        return LoginOf(standing, claims, _seal.Seal(claims));
    }

    private static Login LoginOf(Standing standing, TokenClaims claims, string token) => new()
    {
        User = standing.User,
        UserDomain = standing.UserDomain,
        Scope = standing.Scope,
        Roles = standing.Roles,
        Methods = claims.Methods,
        AuditIds = claims.AuditIds,
        IssuedAt = claims.IssuedAt,
        ExpiresAt = claims.ExpiresAt,
        Token = token,
        Credential = standing.Credential,
        Caller = standing.Caller,
    };

    private async Task<User?> FindUserAsync(UserReference? reference, CancellationToken cancellationToken)
    {
        if (reference?.Id is { } id)
            return IdentityIds.IsPlausible(id) ? await _catalogue.FindUserAsync(new UserId(id), cancellationToken) : null;
        if (!IdentityRules.IsPossibleName(reference?.Name) || await FindDomainIdAsync(reference.Domain, cancellationToken) is not { } domain)
            return null;

        var named = await _catalogue.ListUsersAsync(new IdentityQuery(domain, reference.Name), cancellationToken);
        return named.SingleOrDefault();
    }

    private async Task<ProjectId?> FindProjectAsync(ProjectReference reference, CancellationToken cancellationToken)
    {
        if (reference.Id is { } id)
            return IdentityIds.IsPlausible(id) ? new ProjectId(id) : null;
        if (!IdentityRules.IsPossibleName(reference.Name) || await FindDomainIdAsync(reference.Domain, cancellationToken) is not { } domain)
            return null;

        var named = await _catalogue.ListProjectsAsync(new IdentityQuery(domain, reference.Name), cancellationToken);
        return named.SingleOrDefault()?.Id;
    }

    private async Task<string?> FindDomainIdAsync(DomainReference? reference, CancellationToken cancellationToken)
    {
        if (reference?.Id is { } id)
            return IdentityIds.IsPlausible(id) ? id : null;
        if (!IdentityRules.IsPossibleName(reference?.Name))
            return null;

        return (await _catalogue.ListDomainsAsync(reference.Name, cancellationToken)).SingleOrDefault()?.Id;
    }

    private async Task<ApplicationCredential?> FindCredentialAsync(CredentialReference reference, CancellationToken cancellationToken)
    {
        if (reference.Id is { } id)
        {
            return IdentityIds.IsPlausible(id)
                ? await _catalogue.FindCredentialAsync(new ApplicationCredentialId(id), cancellationToken)
                : null;
        }

        if (!IdentityRules.IsPossibleName(reference.Name) || await FindUserAsync(reference.User, cancellationToken) is not { } user)
            return null;

        return (await _catalogue.ListCredentialsAsync(user.Id, reference.Name, cancellationToken)).SingleOrDefault();
    }

    // 128 bits of a strong source, as short as URLs allow: the form that Keystone's audit ids have.
    private static string NewAuditId() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));

    [LoggerMessage(LogLevel.Warning, "Too many wrong passwords in a row for {Subject}; it cannot log in for a while")]
    private partial void LogLockedOut(string subject);
}
