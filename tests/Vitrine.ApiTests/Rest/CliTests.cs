using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;
using Vitrine.Cli;
using Vitrine.Client;
using Vitrine.Nodes;
using Vitrine.Testing;
using Vitrine.Testing.Sources;

namespace Vitrine.ApiTests.Rest;

/// <summary>The command line against a library, from the words that are typed to what is printed and the exit code.</summary>
public sealed class CliTests(RestLibrary library) : IClassFixture<RestLibrary>, IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("vitrine-cli-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_login_is_kept_for_its_owner_and_ends_with_the_logout()
    {
        var login = await RunAsync(RestLibrary.AdminPassword, "login", library.Address.ToString(), "--user", "admin", "--password-stdin");
        Assert.Equal(0, login.Code);
        Assert.Contains("project admin", login.Out, StringComparison.Ordinal);
        var config = Path.Combine(_home.FullName, "cli.json");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(config));
        Assert.DoesNotContain(RestLibrary.AdminPassword, await File.ReadAllTextAsync(config, Stop), StringComparison.Ordinal);

        Assert.Equal(0, (await RunAsync("", "image", "list")).Code);
        var openrc = await RunAsync("", "openrc");
        Assert.Contains($"export OS_AUTH_URL='{library.Address}identity/v3'", openrc.Out, StringComparison.Ordinal);
        Assert.Contains("export OS_PROJECT_NAME='admin'", openrc.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("export OS_TOKEN", openrc.Out, StringComparison.Ordinal);
        Assert.Contains("export OS_TOKEN='", (await RunAsync("", "openrc", "--with-secret")).Out, StringComparison.Ordinal);

        Assert.Equal(0, (await RunAsync("", "logout")).Code);
        var after = await RunAsync("", "image", "list");
        Assert.Equal(ExitCodes.Denied, after.Code);
        Assert.Contains("not logged in", after.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_is_denied_and_nothing_is_kept()
    {
        var login = await RunAsync("wrong", "login", library.Address.ToString(), "--user", "admin", "--password-stdin");
        Assert.Equal(ExitCodes.Denied, login.Code);
        Assert.False(File.Exists(Path.Combine(_home.FullName, "cli.json")));
    }

    [Fact]
    public async Task A_file_is_pushed_listed_shown_changed_pulled_and_deleted()
    {
        var token = (await library.NewProjectAsync()).Member;
        var bytes = RandomNumberGenerator.GetBytes(300_000);
        var file = Path.Combine(_home.FullName, "disk.img");
        await File.WriteAllBytesAsync(file, bytes, Stop);

        var push = await RunAsync(token, Words("image push", file, "--name", "my disk", "--tag", "a", "--property", "team=storage"));
        Assert.Equal((0, ""), (push.Code, push.Out.Trim() is { Length: 36 } ? "" : push.Out + push.Error));
        var id = push.Out.Trim();

        var list = await RunAsync(token, Words("image list --filter self"));
        Assert.Contains("my disk", list.Out, StringComparison.Ordinal);
        Assert.Contains("293 KiB", list.Out, StringComparison.Ordinal);

        var shown = Json<ImageRecord>(await RunAsync(token, Words("image show", "my disk", "--json")), LibraryJson.Default.ImageRecord);
        Assert.Equal((id, "active", Convert.ToHexStringLower(SHA256.HashData(bytes))), (shown.Id, shown.Status, shown.Sha256));
        Assert.Equal("a", Assert.Single(shown.Tags));
        Assert.Equal("storage", shown.Properties["team"]);

        var changed = Json<ImageRecord>(
            await RunAsync(token, Words("image set", id, "--name", "your disk", "--os", "debian12", "--unset-property", "team", "--json")), LibraryJson.Default.ImageRecord);
        Assert.Equal(("your disk", "debian12", 0), (changed.Name, changed.Os, changed.Properties.Count));
        Assert.Null(Json<ImageRecord>(await RunAsync(token, Words("image set", id, "--clear", "os", "--json")), LibraryJson.Default.ImageRecord).Os);

        var pulled = Path.Combine(_home.FullName, "pulled.img");
        Assert.Equal(0, (await RunAsync(token, Words("image pull", "your disk", "-o", pulled))).Code);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(pulled, Stop));
        Assert.Equal(ExitCodes.Usage, (await RunAsync(token, Words("image pull", "your disk", "-o", pulled))).Code);
        Assert.Equal(0, (await RunAsync(token, Words("image pull", "your disk", "-o", pulled, "--force"))).Code);

        var piped = await RunAsync(token, Words("image pull", id, "-o", "-"));
        Assert.Equal(bytes, piped.Bytes);
        Assert.Empty(piped.Out);

        Assert.Contains("disabled", (await RunAsync(token, Words("image disable", id))).Out, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.TransferFailed, (await RunAsync(token, Words("image pull", id, "-o", "-"))).Code);
        Assert.Contains("enabled", (await RunAsync(token, Words("image enable", id))).Out, StringComparison.Ordinal);

        Assert.Equal(0, (await RunAsync(token, Words("image delete", id))).Code);
        Assert.Equal(ExitCodes.NotFound, (await RunAsync(token, Words("image show", id))).Code);
        Assert.Equal(ExitCodes.NotFound, (await RunAsync(token, Words("image show", "your disk"))).Code);
    }

    [Fact]
    public async Task A_push_that_was_interrupted_goes_on_with_the_same_command()
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        var bytes = RandomNumberGenerator.GetBytes(2_000_000);
        var file = Path.Combine(_home.FullName, "large.img");
        await File.WriteAllBytesAsync(file, bytes, Stop);

        // What an earlier run of the command left behind: half of the file, and its memory.
        var created = await client.CreateImageAsync(new ImageCreate { Name = "large", Upload = new UploadRequest { Length = bytes.Length } }, Stop);
        using (var half = await library.SendAsync(
            HttpMethod.Patch, created.Upload!.Url, project.Member, new ByteArrayContent(bytes[..1_000_000]),
            ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream")))
            Assert.True(half.IsSuccessStatusCode);
        var memory = new UploadMemory(Path.Combine(_home.FullName, "uploads"));
        memory.Remember(UploadMemory.KeyOf(new FileInfo(file), library.Address, "large"), new RememberedUpload(created.Upload.Transfer, created.Image.Id));

        var push = await RunAsync(project.Member, Words("image push", file, "--name", "large"));
        Assert.Equal((0, created.Image.Id), (push.Code, push.Out.Trim()));
        Assert.Contains("Going on", push.Error, StringComparison.Ordinal);
        Assert.Contains("large.img: 100.0 %", push.Error, StringComparison.Ordinal);
        Assert.Equal(bytes.Length, (await client.GetTransferAsync(created.Upload.Transfer, Stop)).Fetched);
        Assert.Null(memory.Find(UploadMemory.KeyOf(new FileInfo(file), library.Address, "large")));
    }

    [Fact]
    public async Task A_push_by_several_connections_goes_on_with_the_parts_of_an_earlier_one()
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        var bytes = RandomNumberGenerator.GetBytes(2_000_003);
        var file = Path.Combine(_home.FullName, "parts.img");
        await File.WriteAllBytesAsync(file, bytes, Stop);

        // What an earlier run of the command left behind: one part of a few, half of it sent.
        var created = await client.CreateImageAsync(new ImageCreate { Name = "parts", Upload = new UploadRequest { Length = bytes.Length } }, Stop);
        using var part = await library.SendAsync(
            HttpMethod.Post, created.Upload!.Url, project.Member, null, ("Tus-Resumable", "1.0.0"), ("Upload-Concat", "partial"), ("Upload-Length", "500000"));
        using var half = await library.SendAsync(
            HttpMethod.Patch, part.Headers.Location!.ToString(), project.Member, new ByteArrayContent(bytes[..250_000]),
            ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream"));
        Assert.True(half.IsSuccessStatusCode);
        var memory = new UploadMemory(Path.Combine(_home.FullName, "uploads"));
        memory.Remember(UploadMemory.KeyOf(new FileInfo(file), library.Address, "parts"), new RememberedUpload(created.Upload.Transfer, created.Image.Id));

        var push = await RunAsync(project.Member, Words("image push", file, "--name", "parts", "--parallel", "3"));
        Assert.Equal((0, created.Image.Id), (push.Code, push.Out.Trim()));
        var done = await client.GetTransferAsync(created.Upload.Transfer, Stop);
        Assert.Equal((bytes.Length, bytes.Length), (done.Fetched, done.Assembled));

        var many = await RunAsync(project.Member, Words("image push", file, "--name", "parts", "--parallel", "17"));
        Assert.Equal(ExitCodes.Usage, many.Code);
    }

    [Fact]
    public async Task An_interrupt_ends_a_push_with_130_and_remembers_it()
    {
        var project = await library.NewProjectAsync();
        var file = Path.Combine(_home.FullName, "large.img");
        await File.WriteAllBytesAsync(file, new byte[1_000_000], Stop);
        using var interrupt = new CancellationTokenSource();

        // The interrupt comes with the first sign of progress.
        var run = await RunAsync(project.Member, Words("image push", file, "--name", "large"), line =>
        {
            if (line.Contains("large.img:", StringComparison.Ordinal))
                interrupt.Cancel();
        }, interrupt.Token);
        Assert.Equal(ExitCodes.Interrupted, run.Code);
        Assert.Contains("same command", run.Error, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Path.Combine(_home.FullName, "uploads")));

        Assert.Equal(0, (await RunAsync(project.Member, Words("image push", file, "--name", "large"))).Code);
        Assert.Empty(Directory.GetFiles(Path.Combine(_home.FullName, "uploads")));
    }

    [Fact]
    public async Task An_import_is_waited_for_and_its_failure_has_a_code_of_its_own()
    {
        var token = (await library.NewProjectAsync()).Member;
        await using var source = ScriptedHttpServer.Start();
        source.Serve("/disk.img", ScriptedContent.Of(SampleImages.RawWithMbr()));
        source.Serve("/gone.img", ScriptedContent.Of([1])).Status = 404;

        var good = await RunAsync(token, Words("image import", source.AddressOf("/disk.img").ToString(), "--name", "imported", "--quiet"));
        Assert.Equal((0, ""), (good.Code, good.Error));
        Assert.Equal(36, good.Out.Trim().Length);

        var bad = await RunAsync(token, Words("image import", source.AddressOf("/gone.img").ToString(), "--name", "gone"));
        Assert.Equal(ExitCodes.TransferFailed, bad.Code);
        Assert.Contains("404", bad.Error, StringComparison.Ordinal);

        var asked = await RunAsync(token, Words("image import", source.AddressOf("/gone.img").ToString(), "--name", "later", "--no-wait", "--json"));
        var created = Json<ImageCreated>(asked, LibraryJson.Default.ImageCreated);
        Assert.Equal("importing", created.Image.Status);
        Assert.Equal(ExitCodes.TransferFailed, (await RunAsync(token, Words("image watch", created.Image.Id))).Code);
        var explained = await RunAsync(token, Words("transfer explain", created.Transfer!.Id));
        Assert.Contains("What to do:", explained.Out, StringComparison.Ordinal);
        Assert.Equal("failed", Json<TransferRecord>(await RunAsync(token, Words("transfer show", created.Transfer.Id, "--json")), LibraryJson.Default.TransferRecord).State);
        Assert.Contains(created.Transfer.Id, (await RunAsync(token, Words("transfer list --state failed"))).Out, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(token, Words("transfer retry", created.Transfer.Id))).Code);
        Assert.Equal(0, (await RunAsync(token, Words("transfer cancel", created.Transfer.Id))).Code);
    }

    [Fact]
    public async Task Two_images_of_one_name_have_to_be_told_apart()
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        var first = await client.CreateImageAsync(new ImageCreate { Name = "twin" }, Stop);
        await client.CreateImageAsync(new ImageCreate { Name = "twin" }, Stop);

        var both = await RunAsync(project.Member, Words("image show twin"));
        Assert.Equal(ExitCodes.Usage, both.Code);
        Assert.Contains(first.Image.Id, both.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(project.Member, Words("image show", first.Image.Id))).Code);
    }

    [Fact]
    public async Task Operators_drain_and_open_nodes_and_change_limits()
    {
        var project = await library.NewProjectAsync();
        await library.ReportAsync(NodeMode.Draining);
        var drained = await RunAsync(project.Admin, Words("node drain node-1 --wait"));
        Assert.Equal(0, drained.Code);
        Assert.Contains("drained", drained.Out, StringComparison.Ordinal);
        Assert.Contains("No other node", drained.Error, StringComparison.Ordinal);
        Assert.Contains("up", (await RunAsync(project.Admin, Words("node open node-1"))).Out, StringComparison.Ordinal);
        await library.ReportAsync(NodeMode.Open);

        Assert.Equal(0, (await RunAsync(project.Admin, Words("limit set transfers-per-project=7 bytes-per-second=none"))).Code);
        Assert.Contains("7", (await RunAsync(project.Admin, Words("limit list"))).Out, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(project.Admin, Words("limit set transfers-per-project=default bytes-per-second=default"))).Code);
        Assert.Equal(ExitCodes.Usage, (await RunAsync(project.Admin, Words("limit set transfers-per-project"))).Code);
        Assert.Equal(ExitCodes.Usage, (await RunAsync(project.Admin, Words("limit set transfers-per-project=many"))).Code);
        Assert.Equal(ExitCodes.Denied, (await RunAsync(project.Member, Words("limit set transfers-per-project=7"))).Code);
    }

    [Fact]
    public async Task Operators_look_at_stores_nodes_sources_and_health()
    {
        var project = await library.NewProjectAsync();
        var stores = await RunAsync(project.Member, Words("store list"));
        Assert.Contains("main", stores.Out, StringComparison.Ordinal);
        Assert.Contains("healthy", stores.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Denied, (await RunAsync(project.Member, Words("node list"))).Code);
        Assert.Contains("node-1", (await RunAsync(project.Admin, Words("node list"))).Out, StringComparison.Ordinal);
        Assert.Contains("sharing", (await RunAsync(project.Admin, Words("node show node-1"))).Out, StringComparison.Ordinal);
        Assert.Contains("transfers-per-node", (await RunAsync(project.Admin, Words("limit list"))).Out, StringComparison.Ordinal);
        Assert.Contains("catalogue:", (await RunAsync(project.Admin, Words("doctor"))).Out, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Failure, (await RunAsync(project.Admin, Words("doctor --url http://10.0.0.1/x"))).Code);

        await using var source = ScriptedHttpServer.Start();
        source.Serve("/disk.img", ScriptedContent.Generated(12_345));
        Assert.Contains("12345 bytes", (await RunAsync(project.Member, Words("probe", source.AddressOf("/disk.img").ToString()))).Out, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Failure, (await RunAsync(project.Member, Words("probe http://10.0.0.1/x"))).Code);
    }

    [Fact]
    public async Task An_examination_of_all_nodes_fails_where_one_is_silent()
    {
        var project = await library.NewProjectAsync();
        Assert.Equal(ExitCodes.Ok, (await ExamineAllAsync(project.Admin, "doctor --all")).Code);

        var longAgo = TimeProvider.System.Now() - TimeSpan.FromHours(1);
        var gone = new Node("gone", "gone-run", "zone-1", [NodeRole.Api], "http://127.0.0.1:1", "0.1.0", longAgo, longAgo);
        await library.Services.GetRequiredService<INodeCatalogue>().SaveAsync(gone, Stop);
        var examined = await ExamineAllAsync(project.Admin, "doctor --all");
        Assert.Equal(ExitCodes.Failure, examined.Code);
        Assert.Matches("(?m)^node-1 +ok +clock ", examined.Out);
        Assert.Matches("(?m)^gone +silent ", examined.Out);
        Assert.DoesNotMatch("(?m)^[^ ]+ +fail ", examined.Out);
    }

    [Fact]
    public async Task All_nodes_are_examined_and_the_log_of_a_transfer_is_a_table()
    {
        var project = await library.NewProjectAsync();
        var examined = await ExamineAllAsync(project.Admin, "doctor --all --url http://10.0.0.1/x");
        Assert.Equal(ExitCodes.Failure, examined.Code);
        Assert.Matches("(?m)^node-1 +ok +clock ", examined.Out);
        Assert.Matches("(?m)^node-1 +fail +source.policy ", examined.Out);
        Assert.Equal(ExitCodes.Denied, (await RunAsync(project.Member, Words("doctor --all"))).Code);

        using var client = library.ClientOf(project.Member);
        var created = await client.CreateImageAsync(new ImageCreate { Name = "logged", Upload = new UploadRequest { Length = 5 } }, Stop);
        await client.CancelTransferAsync(created.Upload!.Transfer, Stop);
        var log = await RunAsync(project.Member, Words("transfer log", created.Upload.Transfer));
        Assert.Matches("(?m)Z +- +queued +waiting +0 +0", log.Out);
        Assert.Matches("(?m)Z +- +cancelled ", log.Out);
        Assert.Contains("older than 7 days", log.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.NotFound, (await RunAsync(project.Member, Words("transfer log none"))).Code);
    }

    [Fact]
    public async Task A_refusal_is_told_as_JSON_where_JSON_is_asked_for()
    {
        var token = (await library.NewProjectAsync()).Member;
        var file = Path.Combine(_home.FullName, "disk.img");
        await File.WriteAllBytesAsync(file, [1], Stop);
        var refused = await RunAsync(token, Words("image push", file, "--name", "a/b", "--json"));
        Assert.Equal(ExitCodes.Failure, refused.Code);
        Assert.Equal("name", JsonSerializer.Deserialize(refused.Error, LibraryJson.Default.ProblemRecord)!.Field);
        Assert.Empty(refused.Out);
    }

    [Fact]
    public async Task A_shell_completes_names_of_images()
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        await client.CreateImageAsync(new ImageCreate { Name = "completable" }, Stop);
        const string Line = "vitrine image show comp";
        var suggestions = await RunAsync(project.Member, [$"[suggest:{Line.Length}]", Line]);
        Assert.Equal("completable", suggestions.Out.Trim());
    }

    public void Dispose() => _home.Delete(recursive: true);

    private static string[] Words(string command, params string[] more) => [.. command.Split(' '), .. more];

    private static T Json<T>(Ran ran, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        Assert.True(ran.Code == 0, ran.Error);
        return JsonSerializer.Deserialize(ran.Out, type)!;
    }

    /// <summary>Runs a command that waits for this node to look at itself, which it does at once.</summary>
    private async Task<Ran> ExamineAllAsync(string token, string words)
    {
        var examining = RunAsync(token, Words(words));
        while (!examining.IsCompleted)
        {
            await library.Services.GetRequiredService<Examinations>().AnswerAsync(Stop);
            await Task.WhenAny(examining, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Stop));
        }

        return await examining;
    }

    /// <summary>Runs a command for who typed it on standard input, without a token.</summary>
    private Task<Ran> RunAsync(string input, params string[] args) => input.Contains('\n') || args[0] is "login" or "logout" or "openrc" || input.Length == 0
        ? RunAsync(input, token: null, args, _ => { }, CancellationToken.None)
        : RunAsync("", input, args, _ => { }, CancellationToken.None);

    private Task<Ran> RunAsync(string token, string[] args, Action<string> onError, CancellationToken interrupt) =>
        RunAsync("", token, args, onError, interrupt);

    private async Task<Ran> RunAsync(string input, string? token, string[] args, Action<string> onError, CancellationToken interrupt)
    {
        using var output = new StringWriter();
        using var error = new HeardWriter(onError);
        using var bytes = new MemoryStream();
        var terminal = new CliTerminal
        {
            In = new StringReader(input + "\n"),
            Out = output,
            Error = error,
            OpenBytes = () => bytes,
            Variable = name => name switch
            {
                "VITRINE_CONFIG" => Path.Combine(_home.FullName, "cli.json"),
                "VITRINE_URL" => token is null ? null : library.Address.ToString(),
                "VITRINE_TOKEN" => token,
                _ => null,
            },
            IsInteractive = false,
            Bars = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) }),
        };
        var code = await VitrineCli.RunAsync(args, terminal, interrupt);
        return new Ran(code, output.ToString(), error.ToString(), bytes.ToArray());
    }

    private sealed record Ran(int Code, string Out, string Error, byte[] Bytes);

    private sealed class HeardWriter(Action<string> heard) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            heard(value ?? "");
        }
    }
}
