using System.Security.Cryptography;
using Vitrine.Client;
using Vitrine.Testing;

namespace Vitrine.EndToEndTests;

/// <summary>A server with a chunked store that has one image.</summary>
public sealed class CompressedImage : IAsyncLifetime
{
    public const int Length = 12_000_000;

    public string Data { get; } = Directory.CreateTempSubdirectory("vitrine-e2e-").FullName;

    public byte[] Content { get; } = MakeContent();

    public ServerProcess Server { get; private set; } = null!;

    public ImageRecord Image { get; private set; } = null!;

    public string Token { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Server = await ServerProcess.StartAsync(new Dictionary<string, string> { ["VITRINE_STORES__main__KIND"] = "chunked" }, Data);
        var file = Path.Combine(Data, "disk.img");
        await File.WriteAllBytesAsync(file, Content);
        using var client = Server.NewClient();
        Token = (await client.LogInAsync(ServerProcess.Administrator, CancellationToken.None)).Token;
        var created = await client.CreateImageAsync(new ImageCreate { Name = "disk", Upload = new UploadRequest { Length = Length } }, CancellationToken.None);
        Image = await client.PushAsync(created.Upload!.Transfer, file, progress: null, CancellationToken.None);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>Letters that shrink to a third, with zeros among them, and repetitions and noise at their end.</summary>
    private static byte[] MakeContent()
    {
        var content = RandomNumberGenerator.GetBytes(Length);
        var (noise, repeated) = (Length - 500_000, Length - 1_000_000);
        for (var i = 0; i < repeated; i++)
            content[i] = (byte)('a' + content[i] % 6);

        content.AsSpan(3_000_000, 1_000_000).Clear();
        content.AsSpan(0, noise - repeated).CopyTo(content.AsSpan(repeated));
        return content;
    }
}

/// <summary>Downloads as Zstandard frames, by clients that others have made, and by our own.</summary>
public sealed class CompressedDownloadTests(CompressedImage served) : IClassFixture<CompressedImage>
{
    private readonly string _downloaded = Path.Combine(served.Data, Guid.NewGuid().ToString("N"));

    private string Address => $"{served.Server.Url}/api/v1/images/{served.Image.Id}/file";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [FactWithTool("curl")]
    public async Task Curl_unfolds_what_it_asks_for()
    {
        await CurlAsync("--compressed");
        Assert.Equal(served.Content, await File.ReadAllBytesAsync(_downloaded, Stop));
    }

    [FactWithTool("zstd")]
    public async Task The_body_is_what_the_command_zstd_takes()
    {
        await CurlAsync("-H", "Accept-Encoding: zstd");
        Assert.InRange(new FileInfo(_downloaded).Length, 1, CompressedImage.Length / 2);
        await Tool.RunAsync("zstd", ["-d", "-q", "-M8MiB", _downloaded, "-o", $"{_downloaded}.plain", "--format=zstd", "-f"], Stop);
        Assert.Equal(served.Content, await File.ReadAllBytesAsync($"{_downloaded}.plain", Stop));
    }

    [FactWithTool("chromium")]
    public async Task A_script_in_Chromium_gets_the_image()
    {
        // A page of no server may ask any, where the browser is told so; its title is what the test reads.
        var page = Path.Combine(served.Data, "page.html");
        await File.WriteAllTextAsync(page, $$"""
            <!doctype html><script type="module">
              const answer = await fetch("{{Address}}", { headers: { Authorization: "Bearer {{served.Token}}" } });
              const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await answer.arrayBuffer()));
              document.title = [answer.headers.get("ETag"), Array.from(digest, b => b.toString(16).padStart(2, "0")).join("")].join(" ");
            </script>
            """, Stop);
        var dom = (await Command.RunAsync("chromium",
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-web-security", $"--user-data-dir={Path.Combine(served.Data, "browser")}",
            "--virtual-time-budget=60000", "--dump-dom", new Uri(page).AbsoluteUri,
        ])).Succeeded();
        Assert.Contains($"<title>\"{served.Image.Sha256}.zstd\" {served.Image.Sha256}</title>", dom, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pull_costs_fewer_bytes()
    {
        await using var link = NetworkLink.To(served.Server.Port);
        await PullAsync(link);
        Assert.InRange(link.Passed, 1, CompressedImage.Length / 2);
    }

    [Fact]
    public async Task A_pull_that_is_cut_goes_on_where_it_came_to()
    {
        await using var link = NetworkLink.To(served.Server.Port);
        link.FallSilentAfter(CompressedImage.Length / 6);
        var pulling = PullAsync(link);
        var part = new FileInfo(LibraryClient.PartOf(_downloaded, served.Image.Sha256!));
        while (!pulling.IsCompleted && (!part.Exists || part.Length < CompressedImage.Length / 3))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Stop);
            part.Refresh();
        }

        link.State = LinkState.Cut;
        link.State = LinkState.Whole;
        await pulling;

        // What had come as zstd was not fetched again.
        Assert.InRange(link.Passed, CompressedImage.Length / 2, CompressedImage.Length * 9L / 10);
    }

    private async Task PullAsync(NetworkLink link)
    {
        var environment = new Dictionary<string, string>(served.Server.VitrineEnvironment) { ["VITRINE_URL"] = $"http://127.0.0.1:{link.Port}" };
        (await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), ["image", "pull", "disk", "-o", _downloaded], environment)).Succeeded();
        Assert.Equal(served.Content, await File.ReadAllBytesAsync(_downloaded, Stop));
    }

    private Task<string> CurlAsync(params string[] options) =>
        Tool.RunAsync("curl", ["-sSf", "-o", _downloaded, "-H", $"Authorization: Bearer {served.Token}", .. options, Address], Stop);
}
