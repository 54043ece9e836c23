namespace Vitrine.Access;

/// <summary>A domain as a client names it: by id, or by name.</summary>
public sealed record DomainReference(string? Id, string? Name);

/// <summary>A user as a client names it: by id, or by name within a domain. A domain beside an id is ignored.</summary>
public sealed record UserReference(string? Id, string? Name, DomainReference? Domain)
{
    public static UserReference ById(UserId id) => new(id.Value, Name: null, Domain: null);

    public static UserReference ByName(string name, string domainId = IdentityIds.DefaultDomain) =>
        new(Id: null, name, new DomainReference(domainId, Name: null));
}

/// <summary>A project as a client names it: by id, or by name within a domain. A domain beside an id is ignored.</summary>
public sealed record ProjectReference(string? Id, string? Name, DomainReference? Domain);

/// <summary>An application credential as a client names it: by id, or by name among those of a user.</summary>
public sealed record CredentialReference(string? Id, string? Name, UserReference? User);

/// <summary>What a login shall be good for.</summary>
public abstract record ScopeRequest
{
    private ScopeRequest()
    {
    }

    /// <summary>The client names nothing: the user's default project if there is one, else unscoped.</summary>
    public sealed record Default : ScopeRequest;

    /// <summary>The client wants to be known and no more, to find out what it may log in to.</summary>
    public sealed record Unscoped : ScopeRequest;

    public sealed record ToProject(ProjectReference Project) : ScopeRequest;

    public sealed record ToDomain(DomainReference Domain) : ScopeRequest;

    public sealed record ToSystem : ScopeRequest;
}
