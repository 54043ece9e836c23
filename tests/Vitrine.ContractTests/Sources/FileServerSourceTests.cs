using System.Runtime.Versioning;
using System.Security.Cryptography;
using Vitrine.Sources;
using Vitrine.Sources.FileServers;
using Vitrine.Testing;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

[assembly: AssemblyFixture(typeof(SftpServer))]
[assembly: AssemblyFixture(typeof(FtpServer))]

namespace Vitrine.ContractTests.Sources;

public sealed class FtpSourceContractTests : SourceContract
{
    private readonly HttpRig _rig = new HttpRig().AllowLoopback();
    private readonly ScriptedFtpServer _server = new() { Login = "us:er:word" };
    private readonly FileServerSource _source;

    public FtpSourceContractTests() => _source = _rig.CreateFileServerSource();

    private protected override ISource Source => _source;
    private protected override Uri InnerAddress => new("ftp://10.0.0.1/file");
    private protected override int GoodStatus => 350;
    private protected override string? ContentType => null;

    private protected override ScriptedFile Serve(ScriptedContent content, out Uri address)
    {
        address = _server.AddressOf("/folder/a%20file;type=a", login: "us:er%3Aword");
        return _server.Serve("/folder/a file;type=a", content);
    }

    public override async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _source.Dispose();
        _rig.Dispose();
    }
}

/// <summary>Whatever an FTP server says, nothing leaves for where it may not.</summary>
public sealed class FtpGuardTests : IAsyncDisposable
{
    private const string Canary = "canary";
    private readonly HttpRig _rig = new HttpRig().AllowLoopback();
    private readonly ScriptedFtpServer _server = new();
    private readonly ScriptedFile _file;
    private readonly FileServerSource _source;
    private readonly FtpServer _real;

    public FtpGuardTests(FtpServer real)
    {
        _real = real;
        _file = _server.Serve("/file", ScriptedContent.Generated(100_000));
        _source = _rig.CreateFileServerSource();
    }

    private Uri Address => _server.AddressOf("/file", login: $"us{Canary}er:{Canary}");

    [Theory]
    [InlineData("EPSV", "229 Come (|||22|)")]
    [InlineData("EPSV", "229 Come (|||0|)")]
    [InlineData("EPSV", "229 Come (|||99999|)")]
    [InlineData("EPSV", "229 Come")]
    public async Task Data_come_from_no_port_of_the_machines_own_programs(string command, string reply)
    {
        _server.Replies[command] = reply;

        await FailAsync(Address);
        Assert.Single(_rig.Network.Dialled);
    }

    [Theory]
    [InlineData("227 Come (10,0,0,1,39,16)")]
    [InlineData("227 Come (127,0,0,1,0,22)")]
    [InlineData("227 Come (169,254,169,254,0,80)")]
    public async Task Data_come_from_no_other_address(string reply)
    {
        _server.Replies["EPSV"] = "500 No";
        _server.Replies["PASV"] = reply;

        await FailAsync(Address);
        Assert.All(_rig.Network.Dialled, endPoint => Assert.Equal("127.0.0.1", endPoint.Address.ToString()));
        Assert.DoesNotContain(_rig.Network.Dialled, endPoint => endPoint.Port is 22 or 80);
    }

    [Fact]
    public async Task A_name_is_looked_up_once_for_all_connections()
    {
        _rig.Network.Name("mirror.example", "127.0.0.1").Name("mirror.example", "10.0.0.1");

        await using var reading = await _source.OpenAsync(_server.AddressOf("/file", "mirror.example"), 0, null, Stop);
        await reading.Body.CopyToAsync(Stream.Null, Stop);
        Assert.Equal(["mirror.example"], _rig.Network.Lookups);
        Assert.Equal(2, _rig.Network.Dialled.Count);
    }

    [Theory]
    [InlineData("ftp://mirror.example/a%0d%0aDELE%20b")]
    [InlineData("ftp://mirror.example/a%00b")]
    [InlineData("ftp://us%0aer:word@mirror.example/file")]
    [InlineData("ftp://user:wo%0drd@mirror.example/file")]
    [InlineData("ftp://mirror.example/folder/")]
    [InlineData("ftp://mirror.example/")]
    [InlineData("ftp://mirror.example/file#part")]
    [InlineData("sftp://user:word@mirror.example/file?query")]
    [InlineData("sftp://user:word@mirror.example/a%0ab")]
    [InlineData("sftp://mirror.example/file")]
    [InlineData("ftp://2130706433/file")]
    [InlineData("sftp://user:word@0x7f.1/file")]
    public async Task No_packet_leaves_for_an_address_that_says_more_than_where_a_file_is(string address)
    {
        _rig.Options.KnownHosts = "/dev/null";

        var failure = await FailAsync(new Uri(address));
        Assert.Equal((SourceFault.MalformedUrl, false), (failure.Fault, failure.MayPass));
        Assert.Empty(_rig.Network.Dialled);
        Assert.Empty(_rig.Network.Lookups);
    }

    [Theory]
    [InlineData("PWD", "257 \"/\r\nDELE x\"")]
    [InlineData("PWD", "257 \"/\" RETR /etc/passwd")]
    [InlineData("PASS", "230-RETR x\r\nDELE y\r\n230 QUIT")]
    public async Task What_a_server_answers_is_never_said_back_to_it(string command, string reply)
    {
        _server.Replies[command] = reply;

        await Record.ExceptionAsync(() => ReadAsync(Address));
        Assert.DoesNotContain(_server.Commands, said => said.StartsWith("DELE", StringComparison.Ordinal) || said.Contains("passwd"));
    }

    [Theory]
    [InlineData("PASS", "530 canary", SourceFault.Login)]
    [InlineData("RETR", "550 canary", SourceFault.Status)]
    [InlineData("RETR", "425 canary", SourceFault.Status)]
    public async Task What_a_server_refuses_or_says_wrong_is_told_without_its_words(string command, string reply, SourceFault fault)
    {
        _server.Replies[command] = reply;

        var failure = await Assert.ThrowsAsync<SourceException>(() => ReadAsync(Address));
        Assert.Equal(fault, failure.Fault);
        Assert.DoesNotContain(Canary, failure.ToString());
    }

    [Fact]
    public async Task A_server_that_greets_without_end_is_not_listened_to()
    {
        _server.Greeting = string.Concat(Enumerable.Repeat($"220-{new string('x', 200)}\r\n", 1000));

        var failure = await FailAsync(Address);
        Assert.Equal((SourceFault.Broken, false), (failure.Fault, failure.MayPass));
    }

    [Theory]
    [InlineData(99_999, "sends more")]
    [InlineData(100_001, "ended after")]
    public async Task A_length_that_is_not_true_is_found_before_the_last_byte(int told, string message)
    {
        _file.DeclaredLength = told;
        await using var reading = await _source.OpenAsync(Address, 0, null, Stop);

        using var received = new MemoryStream();
        var failure = await Assert.ThrowsAsync<SourceException>(() => reading.Body.CopyToAsync(received, Stop));
        Assert.Contains(message, failure.Message);
        Assert.True(received.Length < told);
    }

    [Fact]
    public async Task A_body_that_stands_still_is_given_up()
    {
        _file.StallAfter = 1000;
        await using var reading = await _source.OpenAsync(Address, 0, null, Stop);
        await reading.Body.ReadExactlyAsync(new byte[1000], Stop);

        var read = reading.Body.ReadAsync(new byte[1], Stop);
        await _rig.Time.WhenSet(_rig.Options.IdleTimeout).WaitAsync(Stop);
        _rig.Time.Step(_rig.Options.IdleTimeout);
        var failure = await Assert.ThrowsAsync<SourceException>(async () => await read);
        Assert.Equal((SourceFault.Stalled, true), (failure.Fault, failure.MayPass));
    }

    [Fact]
    public async Task A_server_that_does_not_greet_is_given_up()
    {
        _file.StallBeforeAnswer = true;
        var opening = FailAsync(Address);
        await _file.Stalled.WaitAsync(Stop);

        var patience = _rig.Options.ConnectTimeout + _rig.Options.HeaderTimeout;
        await _rig.Time.WhenSet(patience).WaitAsync(Stop);
        _rig.Time.Step(patience);
        var failure = await opening;
        Assert.Equal((SourceFault.Stalled, true), (failure.Fault, failure.MayPass));
    }

    [Fact]
    public async Task A_real_server_gives_its_files_to_users_and_to_anybody()
    {
        var server = await _real.GetAsync();
        var bytes = RandomNumberGenerator.GetBytes(3_000_001);
        await File.WriteAllBytesAsync(Path.Combine(server["FTP_FILES"], "real"), bytes, Stop);
        var anybody = new Uri($"ftp://127.0.0.1:{server["FTP_PORT"]}/real");
        var user = new Uri($"ftp://{server["FTP_USER"]}:{server["FTP_PASSWORD"]}@127.0.0.1:{server["FTP_PORT"]}/real");
        var stranger = new Uri($"ftp://{server["FTP_USER"]}:{Canary}@127.0.0.1:{server["FTP_PORT"]}/real");

        var probe = await _source.ProbeAsync(user, Stop);
        Assert.Equal((bytes.Length, true, SourceAddress.Redact(anybody)), (probe.Length, probe.CanResume, probe.FinalAddress));
        Assert.Equal("127.0.0.1", probe.Route?.Address);
        Assert.Equal(bytes, await ReadAsync(anybody));
        Assert.Equal(bytes[1_000_000..], await ReadAsync(user, 1_000_000, probe.Validator));
        Assert.Equal(SourceFault.Login, (await FailAsync(stranger)).Fault);
        Assert.Equal(SourceFault.Status, (await FailAsync(new Uri(anybody, "missing"))).Fault);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _source.Dispose();
        _rig.Dispose();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private async Task<byte[]> ReadAsync(Uri address, long from = 0, string? validator = null)
    {
        await using var reading = await _source.OpenAsync(address, from, validator, Stop);
        using var all = new MemoryStream();
        await reading.Body.CopyToAsync(all, Stop);
        return all.ToArray();
    }

    private async Task<SourceException> FailAsync(Uri address)
    {
        var failure = await Assert.ThrowsAsync<SourceException>(() => _source.OpenAsync(address, 0, null, Stop));
        Assert.DoesNotContain(Canary, failure.ToString());
        return failure;
    }
}

/// <summary>Against a real OpenSSH server.</summary>
public sealed class SftpSourceTests(SftpServer fixture) : IAsyncLifetime
{
    private const string Canary = "canary";
    private readonly HttpRig _rig = new HttpRig().AllowLoopback();
    private readonly byte[] _bytes = RandomNumberGenerator.GetBytes(5_000_001);
    private IReadOnlyDictionary<string, string> _server = null!;
    private string _path = null!;
    private FileServerSource? _source;

    /// <summary>Made at its first use, after which the options are fixed.</summary>
    private FileServerSource Source => _source ??= _rig.CreateFileServerSource();

    private Uri ByPassword => Address($"{_server["SFTP_USER"]}:{_server["SFTP_PASSWORD"]}@");

    private Uri ByKey => Address($"{_server["SFTP_USER"]}@");

    public async ValueTask InitializeAsync()
    {
        _server = await fixture.GetAsync();
        _path = Path.Combine(_server["SFTP_FILES"], $"{Guid.NewGuid():N} ü.raw");
        await File.WriteAllBytesAsync(_path, _bytes, Stop);
        _rig.Options.KnownHosts = _server["SFTP_KNOWN_HOSTS"];
        _rig.Options.ConnectTimeout = TimeSpan.FromMinutes(1);
    }

    [Fact]
    public async Task A_file_is_given_for_a_password() => Assert.Equal(_bytes, await ReadAsync(ByPassword));

    [Fact]
    public async Task A_file_is_given_for_a_key_that_was_set_up()
    {
        _rig.Options.SftpKeys.Add(new SftpKey { Host = "127.0.0.1", User = _server["SFTP_USER"], PrivateKey = _server["SFTP_KEY"] });

        Assert.Equal(_bytes, await ReadAsync(ByKey));
    }

    [Fact]
    public async Task Without_a_key_the_refusal_says_so()
    {
        _rig.Options.SftpKeys.Add(new SftpKey { Host = "127.0.0.1", User = "other", PrivateKey = _server["SFTP_KEY"] });
        _rig.Options.SftpKeys.Add(new SftpKey { Host = "other.example", User = _server["SFTP_USER"], PrivateKey = _server["SFTP_KEY"] });

        var failure = await FailAsync(ByKey);
        Assert.Equal(SourceFault.Login, failure.Fault);
        Assert.Contains("no key is set up", failure.Message);
        Assert.Empty(_rig.Network.Dialled);
    }

    [Fact]
    public async Task A_wrong_password_is_a_failure_to_log_in()
    {
        var failure = await FailAsync(Address($"{_server["SFTP_USER"]}:{Canary}@"));

        Assert.Equal((SourceFault.Login, false), (failure.Fault, failure.MayPass));
        Assert.DoesNotContain(Canary, failure.ToString());
    }

    [Fact]
    public async Task The_rest_of_a_file_is_the_rest_of_it()
    {
        var probe = await Source.ProbeAsync(ByPassword, Stop);

        Assert.Equal((_bytes.Length, true), (probe.Length, probe.CanResume));
        Assert.Equal(probe.Route?.InterfaceMtu, Assert.NotNull(probe.Route?.Mtu));
        Assert.Equal(_bytes[4_000_000..], await ReadAsync(ByPassword, 4_000_000, probe.Validator));
        Assert.Empty(await ReadAsync(ByPassword, _bytes.Length, probe.Validator));
    }

    [Fact]
    public async Task A_file_that_was_changed_is_read_from_its_beginning()
    {
        var probe = await Source.ProbeAsync(ByPassword, Stop);
        File.SetLastWriteTimeUtc(_path, DateTime.UnixEpoch.AddDays(1));

        await using var reading = await Source.OpenAsync(ByPassword, 1000, probe.Validator, Stop);
        Assert.Equal(0, reading.Offset);
        Assert.NotEqual(probe.Validator, reading.Validator);
    }

    [Fact]
    public async Task A_host_that_is_not_known_is_refused_with_its_fingerprint()
    {
        _rig.Options.KnownHosts = "/dev/null";

        var failure = await FailAsync(ByPassword);
        Assert.Equal((SourceFault.HostKey, false), (failure.Fault, failure.MayPass));
        Assert.Contains(_server["SFTP_FINGERPRINT"], failure.Message);
    }

    [Fact]
    public async Task A_host_with_another_key_than_the_known_one_is_refused()
    {
        var hosts = Path.GetTempFileName();
        var other = (await File.ReadAllTextAsync(_server["SFTP_KEY"] + ".pub", Stop)).Split(' ');
        await File.WriteAllTextAsync(hosts, $"[127.0.0.1]:{_server["SFTP_PORT"]} {other[0]} {other[1]}\n", Stop);
        _rig.Options.KnownHosts = hosts;

        var failure = await FailAsync(ByPassword);
        Assert.Equal(SourceFault.HostKey, failure.Fault);
        Assert.Contains("not the one known", failure.Message);
        File.Delete(hosts);
    }

    [Fact]
    public async Task Without_known_hosts_nothing_is_fetched()
    {
        _rig.Options.KnownHosts = null;

        Assert.Equal(SourceFault.Refused, (await FailAsync(ByPassword)).Fault);
        Assert.Empty(_rig.Network.Dialled);
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task A_file_that_is_not_there_or_not_ours_is_a_status()
    {
        var missing = new Uri(ByPassword.AbsoluteUri + "x");

        Assert.Equal(SourceFault.Status, (await FailAsync(missing)).Fault);
        File.SetUnixFileMode(_path, UnixFileMode.None);
        Assert.Equal(SourceFault.Status, (await FailAsync(ByPassword)).Fault);
    }

    [Fact]
    public async Task Many_readers_may_leave_in_the_middle()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            await using var reading = await Source.OpenAsync(ByPassword, 0, null, Stop);
            await reading.Body.ReadExactlyAsync(new byte[10_000], Stop);
        }));

        Assert.Equal(_bytes, await ReadAsync(ByPassword));
    }

    public ValueTask DisposeAsync()
    {
        File.Delete(_path);
        _source?.Dispose();
        _rig.Dispose();
        return ValueTask.CompletedTask;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private Uri Address(string login) => new($"sftp://{login}127.0.0.1:{_server["SFTP_PORT"]}{Uri.EscapeDataString(_path).Replace("%2F", "/")}");

    private async Task<byte[]> ReadAsync(Uri address, long from = 0, string? validator = null)
    {
        await using var reading = await Source.OpenAsync(address, from, validator, Stop);
        using var all = new MemoryStream();
        await reading.Body.CopyToAsync(all, Stop);
        return all.ToArray();
    }

    private Task<SourceException> FailAsync(Uri address) => Assert.ThrowsAsync<SourceException>(() => ReadAsync(address));
}
