using System.Net.Sockets;
using Spectre.Console;
using Vitrine.Cli;
using Vitrine.Testing;

namespace Vitrine.UnitTests.Cli;

/// <summary>What is told without asking any library.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("vitrine-cli-");

    [Theory]
    [InlineData("nonsense")]
    [InlineData("image")]
    [InlineData("image nonsense")]
    [InlineData("image show")]
    [InlineData("image push")]
    [InlineData("image push missing.img --name a")]
    [InlineData("image import http://127.0.0.1/a")]
    [InlineData("image import http://127.0.0.1/a --name a --wait --no-wait")]
    [InlineData("image list --limit many")]
    [InlineData("image set a --min-disk big")]
    [InlineData("image set a --property nonsense --server http://127.0.0.1:9")]
    [InlineData("completion tcsh")]
    [InlineData("image list --server nonsense")]
    [InlineData("image list --server ftp://127.0.0.1/")]
    [InlineData("image list --server http://127.0.0.1:9 --cacert missing.pem")]
    public async Task What_is_typed_wrong_ends_with_2(string line)
    {
        var (code, output, error) = await RunAsync(line, ("VITRINE_TOKEN", "x"));
        Assert.Equal((ExitCodes.Usage, ""), (code, output));
        Assert.StartsWith("vitrine: ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("image export a --lifetime abc", "--lifetime: 'abc' is not a whole number.")]
    [InlineData("image export a --lifetime 0", "--lifetime: '0' is not a whole number from 1 on.")]
    [InlineData("image export a --lifetime", "--lifetime needs a value: a whole number.")]
    [InlineData("image list --limit 1 --limit 2", "--limit may be given once, and has 2 values: '1', '2'.")]
    [InlineData("image set a --virtio maybe", "--virtio: 'maybe' is not true or false.")]
    [InlineData("completion tcsh", "SHELL: 'tcsh' is not one of bash, fish, zsh.")]
    [InlineData("convert a b --format vdi", "--format: 'vdi' is not one of qcow2, raw, vhd, vhdx, vmdk.")]
    [InlineData("convert a b.vhd --variant odd", "Content of format vhd (odd) is not written.")]
    [InlineData("convert a b.vhdx -c", "--compress goes with qcow2 alone; vhdx is never compressed.")]
    [InlineData("convert a b.vmdk -c", "--compress goes with qcow2 alone; the vmdk that is written is compressed always.")]
    [InlineData("convert a /no/such/place/b.raw", "There is no directory /no/such/place.")]
    [InlineData("convert a /dev/null --format raw --force", "/dev/null is no plain file.")]
    [InlineData("convert a /tmp --format raw", "/tmp is a directory.")]
    [InlineData("image import http://127.0.0.1/a", "--name needs a value: NAME.")]
    [InlineData("inspect", "FILE|URL is missing.", ExitCodes.Failure)]
    [InlineData("inspect a b", "'b' is one word too many, or no command.", ExitCodes.Failure)]
    [InlineData("inspect a --colour", "There is no option --colour here.", ExitCodes.Failure)]
    [InlineData("image", "A command is missing: one of import, push, pull,")]
    public async Task What_is_typed_wrong_is_said_in_our_own_words(string line, string message, int exitCode = ExitCodes.Usage)
    {
        var (code, output, error) = await RunAsync(line);
        Assert.Equal((exitCode, ""), (code, output));
        Assert.StartsWith($"vitrine: {message}", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_file_is_not_waited_for()
    {
        var pipe = Path.Combine(_home.FullName, "pipe");
        await Tool.RunAsync("mkfifo", [pipe], TestContext.Current.CancellationToken);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(_home.FullName, "socket")));
        (string Path, string Message)[] cases =
        [
            (pipe, "is a pipe"), (Path.Combine(_home.FullName, "socket"), "is a socket"), ("/dev/zero", "is a device without blocks"),
            (_home.FullName, "is a directory"), ("/no/such/place/a", "There is no file /no/such/place/a."),
        ];
        foreach (var (path, message) in cases)
        {
            foreach (var line in new[] { $"inspect {path}", $"convert {path} {_home.FullName}/out.raw" })
            {
                var (code, output, error) = await RunAsync(line);
                Assert.Equal((ExitCodes.Failure, ""), (code, output));
                Assert.Contains(message, error, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("image list")]
    [InlineData("transfer list")]
    [InlineData("store list")]
    public async Task Who_is_not_logged_in_is_told_to(string line)
    {
        var (code, _, error) = await RunAsync(line);
        Assert.Equal(ExitCodes.Denied, code);
        Assert.Contains("vitrine login", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_library_that_is_not_there_is_a_failure_that_says_so()
    {
        var (code, output, error) = await RunAsync("image list", ("VITRINE_URL", "http://127.0.0.1:9"), ("VITRINE_TOKEN", "secret-token"));
        Assert.Equal((ExitCodes.Failure, ""), (code, output));
        Assert.Contains("127.0.0.1:9 cannot be reached", error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-token", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _vitrine vitrine")]
    [InlineData("zsh", "compdef _vitrine vitrine")]
    [InlineData("fish", "complete -c vitrine")]
    public async Task A_shell_gets_its_completion(string shell, string part)
    {
        var (code, output, _) = await RunAsync($"completion {shell}");
        Assert.Equal(0, code);
        Assert.Contains(part, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vitrine ima", "image")]
    [InlineData("vitrine image pul", "pull")]
    [InlineData("vitrine image push --firm", "--firmware")]
    [InlineData("vitrine image push --firmware ue", "uefi")]
    public async Task Words_are_completed(string line, string expected)
    {
        using var output = new StringWriter();
        var code = await VitrineCli.RunAsync([$"[suggest:{line.Length}]", line], Terminal(output, TextWriter.Null), CancellationToken.None);
        Assert.Equal((0, expected), (code, output.ToString().Trim()));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("image --help")]
    [InlineData("image push --help")]
    public async Task Help_names_the_command_as_people_call_it(string line)
    {
        var (code, output, error) = await RunAsync(line);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("Usage:\n  vitrine ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_are_quoted_for_the_shell()
    {
        var (_, output, _) = await RunAsync(
            "openrc --with-secret", ("VITRINE_URL", "http://127.0.0.1:8080"), ("VITRINE_USER", "o'brien"), ("VITRINE_PASSWORD", "a'b$c"), ("VITRINE_PROJECT", "p"));
        Assert.Contains(@"export OS_USERNAME='o'\''brien'", output, StringComparison.Ordinal);
        Assert.Contains(@"export OS_PASSWORD='a'\''b$c'", output, StringComparison.Ordinal);

        var (_, asking, _) = await RunAsync("openrc", ("VITRINE_URL", "http://127.0.0.1:8080"), ("VITRINE_USER", "o"), ("VITRINE_PASSWORD", "verysecret"));
        Assert.DoesNotContain("verysecret", asking, StringComparison.Ordinal);
        Assert.Contains("read -r OS_PASSWORD", asking, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_are_their_owner_s_alone_and_come_back_as_they_were()
    {
        var file = new SettingsFile(Path.Combine(_home.FullName, "deep", "config.json"));
        Assert.Equal(new Settings(), file.Load());
        var settings = new Settings { Url = "http://127.0.0.1:8080/", Token = "t", User = "u" };
        file.Save(settings);
        Assert.Equal(settings, file.Load());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file.Path));

        File.WriteAllText(file.Path, "{ broken");
        Assert.Throws<CliException>(() => file.Load());
    }

    [Fact]
    public void Tables_neither_break_lines_nor_move_the_cursor()
    {
        using var output = new StringWriter();
        TextTable.Write(output, ["A", "LONG HEAD"], [["x", "y"], ["", "evil\u001b[2Jname"]]);
        Assert.Equal("A  LONG HEAD\nx  y\n-  evil·[2Jname\n", output.ToString().ReplaceLineEndings("\n"));
    }

    public void Dispose() => _home.Delete(recursive: true);

    private async Task<(int Code, string Out, string Error)> RunAsync(string line, params (string Name, string Value)[] variables)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await VitrineCli.RunAsync(line.Split(' '), Terminal(output, error, variables), TestContext.Current.CancellationToken);
        return (code, output.ToString().ReplaceLineEndings("\n"), error.ToString());
    }

    private CliTerminal Terminal(TextWriter output, TextWriter error, params (string Name, string Value)[] variables) => new()
    {
        In = TextReader.Null,
        Out = output,
        Error = error,
        OpenBytes = () => Stream.Null,
        Variable = name => name == "VITRINE_CONFIG"
            ? Path.Combine(_home.FullName, "config.json")
            : variables.Where(v => v.Name == name).Select(v => v.Value).FirstOrDefault(),
        IsInteractive = false,
        Bars = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) }),
    };
}
