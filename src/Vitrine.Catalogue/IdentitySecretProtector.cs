using Microsoft.AspNetCore.DataProtection;
using Vitrine.Access;

namespace Vitrine.Catalogue;

/// <summary>Secrets by ASP.NET's Data Protection, whose keys the nodes share.</summary>
/// <param name="purpose">What is protected for one purpose is not accepted for another.</param>
internal sealed class DataProtectionSecrets(IDataProtectionProvider provider, string purpose) : ISecretProtector
{
    private readonly IDataProtector _protector = provider.CreateProtector("Vitrine", purpose);

    public string Protect(string secret) => _protector.Protect(secret);

    public string Unprotect(string protectedSecret) => _protector.Unprotect(protectedSecret);
}
