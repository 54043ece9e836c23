namespace Vitrine.Access;

/// <summary>Turns passwords and secrets into what may be kept of them.</summary>
/// <remarks>Slow on purpose: a call takes tens of milliseconds of processor time. Both calls may run on many threads at once.</remarks>
public interface IPasswordHasher
{
    /// <summary>Differs from call to call, as every hash has its own salt.</summary>
    string Hash(string password);

    /// <summary>Takes the same time for a right and a wrong password.</summary>
    bool Verify(string hash, string password);
}
