using Vitrine.Sources.Http;
using Vitrine.Transfers;

namespace Vitrine.Sources.Glance;

/// <summary>What an image service of OpenStack gives to who has a token: <c>glance+https://:TOKEN@HOST/v2/images/ID/file</c>.</summary>
internal sealed class GlanceSource(HttpSource files) : ISource
{
    private const string Prefix = "glance+";

    public IReadOnlyCollection<string> Schemes { get; } = [.. OutgoingHttp.Schemes.Select(scheme => Prefix + scheme)];

    public void Check(Uri address) => files.Check(Find(address).File);

    public Task<SourceReading> OpenAsync(Uri address, long from, string? validator, CancellationToken cancellationToken)
    {
        var (file, login) = Find(address);
        return files.OpenAsync(file, from, validator, login, cancellationToken);
    }

    public Task<SourceProbe> ProbeAsync(Uri address, CancellationToken cancellationToken)
    {
        var (file, login) = Find(address);
        return files.ProbeAsync(file, login, cancellationToken);
    }

    private static (Uri File, HttpLogin Login) Find(Uri address)
    {
        var colon = address.UserInfo.IndexOf(':', StringComparison.Ordinal);
        var token = Uri.UnescapeDataString(address.UserInfo[(colon + 1)..]);
        if (token.Length == 0 || !token.All(c => c is > ' ' and <= '~'))
            throw new SourceException(
                SourceFault.MalformedUrl, "The address of an image service's file needs a token: glance+https://:TOKEN@host/v2/images/ID/file.", mayPass: false);

        var host = address.GetComponents(UriComponents.HostAndPort, UriFormat.UriEscaped);
        return (new Uri($"{address.Scheme[Prefix.Length..]}://{host}{address.PathAndQuery}"), HttpLogin.OpenStack(token));
    }
}
