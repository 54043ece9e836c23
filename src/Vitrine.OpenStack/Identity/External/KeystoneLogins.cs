using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Caching.Memory;
using Vitrine.Access;

namespace Vitrine.OpenStack.Identity.External;

/// <summary>Users that the cloud's Keystone knows. The library keeps none of them.</summary>
/// <remarks>What Keystone says of a token is taken for granted for <see cref="ExternalKeystoneOptions.Remember"/>: a revocation takes effect within that time, on every node.</remarks>
internal sealed class KeystoneLogins(ExternalKeystone keystone, ExternalKeystoneOptions options, TimeProvider time) : ILogins, IDisposable
{
    private const int MostRemembered = 10_000;

    /// <summary>So that a client with a dead token does not have Keystone asked for each of its requests.</summary>
    private static readonly TimeSpan RememberRefusal = TimeSpan.FromSeconds(5);

    private readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = MostRemembered });

    public async Task<Login> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        // Those that ask for the same token meanwhile wait for the same answer.
        var key = KeyOf(token);
        var answer = _known.GetOrCreate(key, entry =>
        {
            entry.SetSize(1).SetAbsoluteExpiration(options.Remember > TimeSpan.Zero ? options.Remember : TimeSpan.FromTicks(1));
            return new Lazy<Task<Login?>>(() => AskAsync(token));
        })!;
        try
        {
            return await answer.Value.WaitAsync(cancellationToken) is { } login && login.ExpiresAt > time.GetUtcNow()
                ? login
                : throw new UnauthenticatedException();
        }
        catch (IdentityUnavailableException)
        {
            _known.Remove(key);
            throw;
        }
    }

    public async Task<Login> ByWordsAsync(LoginWords words, CancellationToken cancellationToken)
    {
        var domain = Named(words.Domain ?? IdentityIds.DefaultDomain, domain: null);
        var user = new AuthenticationBody.Named(Id: null, words.User, domain, words.Password);
        var proof = new AuthenticationBody.Proof([LoginMethods.Password], Password: new AuthenticationBody.ByPassword(user));
        var login = await LogInAsync(proof, words.Project is { } project ? Named(project, domain) : null, cancellationToken);
        return login.Scope is LoginScope.None && await keystone.ListProjectsAsync(login.Token, cancellationToken) is [var only]
            ? await LogInAsync(
                new AuthenticationBody.Proof([LoginMethods.Token], Token: new AuthenticationBody.ByToken(login.Token)),
                new AuthenticationBody.Named(only.Id, Name: null, Domain: null), cancellationToken)
            : login;
    }

    public Task<Login> ByApplicationCredentialAsync(CredentialReference credential, string secret, CancellationToken cancellationToken)
    {
        var user = credential.User is { } named
            ? new AuthenticationBody.Named(named.Id, named.Name, named.Domain is { } domain ? new AuthenticationBody.Named(domain.Id, domain.Name, Domain: null) : null)
            : null;
        return LogInAsync(
            new AuthenticationBody.Proof(
                [LoginMethods.ApplicationCredential],
                ApplicationCredential: new AuthenticationBody.ByCredential(credential.Id, credential.Name, secret, user)),
            project: null, cancellationToken);
    }

    public async Task RevokeAsync(string token, CancellationToken cancellationToken)
    {
        await keystone.RevokeAsync(token, cancellationToken);
        _known.Remove(KeyOf(token));
    }

    public void Dispose()
    {
        _known.Dispose();
        keystone.Dispose();
    }

    /// <returns>Null where the token does not hold.</returns>
    private async Task<Login?> AskAsync(string token)
    {
        try
        {
            return LoginOf(token, await keystone.ShowAsync(token, CancellationToken.None));
        }
        catch (UnauthenticatedException)
        {
            _known.Set(KeyOf(token), new Lazy<Task<Login?>>(Task.FromResult<Login?>(null)), new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = RememberRefusal });
            return null;
        }
    }

    private async Task<Login> LogInAsync(AuthenticationBody.Proof proof, AuthenticationBody.Named? project, CancellationToken cancellationToken)
    {
        var scope = project is null ? null : new AuthenticationBody.Scope(project);
        var (token, told) = await keystone.AuthenticateAsync(new AuthenticationBody(new AuthenticationBody.Request(proof, scope)), cancellationToken);
        return LoginOf(token, told);
    }

    private Login LoginOf(string token, ToldToken told)
    {
        var user = new User
        {
            Id = new UserId(told.User.Id),
            Name = told.User.Name ?? told.User.Id,
            Domain = told.User.Domain?.Id ?? IdentityIds.DefaultDomain,
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
        var domain = DomainOf(told.User.Domain);
        var scope = ScopeOf(told);
        var roles = told.Roles.Select(r => r.Name).OfType<string>().ToHashSet(StringComparer.Ordinal);
        return new Login
        {
            User = user,
            UserDomain = domain,
            Scope = scope,
            Roles = [.. told.Roles.Select(r => new Role { Id = new RoleId(r.Id), Name = r.Name ?? r.Id })],
            Methods = told.Methods,
            AuditIds = told.AuditIds,
            IssuedAt = told.IssuedAt,
            ExpiresAt = told.ExpiresAt,
            Token = token,
            Caller = new Caller(
                user.Id,
                scope is LoginScope.InProject inProject ? inProject.Project.Id : null,
                scope switch
                {
                    LoginScope.InProject project => project.Domain.Id,
                    LoginScope.InDomain inDomain => inDomain.Domain.Id,
                    _ => domain.Id,
                },
                Means(roles).ToFrozenSet()),
        };
    }

    /// <summary>What roles of the cloud are here.</summary>
    private IEnumerable<string> Means(IReadOnlySet<string> roles)
    {
        if (Has(options.AdminRoles, RoleNames.Admin))
            yield return RoleNames.Admin;
        if (Has(options.MemberRoles, RoleNames.Member))
            yield return RoleNames.Member;
        if (Has(options.ReaderRoles, RoleNames.Reader))
            yield return RoleNames.Reader;

        bool Has(IList<string> named, string usual) => named.Count > 0 ? named.Any(roles.Contains) : roles.Contains(usual);
    }

    private static LoginScope ScopeOf(ToldToken told) => told switch
    {
        { Project: { } project } => new LoginScope.InProject(
            new Project
            {
                Id = new ProjectId(project.Id),
                Name = project.Name ?? project.Id,
                Domain = project.Domain?.Id ?? IdentityIds.DefaultDomain,
                CreatedAt = DateTimeOffset.UnixEpoch,
            },
            DomainOf(project.Domain)),
        { Domain: { } domain } => new LoginScope.InDomain(DomainOf(domain)),
        { System: not null } => new LoginScope.InSystem(),
        _ => new LoginScope.None(),
    };

    private static IdentityDomain DomainOf(KnownAs? domain) => new()
    {
        Id = domain?.Id ?? IdentityIds.DefaultDomain,
        Name = domain?.Name ?? domain?.Id ?? IdentityIds.DefaultDomain,
        CreatedAt = DateTimeOffset.UnixEpoch,
    };

    /// <summary>People say a name or an id and do not tell which. Keystone's ids are 32 hexadecimal digits, but for the default domain's.</summary>
    private static AuthenticationBody.Named Named(string word, AuthenticationBody.Named? domain) =>
        word == IdentityIds.DefaultDomain || Guid.TryParseExact(word, "N", out _)
            ? new AuthenticationBody.Named(word, Name: null, Domain: null)
            : new AuthenticationBody.Named(Id: null, word, domain);

    // Not the token itself: a dump of the memory has enough of them.
    private static string KeyOf(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
