namespace Vitrine.Access;

public sealed partial class IdentityAdministration
{
    /// <exception cref="IdentityConflictException">A user of the domain has the name.</exception>
    /// <exception cref="IdentityNotFoundException">There is no such domain or default project.</exception>
    public async Task<User> CreateUserAsync(Caller caller, UserDraft draft, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("create user");
        var user = new User
        {
            Id = UserId.New(),
            Name = IdentityRules.CheckName(draft.Name),
            Domain = (await GetDomainAsync(draft.Domain ?? caller.Domain, cancellationToken)).Id,
            Description = IdentityRules.CheckText("description", draft.Description),
            Email = draft.Email is { } email ? IdentityRules.CheckText("email", email) : null,
            DefaultProject = await CheckDefaultProjectAsync(draft.DefaultProject, cancellationToken),
            PasswordHash = HashOf(draft.Password),
            Enabled = draft.Enabled,
            CreatedAt = time.Now(),
        };
        await SaveAsync(new IdentityChange.SaveUser(user), cancellationToken);
        return user;
    }

    public Task<IReadOnlyList<User>> ListUsersAsync(Caller caller, IdentityQuery query, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("list users");
        return catalogue.ListUsersAsync(query, cancellationToken);
    }

    public Task<User> GetUserAsync(Caller caller, UserId id, CancellationToken cancellationToken)
    {
        RequireSelfOrAdmin(caller, id, "get user");
        return GetUserAsync(id, cancellationToken);
    }

    /// <summary>A new password, and being disabled, ends all logins of the user.</summary>
    public async Task<User> UpdateUserAsync(Caller caller, UserId id, UserUpdate update, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("update user");
        var user = await GetUserAsync(id, cancellationToken);
        var updated = user with
        {
            Name = update.Name is { } name ? IdentityRules.CheckName(name) : user.Name,
            Description = update.Description is { } text ? IdentityRules.CheckText("description", text) : user.Description,
            Email = update.Email is { } email ? IdentityRules.CheckText("email", email) : user.Email,
            DefaultProject = update.NoDefaultProject
                ? null
                : await CheckDefaultProjectAsync(update.DefaultProject, cancellationToken) ?? user.DefaultProject,
        };
        if (update.Password is not null)
            updated = updated.WithPassword(HashOf(update.Password), time.Now());
        if (update.Enabled is { } enabled)
            updated = updated.SetEnabled(enabled, time.Now());

        await SaveAsync(new IdentityChange.SaveUser(updated), cancellationToken);
        return updated;
    }

    /// <summary>Users change their own password, which ends all their logins; others' passwords are set by an update.</summary>
    /// <exception cref="UnauthenticatedException">The original password is wrong.</exception>
    public async Task ChangePasswordAsync(
        Caller caller, UserId id, string original, string password, CancellationToken cancellationToken)
    {
        if (caller.User != id)
            throw new ForbiddenException("change password", "only the user itself may, and it needs the old password");

        var user = await GetUserAsync(id, cancellationToken);
        logins.ProvePassword(user, original);
        await SaveAsync(new IdentityChange.SaveUser(user.WithPassword(HashOf(password), time.Now())), cancellationToken);
    }

    public async Task DeleteUserAsync(Caller caller, UserId id, CancellationToken cancellationToken)
    {
        caller.RequireAdmin("delete user");
        await GetUserAsync(id, cancellationToken);
        await SaveAsync(new IdentityChange.DeleteUser(id), cancellationToken);
    }

    private string? HashOf(string? password) =>
        password is null ? null : hasher.Hash(IdentityRules.CheckPassword("password", password));

    private async Task<ProjectId?> CheckDefaultProjectAsync(ProjectId? project, CancellationToken cancellationToken) =>
        project is { } id ? (await GetProjectAsync(id, cancellationToken)).Id : null;
}

/// <param name="Password">Null for a user that will log in by application credentials alone.</param>
/// <param name="Domain">The id of an identity domain; null is the caller's.</param>
public sealed record UserDraft(
    string Name, string? Password, string? Domain = null, string Description = "", string? Email = null,
    ProjectId? DefaultProject = null, bool Enabled = true)
{
    /// <summary>Never prints the password, as logs print records.</summary>
    public override string ToString() => $"draft of user {Name}";
}

/// <summary>What to change; null leaves a value as it is.</summary>
/// <param name="NoDefaultProject">Takes the default project away.</param>
public sealed record UserUpdate(
    string? Name = null, string? Password = null, string? Description = null, string? Email = null,
    ProjectId? DefaultProject = null, bool NoDefaultProject = false, bool? Enabled = null)
{
    /// <summary>Never prints the password, as logs print records.</summary>
    public override string ToString() => $"update of a user to the name {Name}";
}
