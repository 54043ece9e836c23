using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Vitrine.Server.Tls;

internal static class TlsServices
{
    public static IServiceCollection AddTls(this IServiceCollection services)
    {
        services.AddSingleton<ServerCertificates>();
        services.AddHostedService(provider => provider.GetRequiredService<ServerCertificates>());
        return services;
    }

    /// <summary>TLS 1.2 and 1.3, as the platform has them.</summary>
    public static void UseTls(this ListenOptions listen)
    {
        var certificates = listen.ApplicationServices.GetRequiredService<ServerCertificates>();
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = _ => ValueTask.FromResult(new System.Net.Security.SslServerAuthenticationOptions { ServerCertificateContext = certificates.Current }),
        });
    }

    /// <summary>What clients are to trust, for everybody to fetch; what they compare is the fingerprint, which the server logs.</summary>
    public static void MapAuthority(this IEndpointRouteBuilder app) =>
        app.MapGet("/ca.pem", (ServerCertificates certificates) => certificates.AuthorityPem is { } pem
            ? Results.Text(pem + "\n", "application/x-pem-file")
            : Results.NotFound()).ExcludeFromDescription();
}
