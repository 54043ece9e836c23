using System.ComponentModel.DataAnnotations;

namespace Vitrine.Server.Tls;

/// <summary>The section <c>Server:Tls</c>: by what certificate https addresses are served.</summary>
public sealed class TlsOptions : IValidatableObject
{
    /// <summary>A PEM file with the server's certificate, and those between it and its authority. Default: the library's own authority issues one.</summary>
    public string? Certificate { get; set; }

    /// <summary>A PEM file with the certificate's private key, unencrypted. Both files are read again when they change.</summary>
    public string? Key { get; set; }

    /// <summary>Names and addresses under which clients reach the node, beside those that it knows itself, for the certificates of the own authority.</summary>
    public IList<string> Names { get; init; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Certificate is null != Key is null)
            yield return new ValidationResult("Certificate and Key are given together, or neither.", [nameof(Certificate), nameof(Key)]);
        foreach (var name in Names.Where(n => Uri.CheckHostName(n) is UriHostNameType.Unknown))
            yield return new ValidationResult($"Names: '{name}' is neither a name nor an address.", [nameof(Names)]);
    }
}
