using System.Collections.Concurrent;

namespace Vitrine.Access;

/// <summary>Finds out what users are in their scopes, and remembers it for as long as nothing in identity changed.</summary>
internal sealed class Standings(IIdentityCatalogue catalogue)
{
    /// <summary>Beyond this many logins in use at once the memory starts over; each costs about a kilobyte.</summary>
    private const int MaxRemembered = 20_000;

    private volatile Memory _memory = new(long.MinValue);

    /// <summary>As <see cref="FindAsync"/>, from memory if nothing has changed.</summary>
    /// <param name="generation">Read from the catalogue for this request.</param>
    public async ValueTask<Standing?> RecallAsync(
        UserId user, AssignmentTarget? target, ApplicationCredentialId? credential, long generation, CancellationToken cancellationToken)
    {
        var memory = MemoryOf(generation);
        var key = (user, target, credential);
        if (memory.Standings.TryGetValue(key, out var known))
            return known;

        // What is read from here on is at least as new as the generation, so it is remembered under it or too early
        // forgotten, never kept too long.
        var standing = await FindAsync(user, target, credential, cancellationToken);
        if (standing is not null)
            memory.Standings[key] = standing;
        return standing;
    }

    /// <returns>Null where the user, its domain or the scope is gone or disabled, or where no role is held in the scope.</returns>
    public async Task<Standing?> FindAsync(
        UserId userId, AssignmentTarget? target, ApplicationCredentialId? credentialId, CancellationToken cancellationToken)
    {
        var user = await catalogue.FindUserAsync(userId, cancellationToken);
        if (user is not { Enabled: true } || await FindEnabledDomainAsync(user.Domain, cancellationToken) is not { } domain)
            return null;

        ApplicationCredential? credential = null;
        if (credentialId is { } id && (credential = await FindOwnCredentialAsync(user, target, id, cancellationToken)) is null)
            return null;

        if (target is null)
            return new Standing(user, domain, new LoginScope.None(), [], credential);
        if (await FindScopeAsync(target, cancellationToken) is not { } scope)
            return null;

        var roles = await RolesAsync(user.Id, target, credential, cancellationToken);
        return roles.Count == 0 ? null : new Standing(user, domain, scope, roles, credential);
    }

    private Memory MemoryOf(long generation)
    {
        var memory = _memory;
        if (memory.Generation == generation && memory.Standings.Count < MaxRemembered)
            return memory;

        var fresh = new Memory(generation);
        // A request that read an older generation works with a memory of its own and leaves the newer one in place.
        if (generation >= memory.Generation)
            Interlocked.CompareExchange(ref _memory, fresh, memory);
        return fresh;
    }

    private async Task<IdentityDomain?> FindEnabledDomainAsync(string id, CancellationToken cancellationToken) =>
        await catalogue.FindDomainAsync(id, cancellationToken) is { Enabled: true } domain ? domain : null;

    private async Task<ApplicationCredential?> FindOwnCredentialAsync(
        User user, AssignmentTarget? target, ApplicationCredentialId id, CancellationToken cancellationToken) =>
        await catalogue.FindCredentialAsync(id, cancellationToken) is { } found
            && found.User == user.Id && target == AssignmentTarget.Project(found.Project)
            ? found
            : null;

    private async Task<LoginScope?> FindScopeAsync(AssignmentTarget target, CancellationToken cancellationToken)
    {
        switch (target.Kind)
        {
            case AssignmentKind.System:
                return new LoginScope.InSystem();

            case AssignmentKind.Domain:
                return await FindEnabledDomainAsync(target.Id, cancellationToken) is { } domain
                    ? new LoginScope.InDomain(domain)
                    : null;

            default:
                return await catalogue.FindProjectAsync(new ProjectId(target.Id), cancellationToken) is { Enabled: true } project
                    && await FindEnabledDomainAsync(project.Domain, cancellationToken) is { } owner
                    ? new LoginScope.InProject(project, owner)
                    : null;
        }
    }

    private async Task<IReadOnlyList<Role>> RolesAsync(
        UserId user, AssignmentTarget target, ApplicationCredential? credential, CancellationToken cancellationToken)
    {
        var assignments = await catalogue.ListAssignmentsAsync(new AssignmentQuery(user, target), cancellationToken);
        var all = await catalogue.ListRolesAsync(name: null, cancellationToken);
        var held = IdentityRules.WithImplied(assignments.Select(a => a.Role).ToHashSet(), all);
        return credential is null
            ? held
            : IdentityRules.WithImplied(held.Select(r => r.Id).Intersect(credential.Roles).ToHashSet(), all);
    }

    private sealed class Memory(long generation)
    {
        public long Generation { get; } = generation;

        public ConcurrentDictionary<(UserId, AssignmentTarget?, ApplicationCredentialId?), Standing> Standings { get; } = new();
    }
}
