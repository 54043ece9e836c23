using Vitrine.Access;

namespace Vitrine.Transfers;

/// <summary>Whom a grant was given to: it can do no more than that login could at the moment of its use.</summary>
/// <param name="Credential">The application credential that the login was made by, without which the grant ends; null for none.</param>
internal sealed record Grantee(UserId User, ProjectId Project, ApplicationCredentialId? Credential)
{
    private const string NoCredential = "none";

    /// <summary>Of a caller that is logged in to a project.</summary>
    public static Grantee Of(Caller caller) => new(caller.User, caller.RequireProject(), caller.Credential);

    /// <summary>The inverse of <see cref="ToString"/>, whose three words have been taken apart.</summary>
    public static Grantee Of(string user, string project, string credential) => new(
        new UserId(user), new ProjectId(project), credential == NoCredential ? null : new ApplicationCredentialId(credential));

    /// <returns>What it may do now; null where it is gone or disabled, or where its credential is deleted or too old.</returns>
    public async Task<Caller?> FindAsync(Standings standings, DateTimeOffset now, CancellationToken cancellationToken) =>
        await standings.FindAsync(User, AssignmentTarget.Project(Project), Credential, cancellationToken) is { } standing
            && standing.Credential?.IsExpired(now) is not true
            ? standing.Caller
            : null;

    /// <summary>Three words, as they are sealed.</summary>
    public override string ToString() => $"{User.Value} {Project.Value} {Credential?.Value ?? NoCredential}";
}
