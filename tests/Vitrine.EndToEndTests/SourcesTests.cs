using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Vitrine.Client;
using Vitrine.Testing;
using Vitrine.Testing.Sources;

namespace Vitrine.EndToEndTests;

/// <summary>Images that a user imports by the command line from wherever they are.</summary>
public sealed class SourcesTests
{
    /// <summary>How much of an image may be fetched, that of it included which is fetched again.</summary>
    private const double MostFetched = 1.03;

    [FactWithTool("openstack")]
    public async Task An_image_of_one_library_is_imported_into_another()
    {
        await using var first = await ServerProcess.StartAsync();
        var file = Path.Combine(first.Data, "disk.raw");
        await File.WriteAllBytesAsync(file, RandomNumberGenerator.GetBytes(5 << 20), Stop);
        var image = Read(await VitrineAsync(first, "image", "push", file, "--name", "original", "--json"));
        var credential = Read(await Command.RunAsync(
            "openstack", ["application", "credential", "create", "other", "-f", "json"], first.OpenStackEnvironment));

        await using var second = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["VITRINE_SOURCES__LIBRARIES__0__NAME"] = "first",
            ["VITRINE_SOURCES__LIBRARIES__0__ADDRESS"] = first.Url,
            ["VITRINE_SOURCES__LIBRARIES__0__CREDENTIALID"] = credential.GetProperty("id").GetString()!,
            ["VITRINE_SOURCES__LIBRARIES__0__CREDENTIALSECRET"] = credential.GetProperty("secret").GetString()!,
        });
        var copy = Read(await VitrineAsync(second, "image", "import", $"vitrine://first/{image.GetProperty("id")}", "--name", "copy", "--json"));
        Assert.Equal(("active", image.GetProperty("sha256").GetString()), (copy.GetProperty("status").GetString(), copy.GetProperty("sha256").GetString()));
    }

    [Fact]
    public async Task An_image_arrives_from_a_source_that_cuts_every_connection_and_next_to_nothing_is_fetched_twice()
    {
        await using var mirror = ScriptedHttpServer.Start();
        await using var server = await ServerProcess.StartAsync();
        using var client = server.NewClient();
        var random = new Random(20261122);
        var file = mirror.Serve("/disk.img", ScriptedContent.Generated(24 << 20));
        file.CutAfter = _ => random.Next(1 << 20, 2 << 20);

        var created = await client.CreateImageAsync(
            new ImageCreate { Name = "cut", Source = new ImageSource { Url = mirror.AddressOf("/disk.img").ToString() } }, Stop);
        var done = await client.WatchTransferAsync(created.Transfer!.Id, Stop).LastAsync(Stop);
        Assert.Equal("done", done.State);
        Assert.Equal(
            file.Content.Sum(HashAlgorithmName.SHA256), (await client.GetImageAsync(created.Image.Id, Stop)).Sha256);
        Assert.InRange(done.Attempt, 24 / 2, 24);
        Assert.True(file.BytesSent <= file.Content.Length * MostFetched, $"{file.BytesSent} bytes were sent for {file.Content.Length}");
    }

    [Fact]
    public async Task A_login_in_an_address_is_nowhere_to_be_found()
    {
        const string Canary = "canary-7f3a";
        await using var files = new ScriptedFtpServer { Login = $"user:{Canary}" };
        files.Serve("/disk.raw", ScriptedContent.Generated(1 << 20));
        await using var server = await ServerProcess.StartAsync();

        var shown = await VitrineAsync(server, "image", "import", files.AddressOf("/disk.raw", login: $"user:{Canary}").AbsoluteUri, "--name", "disk", "--json");
        Assert.Equal("active", Read(shown).GetProperty("status").GetString());
        var listed = await VitrineAsync(server, "transfer", "list", "--json");
        Assert.DoesNotContain(Canary, shown.Output + shown.Error + listed.Succeeded());
        await server.KillAsync();
        foreach (var file in Directory.GetFiles(server.Data, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith(".sock")))
            Assert.DoesNotContain(Canary, await File.ReadAllTextAsync(file, Encoding.Latin1, Stop));
    }

    private static Task<CommandResult> VitrineAsync(ServerProcess server, params string[] arguments) =>
        Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), arguments, server.VitrineEnvironment);

    // A record a line while something goes on, and the outcome last; stock clients print one over many lines.
    private static JsonElement Read(CommandResult result) => JsonDocument.Parse(
        result.Succeeded() is var output && output.Contains("\n{") ? output[(output.LastIndexOf("\n{", StringComparison.Ordinal) + 1)..] : output).RootElement;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
