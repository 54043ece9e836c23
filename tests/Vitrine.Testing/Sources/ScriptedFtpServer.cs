using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Vitrine.Testing.Sources;

/// <summary>An FTP server on 127.0.0.1 that does what a test tells it to, and what no decent server would do.</summary>
/// <remarks>Of a <see cref="ScriptedFile"/> it heeds the content, the mark (as the time of the last change), ranges, cuts and stalls.</remarks>
public sealed class ScriptedFtpServer : IAsyncDisposable
{
    private const int PieceLength = 64 * 1024;
    private static readonly DateTimeOffset Changed = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, ScriptedFile> _files = new();
    private readonly ConcurrentBag<Task> _talks = [];
    private readonly ConcurrentQueue<string> _commands = new();
    private readonly Task _accepting;

    public ScriptedFtpServer()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The name and password, with a colon between, that are let in; null for everybody.</summary>
    public string? Login { get; set; }

    /// <summary>Sent in place of the true reply to a command, as it stands here and with an end of line after it.</summary>
    public ConcurrentDictionary<string, string> Replies { get; } = new();

    /// <summary>The first reply, with which the server greets.</summary>
    public string Greeting { get; set; } = "220 Scripted";

    /// <summary>All that clients said, in order.</summary>
    public IReadOnlyList<string> Commands => [.. _commands];

    public ScriptedFile Serve(string path, ScriptedContent content) => _files[path] = new ScriptedFile(content);

    public Uri AddressOf(string path, string host = "127.0.0.1", string? login = null) =>
        new($"ftp://{(login is null ? "" : login + "@")}{host}:{Port}{path}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_talks);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _talks.Add(TalkAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task TalkAsync(TcpClient client)
    {
        using var control = client;
        using var data = new TcpListener(IPAddress.Loopback, 0);
        data.Start();
        try
        {
            await new Session(this, control.GetStream(), data).TalkAsync(_stop.Token);
        }
        catch (Exception end) when (end is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The client had enough, or the test is over.
        }
    }

    private sealed class Session(ScriptedFtpServer server, NetworkStream control, TcpListener data)
    {
        private string _user = "";
        private string _folder = "";
        private long _offset;

        public async Task TalkAsync(CancellationToken stop)
        {
            if (server._files.Values.FirstOrDefault(f => f.StallBeforeAnswer) is { } stalled)
                await stalled.StandStillAsync(stop);

            await SayAsync(server.Greeting, stop);
            using var lines = new StreamReader(control, Encoding.UTF8, leaveOpen: true);
            while (await lines.ReadLineAsync(stop) is { } line)
            {
                server._commands.Enqueue(line);
                var parts = line.Split(' ', 2);
                var argument = parts.Length > 1 ? parts[1] : "";
                if (server.Replies.TryGetValue(parts[0], out var reply))
                    await SayAsync(reply, stop);
                else if (parts[0] == "RETR")
                    await GiveAsync(argument, stop);
                else
                    await SayAsync(Answer(parts[0], argument), stop);
            }
        }

        private string Answer(string command, string argument)
        {
            switch (command)
            {
                case "USER":
                    _user = argument;
                    return "331 And the password?";
                case "PASS":
                    return server.Login is null || server.Login == $"{_user}:{argument}" ? "230 Come in" : "530 No";
                case "PWD":
                    return "257 \"/\"";
                case "CWD":
                    _folder = argument.StartsWith('/') ? argument.TrimEnd('/') : $"{_folder}/{argument}";
                    return "250 Here";
                case "TYPE":
                    return "200 Yes";
                case "EPSV":
                    return $"229 Come (|||{((IPEndPoint)data.LocalEndpoint).Port}|)";
                case "MDTM" when Find(argument) is { } file:
                    var modified = Changed.AddSeconds(int.Parse(file.ETag!.Trim('"'), CultureInfo.InvariantCulture));
                    return $"213 {modified.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture)}";
                case "SIZE" when Find(argument) is { } file:
                    return $"213 {file.DeclaredLength ?? file.Content.Length}";
                case "REST" when server._files.Values.All(file => file.Ranges):
                    _offset = long.Parse(argument, CultureInfo.InvariantCulture);
                    return "350 From there";
                case "MDTM" or "SIZE":
                    return "550 No such file";
                default:
                    return "502 What?";
            }
        }

        private async Task GiveAsync(string name, CancellationToken stop)
        {
            if (Find(name) is not { } file)
            {
                await SayAsync("550 No such file", stop);
                return;
            }

            await SayAsync("150 It comes", stop);
            using var body = await data.AcceptTcpClientAsync(stop);
            var cut = file.CutAfter(null!) is { } after ? Math.Min(file.Content.Length, _offset + after) : file.Content.Length;
            for (var piece = new byte[PieceLength]; _offset < cut;)
            {
                var stall = file.StallAfter is { } at && at >= _offset ? at : cut;
                var count = (int)Math.Min(PieceLength, Math.Min(cut, stall == _offset ? cut : stall) - _offset);
                if (stall == _offset)
                    await file.StandStillAsync(stop);
                file.Content.Read(_offset, piece.AsSpan(0, count));
                await body.GetStream().WriteAsync(piece.AsMemory(0, count), stop);
                file.Sent(count);
                _offset += count;
            }

            if (cut < file.Content.Length)
                throw new IOException("The file was cut.");

            _offset = 0;
            body.Close();
            await SayAsync("226 That is all", stop);
        }

        private ScriptedFile? Find(string name) => server._files.GetValueOrDefault($"{_folder}/{name}");

        private Task SayAsync(string line, CancellationToken stop) => control.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"), stop).AsTask();
    }
}
