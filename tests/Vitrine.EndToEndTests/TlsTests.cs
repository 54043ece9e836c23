using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Vitrine.Testing;
using Vitrine.Testing.Sources;

namespace Vitrine.EndToEndTests;

/// <summary>The real server behind https, and clients that trust whom they should and nobody else.</summary>
public sealed partial class TlsTests
{
    private const int UntrustedByCurl = 60;

    [FactWithTool("openstack")]
    public async Task Clients_that_trust_the_librarys_own_authority_need_no_exception()
    {
        var https = $"https://127.0.0.1:{ServerProcess.FreePort()}";
        await using var server = await StartAsync(https);
        var authority = Path.Combine(server.Data, "ca.pem");
        (await Command.RunAsync("curl", ["-fsS", "-o", authority, $"{server.Url}/ca.pem"])).Succeeded();

        Assert.Equal(UntrustedByCurl, (await Command.RunAsync("curl", ["-sS", $"{https}/healthz"])).ExitCode);
        Assert.Equal("ok", (await Command.RunAsync("curl", ["-fsS", "--cacert", authority, $"{https}/healthz"])).Succeeded());
        Assert.Contains("Verify return code: 0", (await Command.RunAsync(
            "sh", ["-c", $"openssl s_client -connect {https[8..]} -CAfile {authority} -x509_strict -verify_ip 127.0.0.1 </dev/null"])).Succeeded());

        var file = Path.Combine(server.Data, "disk.raw");
        await File.WriteAllBytesAsync(file, new byte[3 << 20], Stop);
        var openstack = new Dictionary<string, string>(server.OpenStackEnvironment) { ["OS_AUTH_URL"] = $"{https}/identity/v3", ["OS_CACERT"] = authority };
        (await Command.RunAsync("openstack", ["image", "create", "--disk-format", "raw", "--container-format", "bare", "--file", file, "By https"], openstack)).Succeeded();
        Assert.Contains("By https", (await Command.RunAsync("openstack", ["image", "list"], openstack)).Succeeded());
    }

    [Fact]
    public async Task A_login_by_the_fingerprint_trusts_that_authority_and_no_other()
    {
        var https = $"https://127.0.0.1:{ServerProcess.FreePort()}";
        await using var server = await StartAsync(https);
        var fingerprint = FingerprintInLog().Match(await File.ReadAllTextAsync(Path.Combine(server.Data, "server.log"), Stop)).Value;
        var vitrine = new Dictionary<string, string>(server.VitrineEnvironment);
        vitrine.Remove("VITRINE_URL");

        var other = (fingerprint.StartsWith("AB", StringComparison.OrdinalIgnoreCase) ? "BA" : "AB") + fingerprint[2..];
        var wrong = await VitrineAsync(vitrine, "login", https, "--fingerprint", other);
        Assert.NotEqual(0, wrong.ExitCode);
        Assert.Contains("fingerprint", wrong.Error);
        Assert.NotEqual(0, (await VitrineAsync(vitrine, "login", https)).ExitCode);

        (await VitrineAsync(vitrine, "login", https, "--fingerprint", fingerprint)).Succeeded();
        var (file, copy) = (Path.Combine(server.Data, "disk.raw"), Path.Combine(server.Data, "copy.raw"));
        await File.WriteAllBytesAsync(file, new byte[5 << 20], Stop);
        (await VitrineAsync(vitrine, "image", "push", file, "--name", "by https")).Succeeded();
        (await VitrineAsync(vitrine, "image", "pull", "by https", "--output", copy)).Succeeded();
        Assert.Equal(await File.ReadAllBytesAsync(file, Stop), await File.ReadAllBytesAsync(copy, Stop));
        Assert.Contains("OS_CACERT", (await VitrineAsync(vitrine, "openrc")).Succeeded());

        // The authority outlives the process.
        await server.KillAsync();
        await server.StartAgainAsync();
        (await VitrineAsync(vitrine, "image", "list")).Succeeded();
    }

    [Fact]
    public async Task The_operators_certificate_is_served_where_there_is_one()
    {
        using var authority = TestAuthority.Create();
        var files = Directory.CreateTempSubdirectory("vitrine-tls-");
        try
        {
            var https = $"https://127.0.0.1:{ServerProcess.FreePort()}";
            var (certificate, key) = (Path.Combine(files.FullName, "server.pem"), Path.Combine(files.FullName, "server.key"));
            var issued = authority.Issue(["127.0.0.1"]);
            await File.WriteAllTextAsync(certificate, issued.ExportCertificatePem(), Stop);
            await File.WriteAllTextAsync(key, issued.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), Stop);
            await using var server = await StartAsync(
                https, new() { ["VITRINE_SERVER__TLS__CERTIFICATE"] = certificate, ["VITRINE_SERVER__TLS__KEY"] = key });

            (await Command.RunAsync("curl", ["-fsS", "--cacert", authority.WritePem(files), $"{https}/healthz"])).Succeeded();
            Assert.Equal("404", (await Command.RunAsync("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", $"{server.Url}/ca.pem"])).Output);
        }
        finally
        {
            files.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Other_machines_are_not_served_without_encryption()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync("http://0.0.0.0:{port}"));
        Assert.Contains("unencrypted", failure.Message);
    }

    private static Task<ServerProcess> StartAsync(string address, Dictionary<string, string>? settings = null) => ServerProcess.StartAsync(
        new Dictionary<string, string>(settings ?? [])
        {
            ["VITRINE_SERVER__LISTEN"] = $"http://127.0.0.1:{ServerProcess.PortWord};{address}",
            ["VITRINE_PORT"] = "",
        });

    private static Task<CommandResult> VitrineAsync(Dictionary<string, string> environment, params string[] arguments) =>
        Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), arguments, environment);

    [GeneratedRegex("([0-9A-F]{2}:){31}[0-9A-F]{2}", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex FingerprintInLog();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
