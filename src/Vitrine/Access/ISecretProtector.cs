namespace Vitrine.Access;

/// <summary>Encrypts what must be kept but not read by whoever reads the catalogue. All nodes share the keys.</summary>
public interface ISecretProtector
{
    string Protect(string secret);

    /// <exception cref="System.Security.Cryptography.CryptographicException">Not ours, altered, or the key is gone.</exception>
    string Unprotect(string protectedSecret);
}
