using System.Globalization;
using System.Text.Json.Serialization;
using Vitrine.Access;

namespace Vitrine.OpenStack.Identity;

// Identity as Keystone v3 spells it. The domain does not know these names.

internal sealed record KeystoneErrorAnswer(KeystoneError Error);

internal sealed record KeystoneError(int Code, string Message, string Title);

/// <summary>Where a record, or a list, can be read again.</summary>
internal sealed record Links(string Self)
{
    public static Links To(string self) => new(self);
}

/// <summary>Lists are never cut into pages, so there is none before and none after.</summary>
internal sealed record ListLinks(string? Next, string Self, string? Previous)
{
    public static ListLinks To(string self) => new(Next: null, self, Previous: null);
}

/// <summary>Empty, but clients expect the object.</summary>
internal sealed record KeystoneOptions;

internal sealed record IdAndName(string Id, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name);

internal sealed record Scoped(
    string Id,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IdAndName? Domain);

internal sealed record WholeSystem(bool All);

internal static class KeystoneTime
{
    /// <summary>Keystone's tokens have six decimals, whatever they are.</summary>
    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}

internal sealed record KeystoneDomain(
    string Id, string Name, string Description, bool Enabled, IReadOnlyList<string> Tags, KeystoneOptions Options, Links Links)
{
    public static KeystoneDomain From(IdentityDomain domain, string root) => new(
        domain.Id, domain.Name, domain.Description, domain.Enabled, Tags: [], new KeystoneOptions(), Links.To($"{root}/domains/{domain.Id}"));
}

internal sealed record DomainAnswer(KeystoneDomain Domain);

internal sealed record DomainsAnswer(IReadOnlyList<KeystoneDomain> Domains, ListLinks Links);

internal sealed record KeystoneProject(
    string Id, string Name, string DomainId, string Description, bool Enabled, string ParentId, bool IsDomain,
    IReadOnlyList<string> Tags, KeystoneOptions Options, Links Links)
{
    // Projects have no projects within them, so the domain is the parent of each.
    public static KeystoneProject From(Project project, string root) => new(
        project.Id.Value, project.Name, project.Domain, project.Description, project.Enabled, ParentId: project.Domain, IsDomain: false,
        Tags: [], new KeystoneOptions(), Links.To($"{root}/projects/{project.Id}"));
}

internal sealed record ProjectAnswer(KeystoneProject Project);

internal sealed record ProjectsAnswer(IReadOnlyList<KeystoneProject> Projects, ListLinks Links);

internal sealed record KeystoneUser(
    string Id, string Name, string DomainId, bool Enabled,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Description,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Email,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? DefaultProjectId,
    string? PasswordExpiresAt, KeystoneOptions Options, Links Links)
{
    // Passwords do not expire.
    public static KeystoneUser From(User user, string root) => new(
        user.Id.Value, user.Name, user.Domain, user.Enabled, user.Description.Length == 0 ? null : user.Description, user.Email,
        user.DefaultProject?.Value, PasswordExpiresAt: null, new KeystoneOptions(), Links.To($"{root}/users/{user.Id}"));
}

internal sealed record UserAnswer(KeystoneUser User);

internal sealed record UsersAnswer(IReadOnlyList<KeystoneUser> Users, ListLinks Links);

/// <summary>There are no groups; clients ask for the list all the same.</summary>
internal sealed record GroupsAnswer(IReadOnlyList<IdAndName> Groups, ListLinks Links);

internal sealed record KeystoneRole(
    string Id, string Name, string? DomainId, string Description, KeystoneOptions Options, Links Links)
{
    // Roles belong to no domain.
    public static KeystoneRole From(Role role, string root) => new(
        role.Id.Value, role.Name, DomainId: null, role.Description, new KeystoneOptions(), Links.To($"{root}/roles/{role.Id}"));
}

internal sealed record RoleAnswer(KeystoneRole Role);

internal sealed record RolesAnswer(IReadOnlyList<KeystoneRole> Roles, ListLinks Links);

internal sealed record KeystoneAssignment(IdAndName Role, Scoped User, AssignmentScope Scope, AssignmentLinks Links)
{
    public static KeystoneAssignment From(NamedAssignment assignment, bool withNames, string root)
    {
        var scope = AssignmentScope.From(assignment.Scope, withNames);
        return new KeystoneAssignment(
            new IdAndName(assignment.Role.Id.Value, withNames ? assignment.Role.Name : null),
            new Scoped(
                assignment.User.Id.Value, withNames ? assignment.User.Name : null,
                withNames ? new IdAndName(assignment.UserDomain.Id, assignment.UserDomain.Name) : null),
            scope,
            new AssignmentLinks($"{root}/{scope.Path}/users/{assignment.User.Id}/roles/{assignment.Role.Id}"));
    }
}

internal sealed record AssignmentLinks(string Assignment);

internal sealed record AssignmentScope(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Scoped? Project,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IdAndName? Domain,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] WholeSystem? System)
{
    [JsonIgnore]
    public string Path => Project is not null ? $"projects/{Project.Id}" : Domain is not null ? $"domains/{Domain.Id}" : "system";

    public static AssignmentScope From(LoginScope scope, bool withNames) => scope switch
    {
        LoginScope.InProject(var project, var domain) => new AssignmentScope(
            new Scoped(project.Id.Value, withNames ? project.Name : null, withNames ? new IdAndName(domain.Id, domain.Name) : null),
            Domain: null, System: null),
        LoginScope.InDomain(var domain) => new AssignmentScope(
            Project: null, new IdAndName(domain.Id, withNames ? domain.Name : null), System: null),
        _ => new AssignmentScope(Project: null, Domain: null, new WholeSystem(All: true)),
    };
}

internal sealed record AssignmentsAnswer(IReadOnlyList<KeystoneAssignment> RoleAssignments, ListLinks Links);

internal sealed record KeystoneCredential(
    string Id, string Name, string Description, string ProjectId, string UserId, IReadOnlyList<IdAndName> Roles, bool Unrestricted,
    string? ExpiresAt, string? System,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Secret,
    Links Links)
{
    /// <param name="roles">Every role there is; ids of roles that are gone are left out.</param>
    /// <param name="secret">Given in the answer that made the credential, and never again.</param>
    public static KeystoneCredential From(ApplicationCredential credential, IReadOnlyList<Role> roles, string root, string? secret = null) => new(
        credential.Id.Value, credential.Name, credential.Description, credential.Project.Value, credential.User.Value,
        [.. roles.Where(r => credential.Roles.Contains(r.Id)).Select(r => new IdAndName(r.Id.Value, r.Name))],
        credential.Unrestricted, credential.ExpiresAt is { } end ? KeystoneTime.Text(end) : null, System: null, secret,
        Links.To($"{root}/users/{credential.User}/application_credentials/{credential.Id}"));
}

internal sealed record CredentialAnswer(KeystoneCredential ApplicationCredential);

internal sealed record CredentialsAnswer(IReadOnlyList<KeystoneCredential> ApplicationCredentials, ListLinks Links);

internal sealed record CatalogueEndpoint(string Id, string Interface, string RegionId, string Region, string Url);

internal sealed record CatalogueEntry(IReadOnlyList<CatalogueEndpoint> Endpoints, string Id, string Type, string Name);

internal sealed record CatalogueAnswer(IReadOnlyList<CatalogueEntry> Catalog, ListLinks Links);

internal sealed record KeystoneService(string Id, string Type, string Name, bool Enabled, string Description, Links Links);

internal sealed record ServiceAnswer(KeystoneService Service);

internal sealed record ServicesAnswer(IReadOnlyList<KeystoneService> Services, ListLinks Links);

internal sealed record KeystoneEndpoint(
    string Id, string Interface, string RegionId, string Region, string ServiceId, string Url, bool Enabled, Links Links);

internal sealed record EndpointAnswer(KeystoneEndpoint Endpoint);

internal sealed record EndpointsAnswer(IReadOnlyList<KeystoneEndpoint> Endpoints, ListLinks Links);

internal sealed record KeystoneRegion(string Id, string Description, string? ParentRegionId, Links Links);

internal sealed record RegionAnswer(KeystoneRegion Region);

internal sealed record RegionsAnswer(IReadOnlyList<KeystoneRegion> Regions, ListLinks Links);

internal sealed record SystemsAnswer(IReadOnlyList<WholeSystem> System, ListLinks Links);

internal sealed record VersionsAnswer(VersionValues Versions);

internal sealed record VersionValues(IReadOnlyList<KeystoneVersion> Values);

internal sealed record VersionAnswer(KeystoneVersion Version);

internal sealed record KeystoneVersion(
    string Id, string Status, string Updated, IReadOnlyList<VersionLink> Links,
    [property: JsonPropertyName("media-types")] IReadOnlyList<MediaType> MediaTypes);

internal sealed record VersionLink(string Rel, string Href);

internal sealed record MediaType(string Base, string Type);
