namespace Vitrine.Access;

/// <summary>A user holds a role somewhere.</summary>
public sealed record RoleAssignment(UserId User, AssignmentTarget Target, RoleId Role);

/// <summary>Where a role is held.</summary>
public enum AssignmentKind
{
    Project,
    Domain,

    /// <summary>The installation as a whole.</summary>
    System,
}

/// <summary>The project, the domain or the system in which a role is held, or to which a login is scoped.</summary>
public sealed record AssignmentTarget
{
    private AssignmentTarget(AssignmentKind kind, string id) => (Kind, Id) = (kind, id);

    /// <summary>There is one system, so it needs no id.</summary>
    public static AssignmentTarget System { get; } = new(AssignmentKind.System, "");

    public AssignmentKind Kind { get; }

    /// <summary>The id of the project or of the domain; empty for the system.</summary>
    public string Id { get; }

    public static AssignmentTarget Project(ProjectId id) => new(AssignmentKind.Project, id.Value);

    public static AssignmentTarget Domain(string id) => new(AssignmentKind.Domain, id);

    /// <summary>The inverse of <see cref="Kind"/> and <see cref="Id"/>, for records that were kept as text.</summary>
    public static AssignmentTarget Of(AssignmentKind kind, string id) => kind is AssignmentKind.System ? System : new(kind, id);

    public override string ToString() => Kind is AssignmentKind.System ? "system" : $"{Kind.Word()} {Id}";
}
