namespace Vitrine.Access;

/// <summary>Lets users in, and knows again those that were let in: by the library's own identity, or by that of the cloud it serves.</summary>
public interface ILogins
{
    /// <summary>What a token stands for. Asked for every request, and made to be cheap.</summary>
    /// <exception cref="UnauthenticatedException">It holds no more, or never did.</exception>
    /// <exception cref="IdentityUnavailableException">Nobody can say.</exception>
    Task<Login> ValidateAsync(string token, CancellationToken cancellationToken);

    /// <summary>Lets in whom somebody calls by names or by ids, without saying which.</summary>
    /// <exception cref="UnauthenticatedException">Whatever was wrong: user, password or project.</exception>
    /// <exception cref="IdentityUnavailableException">Nobody can say.</exception>
    Task<Login> ByWordsAsync(LoginWords words, CancellationToken cancellationToken);

    /// <summary>A login to the credential's project with no more than the credential's roles.</summary>
    /// <exception cref="UnauthenticatedException">Whatever was wrong: name, secret, time, or the user's own standing.</exception>
    /// <exception cref="IdentityUnavailableException">Nobody can say.</exception>
    Task<Login> ByApplicationCredentialAsync(CredentialReference credential, string secret, CancellationToken cancellationToken);

    /// <summary>The token, and every token made from it, holds no more, on any node.</summary>
    /// <exception cref="UnauthenticatedException">It did not hold.</exception>
    /// <exception cref="IdentityUnavailableException">Nobody can say.</exception>
    Task RevokeAsync(string token, CancellationToken cancellationToken);
}

/// <summary>How a person says who it is.</summary>
/// <param name="Domain">The name or id of the domain of user and project; null for the default domain.</param>
/// <param name="Project">A name or id; null for the user's default project, or the only one it has a role in.</param>
public sealed record LoginWords(string User, string Password, string? Domain, string? Project)
{
    /// <summary>Never prints the password.</summary>
    public override string ToString() => $"login of {User}";
}

/// <summary>The identity service of the cloud does not answer, so that nobody can be known.</summary>
public sealed class IdentityUnavailableException(string reason, Exception? inner = null)
    : LibraryException($"The identity service does not answer: {reason.TrimEnd('.')}.", inner)
{
    public override string Code => "identity-unavailable";

    public override string Remedy => "Try again in a moment. If it lasts, look at the identity service and at OpenStack:Keystone:Url.";
}
