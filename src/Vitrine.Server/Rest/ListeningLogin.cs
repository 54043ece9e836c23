using Vitrine.Access;

namespace Vitrine.Server.Rest;

/// <summary>The login by which somebody listens to events, looked at anew every minute.</summary>
internal sealed class ListeningLogin(Login login, ILogins logins, TimeProvider time)
{
    private static readonly TimeSpan CheckInterval = TimeSpan.FromMinutes(1);
    private long _checked = time.GetTimestamp();

    /// <summary>Who has other rights by now than those he began to listen with hears no more, as does who has none: another connection has the new ones.</summary>
    public async Task<bool> HoldsAsync(CancellationToken cancellationToken)
    {
        if (login.ExpiresAt <= time.GetUtcNow())
            return false;
        if (time.GetElapsedTime(_checked) < CheckInterval)
            return true;

        _checked = time.GetTimestamp();
        try
        {
            return (await logins.ValidateAsync(login.Token, cancellationToken)).Caller.Roles.SetEquals(login.Caller.Roles);
        }
        catch (Exception refusal) when (refusal is UnauthenticatedException or IdentityUnavailableException)
        {
            return false;
        }
    }
}
