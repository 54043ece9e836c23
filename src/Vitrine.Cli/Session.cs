using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Vitrine.Client;
using Vitrine.Formats.Wrappers;

namespace Vitrine.Cli;

/// <summary>Which library is meant and how to enter it: options first, then the environment, then the last login.</summary>
internal static class Session
{
    /// <exception cref="CliException">Nothing says which library.</exception>
    public static Uri AddressOf(string? option, CliTerminal terminal, Settings settings)
    {
        var text = option ?? terminal.Variable("VITRINE_URL") ?? settings.Url
            ?? throw new CliException(ExitCodes.Denied, "You are not logged in.", "Run: vitrine login URL");
        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new CliException(ExitCodes.Usage, $"'{text}' is not the address of a library.", "Write it as https://host:port");
    }

    public static LibraryClient Open(Uri address, string? authorities, CliTerminal terminal, Settings settings)
    {
        var known = Known(settings, address);
        var credentials = CredentialsOf(terminal, known);
        return new LibraryClient(address, new LibraryClientOptions
        {
            Token = terminal.Variable("VITRINE_TOKEN") ?? (terminal.Variable("VITRINE_PASSWORD") is null ? known.Token : null),
            Credentials = credentials,
            Authorities = AuthoritiesOf(authorities ?? terminal.Variable("VITRINE_CACERT") ?? known.Authorities),
            UnfoldZstd = ZstdStream.IsSupported ? frames => new ZstdStream(frames) : null,
            Time = terminal.Time,
        });
    }

    /// <summary>What was given to one server is not shown to another.</summary>
    public static Settings Known(Settings settings, Uri address) => settings.Url is { } url && new Uri(url) == address ? settings : new Settings();

    public static X509Certificate2Collection? AuthoritiesOf(string? path)
    {
        if (path is null)
            return null;

        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(path);
            return authorities;
        }
        catch (Exception failure) when (failure is IOException or CryptographicException)
        {
            throw new CliException(ExitCodes.Usage, $"{path} holds no certificates that can be read.", "Give a file of certificates as PEM.");
        }
    }

    private static TokenRequest? CredentialsOf(CliTerminal terminal, Settings known)
    {
        if (terminal.Variable("VITRINE_PASSWORD") is { } password)
        {
            return new TokenRequest
            {
                User = terminal.Variable("VITRINE_USER") ?? throw new CliException(ExitCodes.Usage, "VITRINE_PASSWORD is set, but VITRINE_USER is not."),
                Password = password,
                Project = terminal.Variable("VITRINE_PROJECT"),
                Domain = terminal.Variable("VITRINE_DOMAIN"),
            };
        }

        return known is { CredentialId: { } id, CredentialSecret: { } secret }
            ? new TokenRequest { ApplicationCredential = new ApplicationCredentialRequest { Id = id, Secret = secret } }
            : null;
    }
}
