using System.Security.Cryptography.X509Certificates;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

/// <summary>Who a server is has to be proved, and what is wrong with the proof is told.</summary>
public sealed class OutgoingTlsTests : IDisposable
{
    private const string Host = "mirror.example";
    private const string Public = "8.8.8.8";
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();
    private readonly TestAuthority _authority = TestAuthority.Create("Our Authority");
    private readonly HttpRig _rig = new();

    public OutgoingTlsTests() => _rig.Network.Name(Host, Public);

    [Fact]
    public async Task A_self_signed_certificate_is_refused()
    {
        using var certificate = TestAuthority.SelfSigned(Host);
        Assert.Contains("self-signed", await FailAsync(certificate));
    }

    [Fact]
    public async Task A_self_signed_certificate_that_the_operator_trusts_is_taken()
    {
        using var certificate = TestAuthority.SelfSigned(Host);
        var path = Path.Combine(_directory.FullName, "server.pem");
        await File.WriteAllTextAsync(path, certificate.ExportCertificatePem(), Stop);
        _rig.Options.TrustedCertificates.Add(path);

        await ReadAsync(certificate);
    }

    [Fact]
    public async Task An_authority_that_nobody_trusts_is_named()
    {
        var told = await FailAsync(_authority.Issue([Host]));
        Assert.Contains("not trusted: CN=Our Authority", told);
    }

    [Fact]
    public async Task An_authority_is_trusted_once_the_operator_names_it()
    {
        Trust();
        await ReadAsync(_authority.Issue([Host]));
    }

    [Fact]
    public async Task Another_authority_of_the_same_name_is_not_trusted()
    {
        Trust();
        using var other = TestAuthority.Create("Our Authority");
        Assert.Contains("not trusted", await FailAsync(other.Issue([Host])));
    }

    [Fact]
    public async Task An_expired_certificate_is_refused_with_its_day()
    {
        Trust();
        var end = _rig.Time.GetUtcNow() - TimeSpan.FromDays(2);
        Assert.Contains($"expired on {end:yyyy-MM-dd}", await FailAsync(_authority.Issue([Host], notAfter: end)));
    }

    [Fact]
    public async Task A_certificate_is_judged_by_the_clock_that_everything_else_goes_by()
    {
        Trust();
        _rig.Time.Step(TimeSpan.FromDays(60));
        Assert.Contains("expired", await FailAsync(_authority.Issue([Host])));
    }

    [Fact]
    public async Task A_certificate_of_tomorrow_is_refused_with_its_day()
    {
        Trust();
        Assert.Contains("not valid before", await FailAsync(_authority.Issue([Host], notAfter: _rig.Time.GetUtcNow() + TimeSpan.FromDays(32))));
    }

    [Fact]
    public async Task A_certificate_for_other_names_is_refused_with_those_names()
    {
        Trust();
        var told = await FailAsync(_authority.Issue(["other.example", "*.cdn.example", "10.0.0.1"]));
        Assert.Contains("not for mirror.example; it is for other.example, *.cdn.example, 10.0.0.1", told);
    }

    [Fact]
    public async Task Of_many_names_a_few_are_told()
    {
        Trust();
        var told = await FailAsync(_authority.Issue([.. Enumerable.Range(0, 50).Select(i => $"host{i}.example")]));
        Assert.Contains("host4.example and 45 more", told);
    }

    [Fact]
    public async Task A_server_that_speaks_no_tls_is_told_as_such()
    {
        await using var plain = new BluntServer("HTTP/1.1 400 Bad Request\r\n\r\n");
        _rig.Network.Lead($"{Public}:{plain.Port}", plain.Port);

        var failure = await _rig.FailAsync(new Uri($"https://{Host}:{plain.Port}/"));
        Assert.Equal((SourceFault.Tls, false), (failure.Fault, failure.MayPass));
        Assert.Contains("does not speak TLS", failure.Message);
    }

    [Fact]
    public async Task A_handshake_that_nobody_answers_is_not_waited_for_for_ever()
    {
        await using var silent = new BluntServer();
        _rig.Network.Lead($"{Public}:{silent.Port}", silent.Port);

        var opening = _rig.FailAsync(new Uri($"https://{Host}:{silent.Port}/"));
        await silent.Spoken.WaitAsync(Stop);
        _rig.Time.Step(_rig.Options.ConnectTimeout);
        var failure = await opening;
        Assert.Equal((SourceFault.ConnectTimeout, true), (failure.Fault, failure.MayPass));
    }

    [Fact]
    public async Task A_certificate_cannot_choose_where_we_connect_to()
    {
        await using var inner = ScriptedHttpServer.Start();
        inner.Serve("/authority.crt", ScriptedContent.Of(_authority.Certificate.RawData));
        Trust();
        using var between = _authority.IssueAuthority("Authority Between");

        // The link that is missing from this chain could be fetched where the certificate says.
        await FailAsync(between.Issue([Host], informedBy: inner.AddressOf("/authority.crt")));
        Assert.Equal(0, inner.Connections);
    }

    [Fact]
    public async Task A_redirect_from_https_to_http_is_refused()
    {
        Trust();
        await using var server = Start(_authority.Issue([Host]));
        server.Redirect("/moved", $"http://{Host}:{server.Port}/file?canary");

        var failure = await _rig.FailAsync(server.AddressOf("/moved", Host));
        Assert.Equal((SourceFault.Refused, false), (failure.Fault, failure.MayPass));
        Assert.DoesNotContain("canary", failure.ToString());
    }

    [Fact]
    public async Task A_probe_tells_whose_certificate_it_was_and_until_when()
    {
        Trust();
        await using var server = Start(_authority.Issue([Host], notAfter: _rig.Time.GetUtcNow() + TimeSpan.FromDays(10)));
        server.Serve("/file", ScriptedContent.Generated(10));

        var probe = await _rig.Source.ProbeAsync(server.AddressOf("/file", Host), Stop);
        Assert.Equal($"CN={Host}, valid until {_rig.Time.GetUtcNow() + TimeSpan.FromDays(10):yyyy-MM-dd}", probe.Certificate);
    }

    [Fact]
    public async Task An_address_is_proved_by_a_certificate_for_that_address()
    {
        Trust();
        await using var server = Start(_authority.Issue([Public]));
        server.Serve("/file", ScriptedContent.Generated(10));

        await using var reading = await _rig.OpenAsync(server.AddressOf("/file", Public));
        Assert.Equal(10, reading.Length);
    }

    public void Dispose()
    {
        _rig.Dispose();
        _authority.Dispose();
        _directory.Delete(recursive: true);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private void Trust() => _rig.Options.TrustedCertificates.Add(_authority.WritePem(_directory));

    private ScriptedHttpServer Start(X509Certificate2 certificate)
    {
        var server = ScriptedHttpServer.StartTls(certificate);
        _rig.Network.Lead($"{Public}:{server.Port}", server.Port);
        return server;
    }

    private async Task<string> FailAsync(X509Certificate2 certificate)
    {
        await using var server = Start(certificate);
        var failure = await _rig.FailAsync(server.AddressOf("/file?canary", Host, "user:canary"));
        Assert.Equal((SourceFault.Tls, false), (failure.Fault, failure.MayPass));
        Assert.DoesNotContain("canary", failure.ToString());
        Assert.Empty(server.Requests);
        return failure.Message;
    }

    private async Task ReadAsync(X509Certificate2 certificate)
    {
        await using var server = Start(certificate);
        server.Serve("/file", ScriptedContent.Generated(10));
        await using var reading = await _rig.OpenAsync(server.AddressOf("/file", Host));
        await reading.Body.ReadExactlyAsync(new byte[10], Stop);
    }
}
