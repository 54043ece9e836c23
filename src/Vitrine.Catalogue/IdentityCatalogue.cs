using Dapper;
using Vitrine.Access;
using Vitrine.Catalogue.Database;

namespace Vitrine.Catalogue;

/// <summary>Identity in the tables of the migration <c>0100-identity.sql</c>.</summary>
internal sealed class IdentityCatalogue(CatalogueDatabase database) : IIdentityCatalogue
{
    /// <summary>Clocks of nodes differ: what is over for one may not yet be over for another.</summary>
    private static readonly TimeSpan RevocationsOutlast = TimeSpan.FromHours(1);

    public async Task<IdentityDomain?> FindDomainAsync(string id, CancellationToken cancellationToken) =>
        (await FindAsync<DomainRow>("identity_domains", id, cancellationToken))?.ToDomain();

    public async Task<IReadOnlyList<IdentityDomain>> ListDomainsAsync(string? name, CancellationToken cancellationToken)
    {
        var where = name is null ? "" : "where name = @name";
        var rows = await ListAsync<DomainRow>(
            $"select * from identity_domains {where} order by name", new { name }, [name], cancellationToken);
        return [.. rows.Select(row => row.ToDomain())];
    }

    public async Task<Project?> FindProjectAsync(ProjectId id, CancellationToken cancellationToken) =>
        (await FindAsync<ProjectRow>("identity_projects", id.Value, cancellationToken))?.ToProject();

    public async Task<IReadOnlyList<Project>> ListProjectsAsync(IdentityQuery query, CancellationToken cancellationToken)
    {
        var rows = await ListAsync<ProjectRow>(ListIn("identity_projects", query), query, [query.Domain, query.Name], cancellationToken);
        return [.. rows.Select(row => row.ToProject())];
    }

    public async Task<User?> FindUserAsync(UserId id, CancellationToken cancellationToken) =>
        (await FindAsync<UserRow>("identity_users", id.Value, cancellationToken))?.ToUser();

    public async Task<IReadOnlyList<User>> ListUsersAsync(IdentityQuery query, CancellationToken cancellationToken)
    {
        var rows = await ListAsync<UserRow>(ListIn("identity_users", query), query, [query.Domain, query.Name], cancellationToken);
        return [.. rows.Select(row => row.ToUser())];
    }

    public async Task<Role?> FindRoleAsync(RoleId id, CancellationToken cancellationToken) =>
        (await FindAsync<RoleRow>("identity_roles", id.Value, cancellationToken))?.ToRole();

    public async Task<IReadOnlyList<Role>> ListRolesAsync(string? name, CancellationToken cancellationToken)
    {
        var where = name is null ? "" : "where name = @name";
        var rows = await ListAsync<RoleRow>(
            $"select * from identity_roles {where} order by name", new { name }, [name], cancellationToken);
        return [.. rows.Select(row => row.ToRole())];
    }

    public async Task<IReadOnlyList<RoleAssignment>> ListAssignmentsAsync(AssignmentQuery query, CancellationToken cancellationToken)
    {
        var conditions = new List<string>();
        if (query.User is not null)
            conditions.Add("user_id = @user");
        if (query.Target is not null)
            conditions.Add("kind = @kind and target = @target");
        if (query.Role is not null)
            conditions.Add("role_id = @role");

        var (user, kind, target, role) = (query.User?.Value, query.Target?.Kind.Word(), query.Target?.Id, query.Role?.Value);
        var rows = await ListAsync<AssignmentRow>(
            $"select * from identity_assignments {Where(conditions)}",
            new { user, kind, target, role }, [user, target, role], cancellationToken);
        return [.. rows.Select(row => row.ToAssignment())];
    }

    public async Task<ApplicationCredential?> FindCredentialAsync(ApplicationCredentialId id, CancellationToken cancellationToken) =>
        (await FindAsync<CredentialRow>("application_credentials", id.Value, cancellationToken))?.ToCredential();

    public async Task<IReadOnlyList<ApplicationCredential>> ListCredentialsAsync(
        UserId user, string? name, CancellationToken cancellationToken)
    {
        var andName = name is null ? "" : "and name = @name";
        var rows = await ListAsync<CredentialRow>(
            $"select * from application_credentials where user_id = @user {andName} order by name",
            new { user = user.Value, name }, [user.Value, name], cancellationToken);
        return [.. rows.Select(row => row.ToCredential())];
    }

    public Task SaveAsync(IReadOnlyList<IdentityChange> changes, CancellationToken cancellationToken) => changes.Count == 0
        ? Task.CompletedTask
        : database.WriteAsync(
            (_, transaction) => new IdentityWrites(database.Dialect, transaction, cancellationToken).ApplyAsync(changes),
            cancellationToken);

    public async Task<TokenCheck> CheckTokenAsync(IReadOnlyList<string> auditIds, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var sql = $"""
            select
                (select number from identity_generation) as generation,
                exists (select 1 from revoked_tokens where {database.Dialect.In("audit_id", "@auditIds")}) as revoked
            """;
        var row = await connection.QuerySingleAsync<TokenCheckRow>(
            new CommandDefinition(sql, new { auditIds }, cancellationToken: cancellationToken));
        return new TokenCheck(row.Generation, row.Revoked);
    }

    public Task RevokeTokenAsync(string auditId, DateTimeOffset expiresAt, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async (connection, transaction) =>
            {
                await connection.ExecuteAsync(new CommandDefinition(
                    "delete from revoked_tokens where expires_at <= @over",
                    new { over = Stored.Micros(now - RevocationsOutlast) }, transaction, cancellationToken: cancellationToken));
                await connection.ExecuteAsync(new CommandDefinition(
                    "insert into revoked_tokens (audit_id, expires_at) values (@auditId, @expires) on conflict do nothing",
                    new { auditId, expires = Stored.Micros(expiresAt) }, transaction, cancellationToken: cancellationToken));
            },
            cancellationToken);

    private async Task<T?> FindAsync<T>(string table, string id, CancellationToken cancellationToken) where T : class
    {
        var rows = await ListAsync<T>($"select * from {table} where id = @id", new { id }, [id], cancellationToken);
        return rows.SingleOrDefault();
    }

    /// <param name="asked">The texts that rows are asked for by; nothing is found by one that cannot be stored.</param>
    private async Task<IReadOnlyList<T>> ListAsync<T>(
        string sql, object parameters, IReadOnlyList<string?> asked, CancellationToken cancellationToken)
    {
        if (asked.Any(text => text is not null && !Stored.CanHold(text)))
            return [];

        await using var connection = await database.OpenAsync(cancellationToken);
        return [.. await connection.QueryAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken))];
    }

    private static string ListIn(string table, IdentityQuery query)
    {
        var conditions = new List<string>();
        if (query.Domain is not null)
            conditions.Add("domain = @Domain");
        if (query.Name is not null)
            conditions.Add("name = @Name");

        return $"select * from {table} {Where(conditions)} order by name, id";
    }

    private static string Where(IReadOnlyCollection<string> conditions) =>
        conditions.Count == 0 ? "" : $"where {string.Join(" and ", conditions)}";

    private sealed class TokenCheckRow
    {
        public long Generation { get; init; }
        public bool Revoked { get; init; }
    }
}
