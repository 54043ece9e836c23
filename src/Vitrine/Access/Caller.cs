namespace Vitrine.Access;

/// <summary>Who asks: a user, acting in one project with some roles.</summary>
/// <param name="User">The user that logged in.</param>
/// <param name="Project">The project the login is scoped to; null for a login without a project.</param>
/// <param name="Domain">The identity domain of the project, or of the user where there is no project.</param>
/// <param name="Roles">The names of the roles held in the project, implied ones included.</param>
public sealed record Caller(UserId User, ProjectId? Project, string Domain, IReadOnlySet<string> Roles)
{
    /// <summary>The application credential that the login was made by, of the library's own identity; null for another login.</summary>
    public ApplicationCredentialId? Credential { get; init; }

    /// <summary>Admin in any project may act on everything, as the reference policies have it.</summary>
    public bool IsAdmin => Roles.Contains(RoleNames.Admin);

    /// <summary>May create, change, upload and download in its project.</summary>
    public bool IsMember => IsAdmin || Roles.Contains(RoleNames.Member);

    /// <exception cref="ForbiddenException">The login is not scoped to a project.</exception>
    public ProjectId RequireProject() =>
        Project ?? throw new ForbiddenException("work on images without a project", "log in to a project");

    /// <exception cref="ForbiddenException">The caller may only read.</exception>
    public void RequireMember(string action)
    {
        if (!IsMember)
            throw new ForbiddenException(action, "this needs the role member");
    }

    /// <exception cref="ForbiddenException">The caller is no administrator.</exception>
    public void RequireAdmin(string action)
    {
        if (!IsAdmin)
            throw new ForbiddenException(action, "this needs the role admin");
    }
}

/// <summary>The three roles there always are; admin implies member implies reader.</summary>
public static class RoleNames
{
    public const string Admin = "admin";
    public const string Member = "member";
    public const string Reader = "reader";
}

/// <summary>The caller is known, and may not do this.</summary>
public sealed class ForbiddenException(string action, string reason) : LibraryException($"You are not allowed to {action}: {reason}.")
{
    public string Action { get; } = action;
    public string Reason { get; } = reason;

    public override string Code => "forbidden";

    public override string Remedy => "Ask an administrator of the project.";
}

/// <summary>The caller's name, secret, token or scope does not hold. Says no more, so that nothing can be guessed from it.</summary>
public sealed class UnauthenticatedException() : LibraryException("The request you have made requires authentication.")
{
    public override string Code => "unauthenticated";

    public override string Remedy => "Log in again.";
}
