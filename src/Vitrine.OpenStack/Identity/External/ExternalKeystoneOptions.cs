namespace Vitrine.OpenStack.Identity.External;

/// <summary>The section <c>OpenStack:Keystone</c>: the identity service of the cloud, which takes the place of the library's own.</summary>
public sealed class ExternalKeystoneOptions
{
    /// <summary>Its address with the version, as <c>https://keystone.example.org:5000/v3</c>. Default: none, the library knows its users itself.</summary>
    public string? Url { get; set; }

    /// <summary>A PEM file with the authorities that vouch for it. Default: the system's.</summary>
    public string? Authorities { get; set; }

    /// <summary>How long what it said of a token is taken for granted, and so how long a revoked token may still hold. Default: 30 seconds.</summary>
    public TimeSpan Remember { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long it may take to answer. Default: 10 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Its roles that are admin here. Default: admin.</summary>
    public IList<string> AdminRoles { get; init; } = [];

    /// <summary>Its roles that are member here. Default: member.</summary>
    public IList<string> MemberRoles { get; init; } = [];

    /// <summary>Its roles that are reader here. Default: reader.</summary>
    public IList<string> ReaderRoles { get; init; } = [];

    public bool IsUsed => Url is not null;

    internal IEnumerable<string> Faults()
    {
        if (!Uri.TryCreate(Url, UriKind.Absolute, out var address) || address is not { Scheme: "http" or "https", Query: "", Fragment: "", UserInfo: "" })
            yield return "OpenStack:Keystone:Url must be an http or https URL without query and fragment.";
        else if (!address.AbsolutePath.TrimEnd('/').EndsWith("/v3", StringComparison.Ordinal))
            yield return "OpenStack:Keystone:Url must end with the version: /v3.";
        if (Remember < TimeSpan.Zero || Remember > TimeSpan.FromMinutes(10))
            yield return "OpenStack:Keystone:Remember must be from 0 to 10 minutes: a revoked token holds for so long.";
        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromMinutes(2))
            yield return "OpenStack:Keystone:Timeout must be more than 0, and at most 2 minutes.";
        if (Authorities is not null && !File.Exists(Authorities))
            yield return $"OpenStack:Keystone:Authorities: there is no file {Authorities}.";
    }
}
