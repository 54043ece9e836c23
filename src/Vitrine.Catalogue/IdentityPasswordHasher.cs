using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Vitrine.Access;

namespace Vitrine.Catalogue;

/// <summary>Password hashes as ASP.NET's Identity makes them: PBKDF2 with a salt, its parameters within the hash.</summary>
/// <param name="options">How slow to be; the framework's default is what is recommended.</param>
internal sealed class IdentityPasswordHasher(IOptions<PasswordHasherOptions> options) : IPasswordHasher
{
    // The hasher gives overrides the user to choose by; it asks nothing of it itself.
    private static readonly object Anybody = new();

    private readonly PasswordHasher<object> _hasher = new(options);

    public string Hash(string password) => _hasher.HashPassword(Anybody, password);

    public bool Verify(string hash, string password) =>
        _hasher.VerifyHashedPassword(Anybody, hash, password) is not PasswordVerificationResult.Failed;
}
