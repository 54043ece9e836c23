using System.Runtime.Versioning;
using System.Security.Cryptography;
using Vitrine.Sources;
using Vitrine.Sources.LocalFiles;
using Vitrine.Testing;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

/// <summary>Files of the machine are given below the directories that were opened, and nothing else is.</summary>
[SupportedOSPlatform("linux")]
public sealed class LocalFileSourceTests : IDisposable
{
    private const string Canary = "canary";
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory();
    private readonly SourceOptions _options = new();
    private readonly SourceMeter _meter = new();
    private readonly byte[] _bytes = RandomNumberGenerator.GetBytes(300_001);
    private readonly LocalFileSource _source;

    public LocalFileSourceTests()
    {
        Directory.CreateDirectory(Open("folder"));
        Directory.CreateDirectory(Shut(""));
        File.WriteAllBytes(Open("folder/a file.raw"), _bytes);
        File.WriteAllText(Shut("secret"), Canary);
        _options.Directories.Add(Open(""));
        _source = new LocalFileSource(_options, new SteppedTime(), _meter);
    }

    private Uri Address => new($"file://{Open("folder/a%20file.raw")}");

    [Fact]
    public async Task A_file_below_an_open_directory_is_given()
    {
        var probe = await _source.ProbeAsync(Address, Stop);

        Assert.Equal((_bytes.Length, true, Address.AbsoluteUri), (probe.Length, probe.CanResume, probe.FinalAddress));
        Assert.Equal(_bytes, await ReadAsync(Address));
        Assert.Equal(_bytes[1000..], await ReadAsync(Address, 1000, probe.Validator));
        Assert.Empty(await ReadAsync(Address, _bytes.Length, probe.Validator));
        Assert.Equal(_bytes, await ReadAsync(Address, 1000, "\"other\""));
        Assert.Equal(_bytes, await ReadAsync(Address, 1000));
    }

    [Fact]
    public async Task A_link_that_stays_within_is_followed()
    {
        File.CreateSymbolicLink(Open("latest"), "folder/a file.raw");
        Assert.Equal(_bytes, await ReadAsync(new Uri($"file://{Open("latest")}")));
    }

    [Theory]
    [InlineData("link")]
    [InlineData("linked/secret")]
    [InlineData("folder/climbing")]
    public async Task A_link_that_leads_out_is_not_followed(string path)
    {
        File.CreateSymbolicLink(Open("link"), Shut("secret"));
        File.CreateSymbolicLink(Open("folder/climbing"), "../../shut/secret");
        Directory.CreateSymbolicLink(Open("linked"), Shut(""));

        await RefuseAsync($"file://{Open(path)}", SourceFault.Refused);
    }

    [Theory]
    [InlineData("file:///etc/passwd", SourceFault.Refused)]
    [InlineData("file://{0}/shut/secret", SourceFault.Refused)]
    [InlineData("file://{0}/open", SourceFault.Refused)]
    [InlineData("file://{0}/opener/file", SourceFault.Refused)]
    [InlineData("file://{0}/open/../shut/secret", SourceFault.MalformedUrl)]
    [InlineData("file://{0}/open/%2e%2e/shut/secret", SourceFault.MalformedUrl)]
    [InlineData("file://{0}/open/..%2fshut%2fsecret", SourceFault.MalformedUrl)]
    [InlineData("file://{0}/open//folder", SourceFault.MalformedUrl)]
    [InlineData("file://{0}/open/folder/", SourceFault.MalformedUrl)]
    [InlineData("file://{0}/open/a%00b", SourceFault.MalformedUrl)]
    [InlineData("file://{0}/open/folder?query", SourceFault.MalformedUrl)]
    [InlineData("file://etc/passwd", SourceFault.MalformedUrl)]
    [InlineData("file://localhost/etc/passwd", SourceFault.MalformedUrl)]
    [InlineData("/etc/passwd", SourceFault.MalformedUrl)]
    [InlineData("file://{0}/open/folder", SourceFault.Refused)]
    [InlineData("file://{0}/open/missing", SourceFault.Status)]
    [InlineData("file://{0}/open/folder/a%20file.raw/x", SourceFault.Status)]
    public Task Nothing_else_is_given(string address, SourceFault fault) => RefuseAsync(string.Format(address, _home.FullName), fault);

    [Fact]
    public async Task A_pipe_is_not_waited_for()
    {
        await Tool.RunAsync("mkfifo", [Open("pipe")], Stop);
        await RefuseAsync($"file://{Open("pipe")}", SourceFault.Refused);
    }

    [FactWithMount]
    public async Task A_mount_within_leads_out()
    {
        Directory.CreateDirectory(Open("mount"));
        await Tool.RunAsync("mount", ["--bind", Shut(""), Open("mount")], Stop);
        try
        {
            await RefuseAsync($"file://{Open("mount/secret")}", SourceFault.Refused);
        }
        finally
        {
            await Tool.RunAsync("umount", [Open("mount")], CancellationToken.None);
        }
    }

    [Fact]
    public async Task A_file_that_changes_while_it_is_read_is_noticed_before_its_end()
    {
        await using var reading = await _source.OpenAsync(Address, 0, null, Stop);
        await reading.Body.ReadExactlyAsync(new byte[1000], Stop);
        await using (var writer = File.OpenWrite(Open("folder/a file.raw")))
            await writer.WriteAsync(new byte[10], Stop);

        using var rest = new MemoryStream();
        var failure = await Assert.ThrowsAsync<SourceException>(() => reading.Body.CopyToAsync(rest, Stop));
        Assert.Equal((SourceFault.Broken, true), (failure.Fault, failure.MayPass));
        Assert.True(rest.Length < _bytes.Length - 1000);
    }

    [Fact]
    public void Without_directories_nothing_is_open()
    {
        _options.Directories.Clear();
        var closed = new LocalFileSource(_options, new SteppedTime(), _meter);
        Assert.Equal(SourceFault.Refused, Assert.Throws<SourceException>(() => closed.Check(Address)).Fault);
    }

    public void Dispose()
    {
        _meter.Dispose();
        _home.Delete(recursive: true);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Open(string path) => Path.Combine(_home.FullName, "open", path);

    private string Shut(string path) => Path.Combine(_home.FullName, "shut", path);

    private async Task<byte[]> ReadAsync(Uri address, long from = 0, string? validator = null)
    {
        await using var reading = await _source.OpenAsync(address, from, validator, Stop);
        using var all = new MemoryStream();
        await reading.Body.CopyToAsync(all, Stop);
        return all.ToArray();
    }

    private async Task RefuseAsync(string address, SourceFault fault)
    {
        var failure = await Assert.ThrowsAsync<SourceException>(() => ReadAsync(new Uri(address)));
        Assert.Equal((fault, false), (failure.Fault, failure.MayPass));
        Assert.DoesNotContain(Canary, failure.ToString());
        await Assert.ThrowsAsync<SourceException>(() => _source.ProbeAsync(new Uri(address), Stop));
    }
}
