using Vitrine.Nodes;
using Vitrine.Server.Operations;

namespace Vitrine.ApiTests.Operations;

/// <summary>What the doctor says of directories that a machine exports by NFS.</summary>
public sealed class SharesCheckTests : IDisposable
{
    private readonly DirectoryInfo _etc = Directory.CreateTempSubdirectory("vitrine-etc-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _etc.Delete(recursive: true);

    [Theory]
    [InlineData("/srv/images 10.1.0.0/24(rw,sync) 10.1.1.5(ro)", null)]
    [InlineData("/srv 10.1.0.0/255.255.255.0(rw)", null)]
    [InlineData("/srv/images/content node1.example.com(rw) @hosts(ro) gss/krb5(ro)", null)]
    [InlineData("\"/srv/images\" fd00:1::/64(rw)", null)]
    [InlineData("/srv/other *(rw)\n/srv/images2 *(rw)\n# /srv/images *(rw)", "none")]
    [InlineData("", "none")]
    [InlineData("no path at all *(rw)", "none")]
    [InlineData("/srv/images *(rw)", "*")]
    [InlineData("/srv/images", "everybody")]
    [InlineData("/srv/images (rw)", "everybody")]
    [InlineData("/srv/images 10.1.0.0/24 (rw)", "everybody")]
    [InlineData("/srv/images 0.0.0.0/0(rw)", "0.0.0.0/0")]
    [InlineData("/srv/images ::/0(rw)", "::/0")]
    [InlineData("/srv/images -sync,rw \\\n  10.1.0.0/24 *(ro) # both", "*")]
    [InlineData("/srv/im\\141ges *(rw)", "*")]
    [InlineData("/srv/im\\303\\244ges *(rw)\n/srv/im\\000ges *(rw)", "none")]
    [InlineData("/ *(rw)", "*")]
    public async Task What_is_given_to_everybody_is_named(string exports, string? strangers)
    {
        await File.WriteAllTextAsync(Path.Combine(_etc.FullName, "exports"), exports, Stop);
        var finding = Assert.Single(await RunAsync());
        switch (strangers)
        {
            case "none":
                Assert.Equal(Finding.Ok("shares", "This machine exports none of the library's directories by NFS."), finding);
                break;
            case null:
                Assert.Equal(("shares.images", Verdict.Ok), (finding.Check, finding.Verdict));
                break;
            default:
                Assert.Equal(("shares.images", Verdict.Warn), (finding.Check, finding.Verdict));
                Assert.EndsWith($" is exported by NFS to {strangers}.", finding.Detail, StringComparison.Ordinal);
                break;
        }
    }

    [Theory]
    [InlineData("10.1.0.0/24", true)]
    [InlineData("10.1.0.7", true)]
    [InlineData("10.1.0.0/16", false)]
    [InlineData("10.2.0.0/24", false)]
    [InlineData("fd00:1::5", true)]
    [InlineData("fd00:2::5", false)]
    [InlineData("node1.example.com", false)]
    [InlineData("10.1.0.0/255.255.255.128", true)]
    [InlineData("10.1.0.0/99", false)]
    public async Task What_lies_beyond_the_networks_that_are_meant_is_named(string client, bool isMeant)
    {
        Directory.CreateDirectory(Path.Combine(_etc.FullName, "exports.d"));
        await File.WriteAllTextAsync(Path.Combine(_etc.FullName, "exports.d", "images.exports"), $"/srv/images {client}(rw)\n", Stop);
        var finding = Assert.Single(await RunAsync("10.1.0.0/24", "fd00:1::/64"));
        Assert.Equal(isMeant ? Verdict.Ok : Verdict.Warn, finding.Verdict);
        Assert.Contains(client, finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Networks_that_are_none_are_told()
    {
        var finding = Assert.Single(await RunAsync("10.1.0.0/24", "here"));
        Assert.Equal((Verdict.Fail, "Doctor:ShareNetworks has 'here', which is no network."), (finding.Verdict, finding.Detail));
    }

    [Fact]
    public void No_text_is_too_odd_to_be_read()
    {
        var random = new Random(7);
        const string Letters = "/\\\"#(-*) \t\n0123abc.:";
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => Letters[random.Next(Letters.Length)]));
            foreach (var export in NfsExport.Parse(text))
            {
                Assert.StartsWith("/", export.Path, StringComparison.Ordinal);
                Assert.NotEmpty(export.Clients);
            }
        }
    }

    private Task<IReadOnlyList<Finding>> RunAsync(params string[] networks)
    {
        var options = new DoctorOptions();
        foreach (var network in networks)
            options.ShareNetworks.Add(network);
        return new SharesCheck([("images", "/srv/images/")], options, _etc.FullName).RunAsync(Stop);
    }
}
