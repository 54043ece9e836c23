using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Vitrine.UnitTests.Sources;

/// <summary>Keeps everything that opens connections in the projects that check where they go.</summary>
public sealed partial class OutgoingArchitectureTests
{
    // The client library and the command line connect to the server that their user names, on their user's machine.
    private static readonly string[] MayConnect = ["Vitrine.Sources", "Vitrine.Client", "Vitrine.Cli"];

    // A listener asks at its own socket's path whether another is still there.
    private static readonly string[] MayAsk = ["Vitrine.Nbd/NbdListener.cs"];

    // A store in a bucket is where the operator's configuration says, and nowhere else.
    private static readonly string[] MayStore = ["Vitrine.Stores/Objects/S3/S3Requests.cs"];

    // So is the identity service of the cloud.
    private static readonly string[] MayIdentify = ["Vitrine.OpenStack/Identity/External/ExternalKeystone.cs"];

    [Fact]
    public void Only_the_sources_open_outgoing_connections()
    {
        var found = Directory.EnumerateFiles(SourceRoot(), "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(SourceRoot(), path))
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj"))
            .Where(path => !MayConnect.Contains(path.Split(Path.DirectorySeparatorChar)[0]))
            .Except(MayAsk)
            .Except(MayStore)
            .Except(MayIdentify)
            .SelectMany(path => Connecting(File.ReadAllText(Path.Combine(SourceRoot(), path))).Select(word => $"{path}: {word}"));

        Assert.Empty(found);
    }

    [Fact]
    public void The_sources_themselves_are_found_out() =>
        Assert.Contains(
            Directory.EnumerateFiles(Path.Combine(SourceRoot(), "Vitrine.Sources"), "*.cs", SearchOption.AllDirectories),
            path => Connecting(File.ReadAllText(path)).Any());

    [Theory]
    [InlineData("var client = new HttpClient(handler);", "HttpClient")]
    [InlineData("using var x = new HttpMessageInvoker(h);", "HttpMessageInvoker")]
    [InlineData("new SocketsHttpHandler()", "SocketsHttpHandler")]
    [InlineData("services.AddHttpClient();", "AddHttpClient")]
    [InlineData("TcpClient tcp = new();", "TcpClient")]
    [InlineData("await socket.ConnectAsync(endPoint);", ".ConnectAsync")]
    [InlineData("socket.Connect(endPoint);", ".Connect(")]
    [InlineData("WebRequest.Create(uri)", "WebRequest")]
    [InlineData("new ClientWebSocket()", "ClientWebSocket")]
    [InlineData("await Dns.GetHostAddressesAsync(name);", "Dns.")]
    public void Every_way_to_connect_is_found(string code, string word) => Assert.Equal([word], Connecting(code));

    [Theory]
    [InlineData("// HttpClient would be the wrong thing here.")]
    [InlineData("/// <see cref=\"HttpClient\"/>")]
    [InlineData("transfer.Connect(length, offset, validator, now)")]
    [InlineData("HttpClientError")]
    public void What_only_looks_like_it_is_not(string code) => Assert.Empty(Connecting(code));

    private static IEnumerable<string> Connecting(string code) =>
        code.Split('\n')
            .Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal))
            .SelectMany(line => WaysToConnect().Matches(line))
            .Select(match => match.Value);

    // The domain's Transfer has a Connect of its own, whose first argument is a length.
    [GeneratedRegex(
        @"\b(HttpClient|HttpMessageInvoker|SocketsHttpHandler|HttpClientHandler|IHttpClientFactory|AddHttpClient|HttpWebRequest|WebRequest|WebClient" +
        @"|TcpClient|UdpClient|SmtpClient|ClientWebSocket|QuicConnection)\b|\bDns\.|(?<=\b\w*[sS]ocket)\.(Connect\(|ConnectAsync\b)",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex WaysToConnect();

    private static string SourceRoot([CallerFilePath] string file = "")
    {
        var directory = new FileInfo(file).Directory;
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Vitrine.slnx")))
            directory = directory.Parent;

        return Path.Combine(directory?.FullName ?? throw new InvalidOperationException("The solution is not above its tests."), "src");
    }
}
