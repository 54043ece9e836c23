using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging.Abstractions;
using Vitrine.Access;
using Vitrine.Catalogue;
using Vitrine.Server;
using Vitrine.Server.Tls;
using Vitrine.Testing;
using Vitrine.Testing.Sources;

namespace Vitrine.ApiTests.Tls;

public sealed class ServerCertificatesTests : IDisposable
{
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("vitrine-tls-");
    private readonly DataProtectionSecrets _seal = new(new EphemeralDataProtectionProvider(), "secrets");
    private readonly ManualClock _clock = new(TimeProvider.System.GetUtcNow());
    private readonly Authorities _authorities = new();

    public void Dispose() => _files.Delete(recursive: true);

    [Fact]
    public async Task The_own_authority_issues_for_every_name_of_the_node_and_again_before_the_end()
    {
        using var certificates = await StartAsync(new ServerOptions
        {
            Listen = "http://127.0.0.1:8080;https://0.0.0.0:8443",
            PublicUrl = "https://images.example.org",
            Tls = new TlsOptions { Names = { "library.internal", "192.0.2.7" } },
        });
        var first = certificates.Current.TargetCertificate;
        foreach (var name in new[] { "images.example.org", "library.internal", "192.0.2.7", "127.0.0.1", "localhost", Environment.MachineName })
            Assert.True(first.MatchesHostname(name), name);

        using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck } };
        chain.ChainPolicy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(certificates.AuthorityPem));
        Assert.True(chain.Build(first), string.Join(' ', chain.ChainStatus.Select(s => s.StatusInformation)));

        _clock.Advance(TimeSpan.FromDays(59));
        Assert.Same(first, certificates.Current.TargetCertificate);
        _clock.Advance(TimeSpan.FromDays(2));
        Assert.NotEqual(first.SerialNumber, certificates.Current.TargetCertificate.SerialNumber);
        Assert.Equal(first.Issuer, certificates.Current.TargetCertificate.Issuer);
    }

    [Fact]
    public async Task Every_node_opens_the_authority_that_the_first_has_made()
    {
        var options = new ServerOptions { Listen = "https://127.0.0.1:8443" };
        using var one = await StartAsync(options);
        using var two = await StartAsync(options);
        Assert.Equal(one.AuthorityPem, two.AuthorityPem);
        Assert.DoesNotContain("PRIVATE", _authorities.Stored!.SealedKey);
    }

    [Fact]
    public async Task No_authority_is_made_where_nothing_is_served_by_https()
    {
        using var certificates = await StartAsync(new ServerOptions());
        Assert.Null(certificates.AuthorityPem);
        Assert.Null(_authorities.Stored);
    }

    [Fact]
    public async Task Files_that_are_replaced_are_served_soon_and_those_that_are_broken_never()
    {
        using var authority = TestAuthority.Create();
        var options = new ServerOptions { Listen = "https://127.0.0.1:8443", Tls = Files };
        Write(authority.Issue(["one.example"]), age: TimeSpan.FromHours(3));
        using var certificates = await StartAsync(options);
        Assert.True(certificates.Current.TargetCertificate.MatchesHostname("one.example"));

        Write(authority.Issue(["two.example"]), age: TimeSpan.FromHours(2));
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(certificates.Current.TargetCertificate.MatchesHostname("two.example"));

        await File.WriteAllTextAsync(Files.Certificate!, "-----BEGIN CERTIFICATE-----\nhalf", TestContext.Current.CancellationToken);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(certificates.Current.TargetCertificate.MatchesHostname("two.example"));
    }

    [Fact]
    public async Task Files_that_cannot_be_used_are_a_fault_of_the_start()
    {
        using var authority = TestAuthority.Create();
        Write(authority.Issue(["one.example"]), age: TimeSpan.Zero);
        await File.WriteAllTextAsync(Files.Key!, "no key", TestContext.Current.CancellationToken);
        await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(new ServerOptions { Listen = "https://127.0.0.1:8443", Tls = Files }));
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("127.0.0.1:8080", "no http or https address")]
    [InlineData("ftp://127.0.0.1", "no http or https address")]
    [InlineData("https://0.0.0.0:8443;http://192.0.2.1:8080", "unencrypted")]
    public void An_address_that_cannot_be_served_is_said(string listen, string reason) =>
        Assert.Contains(reason, Assert.Single(new ServerOptions { Listen = listen }.Faults()));

    [Fact]
    public void A_certificate_needs_its_key() =>
        Assert.Contains("together", Assert.Single(new ServerOptions { Tls = new TlsOptions { Certificate = "server.pem" } }.Faults()));

    private TlsOptions Files => new() { Certificate = Path.Combine(_files.FullName, "server.pem"), Key = Path.Combine(_files.FullName, "server.key") };

    private void Write(X509Certificate2 certificate, TimeSpan age)
    {
        File.WriteAllText(Files.Certificate!, certificate.ExportCertificatePem());
        File.WriteAllText(Files.Key!, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.SetLastWriteTimeUtc(Files.Certificate!, TimeProvider.System.GetUtcNow().UtcDateTime - age);
    }

    private async Task<ServerCertificates> StartAsync(ServerOptions options)
    {
        var certificates = new ServerCertificates(options, _authorities, _seal, _clock, NullLogger<ServerCertificates>.Instance);
        await certificates.StartAsync(TestContext.Current.CancellationToken);
        return certificates;
    }

    private sealed class Authorities : IAuthorityCatalogue
    {
        public StoredAuthority? Stored { get; private set; }

        public Task<StoredAuthority> FindOrKeepAsync(Func<StoredAuthority> make, CancellationToken cancellationToken) =>
            Task.FromResult(Stored ??= make());
    }
}
