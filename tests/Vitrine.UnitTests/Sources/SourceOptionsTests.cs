using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Vitrine.Sources;
using Vitrine.Sources.Outgoing;
using Vitrine.Transfers;

namespace Vitrine.UnitTests.Sources;

public sealed class SourceOptionsTests
{
    [Fact]
    public void Sources_need_no_configuration()
    {
        using var provider = With([]);

        provider.GetRequiredService<IStartupValidator>().Validate();
        Assert.Equal(["http", "https", "vitrine", "glance+http", "glance+https", "s3", "ftp", "sftp", "file"], provider.GetServices<ISource>().SelectMany(source => source.Schemes));
        Assert.True(provider.GetRequiredService<OutgoingPolicy>().Decide(new Uri("https://mirror.example/")).Allowed);
        Assert.NotNull(provider.GetRequiredService<OutgoingDryRun>());
    }

    [Fact]
    public void Sources_that_are_added_twice_are_there_once()
    {
        using var provider = Services([]).AddSources().BuildServiceProvider();
        Assert.Equal(6, provider.GetServices<ISource>().Count());
    }

    [Fact]
    public void The_section_rules_over_the_policy()
    {
        using var provider = With(new()
        {
            ["Sources:AllowedHosts:0"] = "mirror.corp",
            ["Sources:AllowedNetworks:0"] = "10.20.0.0/16",
            ["Sources:AllowedPorts:0"] = "443",
            ["Sources:IdleTimeout"] = "00:00:05",
        });

        var policy = provider.GetRequiredService<OutgoingPolicy>();
        Assert.True(policy.Decide(new Uri("https://10.20.1.1/")).Allowed);
        Assert.False(policy.Decide(new Uri("http://10.20.1.1/")).Allowed);
        Assert.Equal(TimeSpan.FromSeconds(5), provider.GetRequiredService<IOptions<SourceOptions>>().Value.IdleTimeout);
    }

    [Theory]
    [InlineData("/srv/images")]
    [InlineData("/srv/images/")]
    public void A_directory_may_be_written_either_way(string directory)
    {
        using var provider = With(new() { ["Sources:Directories:0"] = directory });
        provider.GetRequiredService<IStartupValidator>().Validate();
        provider.GetServices<ISource>().Single(s => s.Schemes.Contains("file")).Check(new Uri("file:///srv/images/a.img"));
    }

    [Fact]
    public void Every_fault_of_the_section_is_told_at_the_start()
    {
        using var provider = With(new()
        {
            ["Sources:AllowedHosts:0"] = "mirror.corp",
            ["Sources:AllowedHosts:1"] = "http://mirror.corp/",
            ["Sources:AllowedNetworks:0"] = "10.1.2.3/8",
            ["Sources:AllowedNetworks:1"] = "10.0.0.0/33",
            ["Sources:AllowedNetworks:2"] = "ten",
            ["Sources:OnlyHosts:0"] = "*",
            ["Sources:AllowedSchemes:0"] = "gopher",
            ["Sources:AllowedPorts:0"] = "0",
            ["Sources:AllowedPorts:1"] = "70000",
            ["Sources:Directories:0"] = "images",
            ["Sources:Directories:1"] = "/srv/../etc",
            ["Sources:KnownHosts"] = "/there/is/no/file",
            ["Sources:SftpKeys:0:Host"] = "mirror.corp",
            ["Sources:S3Credentials:0:Name"] = "canary@",
            ["Sources:S3Credentials:1:Name"] = "archive",
            ["Sources:S3Credentials:1:SecretKey"] = "canary",
            ["Sources:Libraries:0:Name"] = "other",
            ["Sources:Libraries:0:CredentialSecret"] = "canary",
            ["Sources:ChecksumKeyring"] = "ring.gpg",
            ["Sources:TrustedCertificates:0"] = "/there/is/no/such.pem",
            ["Sources:Proxy"] = "socks://user:canary@proxy.corp",
            ["Sources:ConnectTimeout"] = "00:00:00",
            ["Sources:HeaderTimeout"] = "-00:00:01",
            ["Sources:IdleTimeout"] = "2.00:00:00",
        });

        var refused = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IStartupValidator>().Validate());

        string[] keys =
        [
            "AllowedHosts:1", "OnlyHosts:0", "AllowedNetworks:0", "AllowedNetworks:1", "AllowedNetworks:2", "AllowedSchemes:0", "AllowedPorts:0",
            "AllowedPorts:1", "Directories:0", "Directories:1", "KnownHosts", "SftpKeys:0", "S3Credentials:0",
            "S3Credentials:1", "Libraries:0", "ChecksumKeyring", "TrustedCertificates:0", "Proxy", "ConnectTimeout", "HeaderTimeout", "IdleTimeout",
        ];
        Assert.Equal(keys, refused.Failures.Select(f => f["Sources:".Length..f.IndexOf(": ", StringComparison.Ordinal)]));
        Assert.DoesNotContain("canary", refused.ToString());
    }

    [Theory]
    [InlineData("http://proxy.corp:3128", true)]
    [InlineData("http://user:word@proxy.corp:3128/", true)]
    [InlineData("http://10.0.0.1", true)]
    [InlineData("https://proxy.corp", false)]
    [InlineData("http://proxy.corp/path", false)]
    [InlineData("proxy.corp:3128", false)]
    [InlineData("", false)]
    public void A_proxy_is_an_http_host(string text, bool valid) => Assert.Equal(valid, ProxyAddress.TryParse(text, out _));

    private static ServiceProvider With(Dictionary<string, string?> settings) => Services(settings).BuildServiceProvider();

    private static IServiceCollection Services(Dictionary<string, string?> settings) => new ServiceCollection()
        .AddLogging()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
        .AddSources();
}
