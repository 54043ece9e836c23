using System.Data.Common;
using Dapper;
using Vitrine.Access;
using Vitrine.Catalogue.Database;

namespace Vitrine.Catalogue;

/// <summary>The steps of one transaction on identity.</summary>
internal sealed class IdentityWrites(Dialect dialect, DbTransaction transaction, CancellationToken cancellationToken)
{
    public async Task ApplyAsync(IEnumerable<IdentityChange> changes)
    {
        // First of all: from here until the commit no other transaction changes identity, so what is looked at stays.
        await RunAsync("update identity_generation set number = number + 1", new object());
        foreach (var change in changes)
            await ApplyAsync(change);
    }

    private Task ApplyAsync(IdentityChange change) => change switch
    {
        IdentityChange.SaveDomain save => SaveDomainAsync(save.Domain),
        IdentityChange.SaveProject save => SaveProjectAsync(save.Project),
        IdentityChange.SaveUser save => SaveUserAsync(save.User),
        IdentityChange.SaveRole save => SaveRoleAsync(save.Role),
        IdentityChange.AddCredential add => AddCredentialAsync(add.Credential),
        IdentityChange.Assign assign => AssignAsync(assign.Assignment),
        IdentityChange.Unassign unassign => UnassignAsync(unassign.Assignment),
        IdentityChange.DeleteDomain delete => DeleteDomainAsync(delete.Id),
        IdentityChange.DeleteProject delete => DeleteProjectAsync(delete.Id),
        IdentityChange.DeleteUser delete => RunAsync("delete from identity_users where id = @id", new { id = delete.Id.Value }),
        IdentityChange.DeleteRole delete => RunAsync("delete from identity_roles where id = @id", new { id = delete.Id.Value }),
        IdentityChange.DeleteCredential delete => RunAsync(
            "delete from application_credentials where id = @id", new { id = delete.Id.Value }),
        _ => throw new ArgumentException($"A change of the unknown type {change.GetType().Name}.", nameof(change)),
    };

    private Task SaveDomainAsync(IdentityDomain domain) => SaveAsync(
        new Named(IdentityKind.Domain, domain.Name, domain.Version, "identity_domains", "identity_domains.name"),
        """
        insert into identity_domains (id, name, description, enabled, created_at, version)
        values (@Id, @Name, @Description, @Enabled, @CreatedAt, 1)
        """,
        """
        update identity_domains set name = @Name, description = @Description, enabled = @Enabled, version = version + 1
        where id = @Id and version = @Version
        """,
        DomainRow.From(domain));

    private async Task SaveProjectAsync(Project project)
    {
        await RequireAsync(IdentityKind.Domain, "identity_domains", project.Domain);
        await SaveAsync(
            new Named(
                IdentityKind.Project, project.Name, project.Version, "identity_projects", "identity_projects.domain, identity_projects.name"),
            """
            insert into identity_projects (id, domain, name, description, enabled, created_at, version)
            values (@Id, @Domain, @Name, @Description, @Enabled, @CreatedAt, 1)
            """,
            """
            update identity_projects set name = @Name, description = @Description, enabled = @Enabled, version = version + 1
            where id = @Id and version = @Version
            """,
            ProjectRow.From(project));
    }

    private async Task SaveUserAsync(User user)
    {
        await RequireAsync(IdentityKind.Domain, "identity_domains", user.Domain);
        await SaveAsync(
            new Named(IdentityKind.User, user.Name, user.Version, "identity_users", "identity_users.domain, identity_users.name"),
            """
            insert into identity_users (
                id, domain, name, description, email, default_project, password_hash, tokens_valid_from, enabled, created_at, version)
            values (
                @Id, @Domain, @Name, @Description, @Email, @DefaultProject, @PasswordHash, @TokensValidFrom, @Enabled, @CreatedAt, 1)
            """,
            """
            update identity_users set
                name = @Name, description = @Description, email = @Email, default_project = @DefaultProject,
                password_hash = @PasswordHash, tokens_valid_from = @TokensValidFrom, enabled = @Enabled, version = version + 1
            where id = @Id and version = @Version
            """,
            UserRow.From(user));
    }

    private Task SaveRoleAsync(Role role) => SaveAsync(
        new Named(IdentityKind.Role, role.Name, role.Version, "identity_roles", "identity_roles.name"),
        "insert into identity_roles (id, name, description, version) values (@Id, @Name, @Description, 1)",
        "update identity_roles set name = @Name, description = @Description, version = version + 1 where id = @Id and version = @Version",
        RoleRow.From(role));

    private async Task AddCredentialAsync(ApplicationCredential credential)
    {
        await RequireAsync(IdentityKind.User, "identity_users", credential.User.Value);
        await RequireAsync(IdentityKind.Project, "identity_projects", credential.Project.Value);
        await SaveAsync(
            new Named(
                IdentityKind.ApplicationCredential, credential.Name, Version: 0, "application_credentials",
                "application_credentials.user_id, application_credentials.name"),
            """
            insert into application_credentials (
                id, user_id, project_id, name, description, secret_hash, roles, unrestricted, expires_at, created_at)
            values (
                @Id, @UserId, @ProjectId, @Name, @Description, @SecretHash, @Roles, @Unrestricted, @ExpiresAt, @CreatedAt)
            """,
            update: "",
            CredentialRow.From(credential));
    }

    private async Task AssignAsync(RoleAssignment assignment)
    {
        await RequireAsync(IdentityKind.User, "identity_users", assignment.User.Value);
        await RequireAsync(IdentityKind.Role, "identity_roles", assignment.Role.Value);
        if (assignment.Target.Kind is AssignmentKind.Project)
            await RequireAsync(IdentityKind.Project, "identity_projects", assignment.Target.Id);
        if (assignment.Target.Kind is AssignmentKind.Domain)
            await RequireAsync(IdentityKind.Domain, "identity_domains", assignment.Target.Id);

        await RunAsync(
            """
            insert into identity_assignments (user_id, kind, target, role_id) values (@UserId, @Kind, @Target, @RoleId)
            on conflict do nothing
            """,
            AssignmentRow.From(assignment));
    }

    private Task UnassignAsync(RoleAssignment assignment) => RunAsync(
        "delete from identity_assignments where user_id = @UserId and kind = @Kind and target = @Target and role_id = @RoleId",
        AssignmentRow.From(assignment));

    // Of what is deleted below, the database itself takes along all that refers to it but assignments to targets.

    private async Task DeleteDomainAsync(string id)
    {
        await RunAsync(
            """
            delete from identity_assignments
            where kind = 'domain' and target = @id
                or kind = 'project' and target in (select id from identity_projects where domain = @id)
            """,
            new { id });
        await RunAsync("delete from identity_domains where id = @id", new { id });
    }

    private async Task DeleteProjectAsync(ProjectId project)
    {
        await RunAsync("delete from identity_assignments where kind = 'project' and target = @id", new { id = project.Value });
        await RunAsync("delete from identity_projects where id = @id", new { id = project.Value });
    }

    private async Task SaveAsync(Named record, string insert, string update, object row)
    {
        try
        {
            if (await RunAsync(record.Version == 0 ? insert : update, row) == 0)
                throw new ConcurrentChangeException($"The {record.Kind.Phrase()} {record.Name}");
        }
        catch (DbException error) when (dialect.Breaks(error, record.NameRule) || dialect.Breaks(error, record.IdRule))
        {
            throw new IdentityConflictException(record.Kind, record.Name);
        }
    }

    private async Task RequireAsync(IdentityKind kind, string table, string id)
    {
        var found = await transaction.Connection!.QuerySingleOrDefaultAsync<string>(new CommandDefinition(
            $"select id from {table} where id = @id", new { id }, transaction, cancellationToken: cancellationToken));
        if (found is null)
            throw new IdentityNotFoundException(kind, id);
    }

    private Task<int> RunAsync(string sql, object parameters) => transaction.Connection!.ExecuteAsync(
        new CommandDefinition(sql, parameters, transaction, cancellationToken: cancellationToken));

    /// <summary>A record with a name that no other of its kind may have.</summary>
    private sealed record Named(IdentityKind Kind, string Name, long Version, string Table, string NameColumns)
    {
        public UniqueRule NameRule => new($"{Table}_name", NameColumns);

        public UniqueRule IdRule => new($"{Table}_pkey", $"{Table}.id");
    }
}
