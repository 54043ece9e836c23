namespace Vitrine.Access;

/// <summary>Where the library's own authority for certificates is kept, which all nodes share.</summary>
public interface IAuthorityCatalogue
{
    /// <summary>Finds the authority, or keeps a new one where there is none.</summary>
    /// <param name="make">Is called where there seems to be none; what it makes is of no use where another node was first.</param>
    Task<StoredAuthority> FindOrKeepAsync(Func<StoredAuthority> make, CancellationToken cancellationToken);
}

/// <param name="Certificate">As PEM; public.</param>
/// <param name="SealedKey">Its private key as PEM (PKCS #8), encrypted by <see cref="ISecretProtector"/>.</param>
public sealed record StoredAuthority(string Certificate, string SealedKey)
{
    /// <summary>Never prints the key.</summary>
    public override string ToString() => nameof(StoredAuthority);
}
