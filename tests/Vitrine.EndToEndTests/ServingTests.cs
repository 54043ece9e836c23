using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Vitrine.Client;
using Vitrine.Testing.Sources;

namespace Vitrine.EndToEndTests;

/// <summary>Bodies that the kernel sends from a file, between answers that it does not, on connections that stay open.</summary>
public sealed class ServingTests
{
    private const int Length = 5_000_003;

    [Fact]
    public async Task Answers_keep_their_order_and_their_bytes_when_requests_are_sent_ahead()
    {
        await using var mirror = ScriptedHttpServer.Start();
        await using var server = await ServerProcess.StartAsync();
        using var client = server.NewClient();
        var (image, expected) = await ImportAsync(mirror, client);
        var token = (await client.LogInAsync(new TokenRequest { User = "admin", Password = server.OpenStackEnvironment["OS_PASSWORD"], Project = "admin" }, Stop)).Token;
        (string Path, string? Range, ReadOnlyMemory<byte>? Body)[] exchanges =
        [
            ($"/api/v1/images/{image}/file", "bytes=0-0", expected.AsMemory(0, 1)),
            ("/healthz", null, "ok\n"u8.ToArray()),
            ($"/api/v1/images/{image}/file", "bytes=1000000-4999999", expected.AsMemory(1_000_000, 4_000_000)),
            ($"/image/v2/images/{image}/file", null, expected),
            ($"/api/v1/images/{image}", null, null),
            ($"/api/v1/images/{image}/file", "bytes=-5", expected.AsMemory(Length - 5)),
            ($"/api/v1/images/{image}/file", $"bytes={Length}-", null),
            ("/healthz", null, "ok\n"u8.ToArray()),
        ];

        using var connection = new TcpClient("127.0.0.1", server.Port);
        await using var stream = connection.GetStream();
        var requests = string.Concat(exchanges.Select(e =>
            $"GET {e.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Auth-Token: {token}\r\nAuthorization: Bearer {token}\r\n{(e.Range is null ? "" : $"Range: {e.Range}\r\n")}\r\n"));
        await stream.WriteAsync(Encoding.ASCII.GetBytes(requests), Stop);

        foreach (var (path, range, body) in exchanges)
        {
            var answer = await ReadAnswerAsync(stream);
            if (body is { } bytes)
                Assert.True(bytes.Span.SequenceEqual(answer), $"{path} {range}");
        }
    }

    [Fact]
    public async Task A_client_that_goes_away_in_the_middle_disturbs_nobody()
    {
        await using var mirror = ScriptedHttpServer.Start();
        await using var server = await ServerProcess.StartAsync();
        using var client = server.NewClient();
        var (image, expected) = await ImportAsync(mirror, client);
        var token = (await client.LogInAsync(new TokenRequest { User = "admin", Password = server.OpenStackEnvironment["OS_PASSWORD"], Project = "admin" }, Stop)).Token;
        var request = Encoding.ASCII.GetBytes($"GET /api/v1/images/{image}/file HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n");

        for (var round = 0; round < 20; round++)
        {
            using var gone = new TcpClient("127.0.0.1", server.Port) { LingerState = new LingerOption(true, 0) };
            await gone.GetStream().WriteAsync(request, Stop);
            await gone.GetStream().ReadExactlyAsync(new byte[1000 * round], Stop);
        }

        using var stays = new TcpClient("127.0.0.1", server.Port);
        await stays.GetStream().WriteAsync(request, Stop);
        Assert.Equal(expected, await ReadAnswerAsync(stays.GetStream()));
    }

    private static async Task<(string Image, byte[] Bytes)> ImportAsync(ScriptedHttpServer mirror, LibraryClient client)
    {
        var expected = new byte[Length];
        for (var i = 0; i <= Length - 4; i += 4)
            BinaryPrimitives.WriteInt32LittleEndian(expected.AsSpan(i), i * 7919);
        mirror.Serve("/disk.img", ScriptedContent.Of(expected));
        var created = await client.CreateImageAsync(
            new ImageCreate { Name = "served", Source = new ImageSource { Url = mirror.AddressOf("/disk.img").ToString() } }, Stop);
        await foreach (var transfer in client.WatchTransferAsync(created.Transfer!.Id, Stop))
            Assert.NotEqual("failed", transfer.State);
        return (created.Image.Id, expected);
    }

    /// <summary>Reads one answer and not a byte more.</summary>
    private static async Task<byte[]> ReadAnswerAsync(NetworkStream stream)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (!Encoding.ASCII.GetString([.. head.TakeLast(4)]).Equals("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one, Stop);
            head.Add(one[0]);
        }

        var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n");
        if (lines.FirstOrDefault(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)) is { } length)
        {
            var body = new byte[int.Parse(length.Split(':')[1], CultureInfo.InvariantCulture)];
            await stream.ReadExactlyAsync(body, Stop);
            return body;
        }

        Assert.Contains("Transfer-Encoding: chunked", lines);
        var all = new List<byte>();
        while (true)
        {
            var size = int.Parse(await ReadLineAsync(stream), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var chunk = new byte[size];
            await stream.ReadExactlyAsync(chunk, Stop);
            all.AddRange(chunk);
            await ReadLineAsync(stream);
            if (size == 0)
                return [.. all];
        }
    }

    private static async Task<string> ReadLineAsync(NetworkStream stream)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (one[0] != '\n')
        {
            await stream.ReadExactlyAsync(one, Stop);
            line.Append((char)one[0]);
        }

        return line.ToString().TrimEnd('\r', '\n');
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
