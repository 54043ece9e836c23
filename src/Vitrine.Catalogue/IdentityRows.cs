using Vitrine.Access;
using Vitrine.Catalogue.Database;

namespace Vitrine.Catalogue;

// The tables of identity, row by row. The names are those of the columns.

internal sealed class DomainRow
{
    public string Id { get; init; } = "";
    public string Name { get; init; } = "";
    public string Description { get; init; } = "";
    public bool Enabled { get; init; }
    public long CreatedAt { get; init; }
    public long Version { get; init; }

    public static DomainRow From(IdentityDomain domain) => new()
    {
        Id = domain.Id,
        Name = domain.Name,
        Description = domain.Description,
        Enabled = domain.Enabled,
        CreatedAt = Stored.Micros(domain.CreatedAt),
        Version = domain.Version,
    };

    public IdentityDomain ToDomain() => new()
    {
        Id = Id,
        Name = Name,
        Description = Description,
        Enabled = Enabled,
        CreatedAt = Stored.Time(CreatedAt),
        Version = Version,
    };
}

internal sealed class ProjectRow
{
    public string Id { get; init; } = "";
    public string Domain { get; init; } = "";
    public string Name { get; init; } = "";
    public string Description { get; init; } = "";
    public bool Enabled { get; init; }
    public long CreatedAt { get; init; }
    public long Version { get; init; }

    public static ProjectRow From(Project project) => new()
    {
        Id = project.Id.Value,
        Domain = project.Domain,
        Name = project.Name,
        Description = project.Description,
        Enabled = project.Enabled,
        CreatedAt = Stored.Micros(project.CreatedAt),
        Version = project.Version,
    };

    public Project ToProject() => new()
    {
        Id = new ProjectId(Id),
        Domain = Domain,
        Name = Name,
        Description = Description,
        Enabled = Enabled,
        CreatedAt = Stored.Time(CreatedAt),
        Version = Version,
    };
}

internal sealed class UserRow
{
    public string Id { get; init; } = "";
    public string Domain { get; init; } = "";
    public string Name { get; init; } = "";
    public string Description { get; init; } = "";
    public string? Email { get; init; }
    public string? DefaultProject { get; init; }
    public string? PasswordHash { get; init; }
    public long TokensValidFrom { get; init; }
    public bool Enabled { get; init; }
    public long CreatedAt { get; init; }
    public long Version { get; init; }

    public static UserRow From(User user) => new()
    {
        Id = user.Id.Value,
        Domain = user.Domain,
        Name = user.Name,
        Description = user.Description,
        Email = user.Email,
        DefaultProject = user.DefaultProject?.Value,
        PasswordHash = user.PasswordHash,
        TokensValidFrom = Stored.Micros(user.TokensValidFrom),
        Enabled = user.Enabled,
        CreatedAt = Stored.Micros(user.CreatedAt),
        Version = user.Version,
    };

    public User ToUser() => new()
    {
        Id = new UserId(Id),
        Domain = Domain,
        Name = Name,
        Description = Description,
        Email = Email,
        DefaultProject = DefaultProject is { } project ? new ProjectId(project) : null,
        PasswordHash = PasswordHash,
        TokensValidFrom = Stored.Time(TokensValidFrom),
        Enabled = Enabled,
        CreatedAt = Stored.Time(CreatedAt),
        Version = Version,
    };
}

internal sealed class RoleRow
{
    public string Id { get; init; } = "";
    public string Name { get; init; } = "";
    public string Description { get; init; } = "";
    public long Version { get; init; }

    public static RoleRow From(Role role) => new()
    {
        Id = role.Id.Value,
        Name = role.Name,
        Description = role.Description,
        Version = role.Version,
    };

    public Role ToRole() => new() { Id = new RoleId(Id), Name = Name, Description = Description, Version = Version };
}

internal sealed class AssignmentRow
{
    public string UserId { get; init; } = "";
    public string Kind { get; init; } = "";
    public string Target { get; init; } = "";
    public string RoleId { get; init; } = "";

    public static AssignmentRow From(RoleAssignment assignment) => new()
    {
        UserId = assignment.User.Value,
        Kind = assignment.Target.Kind.Word(),
        Target = assignment.Target.Id,
        RoleId = assignment.Role.Value,
    };

    public RoleAssignment ToAssignment() =>
        new(new UserId(UserId), AssignmentTarget.Of(Stored.Enum<AssignmentKind>(Kind), Target), new RoleId(RoleId));
}

internal sealed class CredentialRow
{
    public string Id { get; init; } = "";
    public string UserId { get; init; } = "";
    public string ProjectId { get; init; } = "";
    public string Name { get; init; } = "";
    public string Description { get; init; } = "";
    public string SecretHash { get; init; } = "";
    public string Roles { get; init; } = "";
    public bool Unrestricted { get; init; }
    public long? ExpiresAt { get; init; }
    public long CreatedAt { get; init; }

    public static CredentialRow From(ApplicationCredential credential) => new()
    {
        Id = credential.Id.Value,
        UserId = credential.User.Value,
        ProjectId = credential.Project.Value,
        Name = credential.Name,
        Description = credential.Description,
        SecretHash = credential.SecretHash,
        Roles = string.Join(' ', credential.Roles),
        Unrestricted = credential.Unrestricted,
        ExpiresAt = Stored.Micros(credential.ExpiresAt),
        CreatedAt = Stored.Micros(credential.CreatedAt),
    };

    public ApplicationCredential ToCredential() => new()
    {
        Id = new ApplicationCredentialId(Id),
        User = new UserId(UserId),
        Project = new ProjectId(ProjectId),
        Name = Name,
        Description = Description,
        SecretHash = SecretHash,
        Roles = [.. Roles.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(role => new RoleId(role))],
        Unrestricted = Unrestricted,
        ExpiresAt = Stored.Time(ExpiresAt),
        CreatedAt = Stored.Time(CreatedAt),
    };
}
