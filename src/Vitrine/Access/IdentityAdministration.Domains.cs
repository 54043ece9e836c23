namespace Vitrine.Access;

public sealed partial class IdentityAdministration
{
    /// <exception cref="IdentityConflictException">A domain has the name.</exception>
    public async Task<IdentityDomain> CreateDomainAsync(Caller caller, DomainDraft draft, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("create domain");
        var domain = new IdentityDomain
        {
            Id = IdentityIds.New(),
            Name = IdentityRules.CheckName(draft.Name),
            Description = IdentityRules.CheckText("description", draft.Description),
            Enabled = draft.Enabled,
            CreatedAt = time.Now(),
        };
        await SaveAsync(new IdentityChange.SaveDomain(domain), cancellationToken);
        return domain;
    }

    public Task<IReadOnlyList<IdentityDomain>> ListDomainsAsync(Caller caller, string? name, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("list domains");
        return catalogue.ListDomainsAsync(name, cancellationToken);
    }

    /// <summary>Everybody may look at the domain it is in.</summary>
    public Task<IdentityDomain> GetDomainAsync(Caller caller, string id, CancellationToken cancellationToken)
    {
        if (caller.Domain != id)
            caller.RequireAdmin("get domain");
        return GetDomainAsync(id, cancellationToken);
    }

    /// <exception cref="BuiltInIdentityException">The default domain would be disabled.</exception>
    public async Task<IdentityDomain> UpdateDomainAsync(Caller caller, string id, DomainUpdate update, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("update domain");
        var domain = await GetDomainAsync(id, cancellationToken);
        if (id == IdentityIds.DefaultDomain && update.Enabled == false)
            throw new BuiltInIdentityException(IdentityKind.Domain, domain.Name);

        var updated = domain with
        {
            Name = update.Name is { } name ? IdentityRules.CheckName(name) : domain.Name,
            Description = update.Description is { } text ? IdentityRules.CheckText("description", text) : domain.Description,
            Enabled = update.Enabled ?? domain.Enabled,
        };
        await SaveAsync(new IdentityChange.SaveDomain(updated), cancellationToken);
        return updated;
    }

    /// <summary>Deletes the domain with all its users and projects.</summary>
    /// <exception cref="DomainEnabledException">It must be disabled first.</exception>
    public async Task DeleteDomainAsync(Caller caller, string id, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("delete domain");
        var domain = await GetDomainAsync(id, cancellationToken);
        if (id == IdentityIds.DefaultDomain)
            throw new BuiltInIdentityException(IdentityKind.Domain, domain.Name);
        if (domain.Enabled)
            throw new DomainEnabledException(id);

        await SaveAsync(new IdentityChange.DeleteDomain(id), cancellationToken);
    }
}

public sealed record DomainDraft(string Name, string Description = "", bool Enabled = true);

/// <summary>What to change; null leaves a value as it is.</summary>
public sealed record DomainUpdate(string? Name = null, string? Description = null, bool? Enabled = null);
