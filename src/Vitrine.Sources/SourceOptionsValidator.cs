using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Vitrine.Sources.Outgoing;

namespace Vitrine.Sources;

/// <summary>Names every fault of the section at once, by its key, so that it is corrected at once.</summary>
internal sealed class SourceOptionsValidator : IValidateOptions<SourceOptions>
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    public ValidateOptionsResult Validate(string? name, SourceOptions options)
    {
        var faults = Faults(options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> Faults(SourceOptions options) =>
    [
        .. Each(options.AllowedHosts, nameof(options.AllowedHosts), HostFault),
        .. Each(options.OnlyHosts, nameof(options.OnlyHosts), HostFault),
        .. Each(options.AllowedNetworks, nameof(options.AllowedNetworks), NetworkFault),
        .. Each(options.AllowedSchemes, nameof(options.AllowedSchemes), SchemeFault),
        .. Each(options.AllowedPorts, nameof(options.AllowedPorts), PortFault),
        .. Each(options.Directories, nameof(options.Directories), DirectoryFault),
        .. One(nameof(options.KnownHosts), FileFault(options.KnownHosts)),
        .. Each(options.SftpKeys, nameof(options.SftpKeys), KeyFault),
        .. Each(options.S3Credentials, nameof(options.S3Credentials), CredentialFault),
        .. Each(options.Libraries, nameof(options.Libraries), LibraryFault),
        .. One(nameof(options.ChecksumKeyring), KeyringFault(options.ChecksumKeyring)),
        .. Each(options.TrustedCertificates, nameof(options.TrustedCertificates), CertificateFault),
        .. One(nameof(options.Proxy), ProxyFault(options.Proxy)),
        .. One(nameof(options.ConnectTimeout), TimeFault(options.ConnectTimeout)),
        .. One(nameof(options.HeaderTimeout), TimeFault(options.HeaderTimeout)),
        .. One(nameof(options.IdleTimeout), TimeFault(options.IdleTimeout)),
    ];

    private static IEnumerable<string> Each<T>(IList<T> values, string key, Func<T, string?> fault) =>
        values.SelectMany((value, index) => One($"{key}:{index}", fault(value)));

    private static IEnumerable<string> One(string key, string? fault) =>
        fault is null ? [] : [$"{SourceOptions.Section}:{key}: {fault}"];

    private static string? HostFault(string text) => HostPattern.TryParse(text, out _)
        ? null
        : $"\"{text}\" is neither a host's name, nor *. before a domain, nor an IP address.";

    private static string? NetworkFault(string text) => NetworkText.TryParse(text, out _)
        ? null
        : $"\"{text}\" is no network as 10.20.0.0/16 or fd00:1::/64; the bits after its length have to be zero.";

    private static string? SchemeFault(string text) => OutgoingPolicy.KnownSchemes.Contains(text)
        ? null
        : $"\"{text}\" is none of {string.Join(", ", OutgoingPolicy.KnownSchemes)}.";

    private static string? PortFault(int port) => port is > 0 and <= 65_535 ? null : $"{port} is no port.";

    // It may be mounted later, and on other nodes only.
    private static string? DirectoryFault(string path) => path.StartsWith('/') && path.Length > 1 && Path.GetFullPath(path).TrimEnd('/') == path.TrimEnd('/')
        ? null
        : $"\"{path}\" is no absolute path of a directory below /.";

    private static string? KeyFault(SftpKey key) => HostFault(key.Host)
        ?? (key.User.Length == 0 ? "it has no User." : null)
        ?? (key.PrivateKey.Length == 0 ? "it has no PrivateKey." : FileFault(key.PrivateKey));

    private static string? LibraryFault(LibraryCredential library) => NameFault(library.Name) ?? library switch
    {
        { CredentialId.Length: 0 } or { CredentialSecret.Length: 0 } => "it needs a CredentialId and a CredentialSecret.",
        _ => ServerFault(library.Address, nameof(library.Address)),
    };

    // No value is repeated, as they are easily put into each other's places.
    private static string? CredentialFault(S3Credential credential) => NameFault(credential.Name) ?? credential switch
    {
        { AccessKey.Length: 0 } or { SecretKey.Length: 0 } or { Region.Length: 0 } => "it needs an AccessKey, a SecretKey and a Region.",
        _ => ServerFault(credential.Endpoint, nameof(credential.Endpoint)),
    };

    private static string? NameFault(string name) => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-')
        ? null
        : "its Name has to be of letters, digits, dots and dashes.";

    private static string? ServerFault(string text, string key) => Uri.TryCreate(text, UriKind.Absolute, out var address)
        && address.Scheme is ("http" or "https") && address is { PathAndQuery: "/", UserInfo: "" }
        ? null
        : $"its {key} has to be http://host[:port] or https://host[:port].";

    private static string? KeyringFault(string? path) =>
        path is null || path.StartsWith('/') ? FileFault(path) : $"\"{path}\" is no absolute path.";

    private static string? FileFault(string? path)
    {
        try
        {
            if (path is not null)
                File.OpenHandle(path).Dispose();
            return null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return $"\"{path}\" cannot be read: {fault.Message}";
        }
    }

    private static string? CertificateFault(string path)
    {
        try
        {
            return TlsTrust.Load(path).Count > 0 ? null : $"\"{path}\" has no PEM certificate in it.";
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return $"\"{path}\" cannot be read: {fault.Message}";
        }
    }

    // The text is not repeated, as it may hold a password.
    private static string? ProxyFault(string? text) => text is null || ProxyAddress.TryParse(text, out _)
        ? null
        : "it has to be http://[user:password@]host:port.";

    private static string? TimeFault(TimeSpan time) =>
        time > TimeSpan.Zero && time <= Longest ? null : $"{time} has to be more than nothing and at most {Longest}.";
}
