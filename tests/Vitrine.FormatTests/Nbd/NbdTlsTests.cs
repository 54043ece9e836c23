using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Vitrine.Nbd;
using Vitrine.Testing;
using static Vitrine.FormatTests.Nbd.NbdClient;

namespace Vitrine.FormatTests.Nbd;

public sealed class NbdTlsTests : IDisposable
{
    private const long Size = 1_000_001;

    private readonly X509Certificate2 _authority = MakeAuthority();
    private readonly X509Certificate2 _certificate;

    public NbdTlsTests() => _certificate = MakeServer(_authority);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _authority.Dispose();
        _certificate.Dispose();
    }

    [Fact]
    public async Task Before_TLS_nothing_is_said_of_exports_where_it_is_required()
    {
        await using var host = Host(NbdTls.Required);
        await using var client = await ConnectAsync(host.Tcp);
        await client.GreetAsync();

        uint[] options = [List, Info, Go, StructuredReply, ListMetaContext, SetMetaContext, PeekExport, ExtendedHeaders, 99];
        foreach (var option in options)
            Assert.Equal(TlsRequired, (await client.AskAsync(option, Export("disk"))).Single().Type);
        Assert.Equal(TlsRequired, (await client.AskAsync(99, new byte[10_000])).Single().Type);
        Assert.Equal(0, host.Searches);

        Assert.Equal(Ack, (await client.AskAsync(StartTls)).Single().Type);
        await client.SecureAsync(_certificate);
        Assert.Equal(Invalid, (await client.AskAsync(StartTls)).Single().Type);
        await client.AskAsync(StructuredReply);
        Assert.Equal(Ack, (await client.AskAsync(Go, Export("disk"))).Last().Type);
        Assert.Equal(PatternDisk.Bytes(0, 600_000), await client.ReadAsync(0, 600_000));
    }

    [Fact]
    public async Task The_oldest_way_to_an_export_is_closed_where_TLS_is_required()
    {
        await using var host = Host(NbdTls.Required);
        await using var client = await ConnectAsync(host.Tcp);
        await client.GreetAsync();
        await client.SendAsync(Option(ExportName, "disk"u8));
        await client.CloseAsync();
        Assert.Equal(0, host.Searches);
    }

    [Fact]
    public async Task Leaving_before_TLS_is_acknowledged()
    {
        await using var host = Host(NbdTls.Required);
        await using var client = await ConnectAsync(host.Tcp);
        await client.GreetAsync();
        Assert.Equal(Ack, (await client.AskAsync(Abort)).Single().Type);
        await client.CloseAsync();
    }

    [Fact]
    public async Task Plain_bytes_behind_the_wish_for_TLS_end_the_connection()
    {
        await using var host = Host(NbdTls.Optional);
        await using var client = await ConnectAsync(host.Tcp);
        await client.GreetAsync();
        await client.SendAsync(new[] { Option(StartTls, []), Option(Go, Export("disk")) }.SelectMany(o => o).ToArray());
        await client.CloseAsync();
        Assert.Equal(0, host.Searches);
    }

    [Fact]
    public async Task What_was_agreed_upon_in_plain_is_forgotten()
    {
        await using var host = Host(NbdTls.Optional);
        await using var client = await ConnectAsync(host.Tcp);
        await client.GreetAsync();
        await client.AskAsync(StructuredReply);
        await client.AskAsync(SetMetaContext, Contexts("disk", "base:allocation"));
        await client.AskAsync(StartTls);
        await client.SecureAsync(_certificate);
        Assert.Equal(0, host.Leases);

        await client.AskAsync(Go, Export("disk"));
        await client.SendAsync(Request(Read, 3, 4));
        Assert.Equal(PatternDisk.Bytes(3, 4), (await client.ReceiveSimpleAsync(4)).Data);
    }

    [Fact]
    public async Task Something_that_is_not_TLS_ends_the_connection()
    {
        await using var host = Host(NbdTls.Required);
        await using var client = await ConnectAsync(host.Tcp);
        await client.GreetAsync();
        await client.AskAsync(StartTls);
        await client.SendAsync(Option(Go, Export("disk")));
        await client.CloseAsync();
        Assert.Equal(0, host.Searches);
    }

    [TheoryWithTool("nbdcopy")]
    [InlineData(NbdTls.Optional)]
    [InlineData(NbdTls.Required)]
    public async Task Libnbd_and_qemu_read_over_TLS(NbdTls tls)
    {
        await using var host = Host(tls);
        var expected = Path.Combine(host.Root, "expected");
        var copy = Path.Combine(host.Root, "copy");
        await File.WriteAllBytesAsync(expected, PatternDisk.Bytes(0, (int)Size), Stop);
        var certificates = Directory.CreateDirectory(Path.Combine(host.Root, "tls")).FullName;
        await File.WriteAllTextAsync(Path.Combine(certificates, "ca-cert.pem"), _authority.ExportCertificatePem(), Stop);

        await Tool.RunAsync("nbdcopy", [$"nbds://127.0.0.1:{host.Port}/disk?tls-certificates={certificates}", copy], Stop);
        Assert.Equal(await File.ReadAllBytesAsync(expected, Stop), await File.ReadAllBytesAsync(copy, Stop));

        await Tool.RunAsync(
            "qemu-img",
            [
                "compare", "--object", $"tls-creds-x509,id=tls0,endpoint=client,dir={certificates}",
                "--image-opts", $"driver=nbd,server.type=inet,server.host=127.0.0.1,server.port={host.Port},export=disk,tls-creds=tls0",
                $"driver=raw,file.filename={expected}",
            ],
            Stop);
    }

    [FactWithTool("nbdinfo")]
    public async Task Libnbd_gets_nothing_without_TLS()
    {
        await using var host = Host(NbdTls.Required);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Tool.RunAsync("nbdinfo", [host.TcpUri], Stop));
        Assert.Equal(0, host.Searches);
    }

    private NbdHost Host(NbdTls tls) =>
        new(() => new PatternDisk(Size), options => options with { Tls = tls, Certificate = _certificate });

    private static X509Certificate2 MakeAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
    }

    private static X509Certificate2 MakeServer(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        using var signed = request.Create(authority, Now.AddDays(-1), Now.AddHours(1), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();
}
