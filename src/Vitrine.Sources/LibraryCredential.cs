namespace Vitrine.Sources;

/// <summary>Another library of this kind, by the name that addresses call it: <c>vitrine://NAME/IMAGE-ID</c>.</summary>
/// <remarks>Whoever may import may then fetch what the credential may read. The library itself has to be one that the policy allows.</remarks>
public sealed class LibraryCredential
{
    /// <summary>Letters, digits, dots and dashes.</summary>
    public string Name { get; set; } = "";

    /// <summary>The address of the library: <c>https://images.example.com</c>.</summary>
    public string Address { get; set; } = "";

    /// <summary>The id of an application credential there.</summary>
    public string CredentialId { get; set; } = "";

    public string CredentialSecret { get; set; } = "";

    // The default would print the secret.
    public override string ToString() => Name;
}
