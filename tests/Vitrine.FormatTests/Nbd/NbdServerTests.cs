using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vitrine.Nbd;
using Vitrine.Testing;
using static Vitrine.FormatTests.Nbd.NbdClient;

namespace Vitrine.FormatTests.Nbd;

public sealed class NbdServerTests
{
    private const long Size = 64L << 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_unix_socket_is_its_owners_and_goes_with_the_server()
    {
        string path;
        await using (var host = new NbdHost(() => new PatternDisk(Size)))
        {
            path = host.SocketPath;
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(path).UnixFileMode);
            await host.Server.StopAsync(Stop);
            Assert.False(File.Exists(path));
        }
    }

    [Fact]
    public async Task A_socket_that_a_killed_server_left_is_replaced_and_nothing_else()
    {
        await using var host = new NbdHost(() => new PatternDisk(Size));
        var (path, made) = (Path.Combine(host.Root, "other.sock"), Path.Combine(host.Root, "made.sock"));
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(made));
            socket.Listen();
            // Under its own name it would go with the socket.
            File.Move(made, path);
            Assert.Throws<IOException>(() => Start(path));
        }

        Assert.True(File.Exists(path));
        await using (Start(path))
            await (await OpenAsync(new UnixDomainSocketEndPoint(path))).DisposeAsync();

        await File.WriteAllTextAsync(path, "precious", Stop);
        Assert.Throws<IOException>(() => Start(path));
        Assert.Equal("precious", await File.ReadAllTextAsync(path, Stop));

        NbdServer Start(string at)
        {
            var server = new NbdServer(
                new NbdServerOptions { Endpoints = [new UnixDomainSocketEndPoint(at)] }, host, TimeProvider.System, NullLogger<NbdServer>.Instance);
            server.Start();
            return server;
        }
    }

    [Fact]
    public async Task Where_one_endpoint_is_taken_none_is_kept()
    {
        await using var host = new NbdHost(() => new PatternDisk(Size));
        var path = Path.Combine(host.Root, "other.sock");
        await using var server = new NbdServer(
            new NbdServerOptions { Endpoints = [new UnixDomainSocketEndPoint(path), host.Tcp] }, host, TimeProvider.System, NullLogger<NbdServer>.Instance);
        Assert.ThrowsAny<SocketException>(server.Start);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task More_clients_than_allowed_are_turned_away()
    {
        await using var host = new NbdHost(() => new PatternDisk(Size), options => options with { MaxConnections = 2 });
        await using var first = await OpenAsync(host.Unix);
        await using (var second = await OpenAsync(host.Tcp))
        {
            await using var third = await ConnectAsync(host.Unix);
            await third.CloseAsync();
            await second.SendAsync(Request(Disconnect));
            await second.CloseAsync();
        }

        Assert.Equal(PatternDisk.Bytes(8, 8), await first.ReadAsync(8, 8));
    }

    // Each is silent at another place; none gets further before the limit is over.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(15)]
    [InlineData(22)]
    public async Task A_client_that_does_not_come_to_the_point_is_hung_up_on(int said)
    {
        var clock = new ManualClock();
        await using var host = new NbdHost(() => new PatternDisk(Size), time: clock);
        await using var patient = await OpenAsync(host.Unix);
        await using var client = await ConnectAsync(host.Unix);
        await client.ReceiveAsync(18);
        await client.SendAsync(new byte[] { 0, 0, 0, 3 }.Concat(Option(Go, Export("disk"))).Take(said).ToArray());

        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(PatternDisk.Bytes(8, 8), await patient.ReadAsync(8, 8));
        clock.Advance(TimeSpan.FromSeconds(3));
        await client.CloseAsync();
        Assert.Equal(PatternDisk.Bytes(8, 8), await patient.ReadAsync(8, 8));
    }

    [Fact]
    public async Task A_client_that_asks_for_nothing_is_hung_up_on_where_the_operator_says_so()
    {
        var clock = new ManualClock();
        await using var host = new NbdHost(() => new PatternDisk(Size), options => options with { IdleLimit = TimeSpan.FromMinutes(10) }, clock);
        await using var client = await OpenAsync(host.Unix);
        clock.Advance(TimeSpan.FromMinutes(9));
        await client.ReadAsync(8, 8);
        clock.Advance(TimeSpan.FromMinutes(9));
        await client.ReadAsync(8, 8);
        clock.Advance(TimeSpan.FromMinutes(11));
        await client.CloseAsync();
    }

    [Fact]
    public async Task A_client_that_takes_no_replies_is_read_no_further_and_hung_up_on()
    {
        var (clock, reads) = (new ManualClock(), 0);
        await using var host = new NbdHost(
            () => new PatternDisk(Size, _ =>
            {
                Interlocked.Increment(ref reads);
                return Task.CompletedTask;
            }), time: clock);
        await using var other = await OpenAsync(host.Unix);
        await using var client = await OpenAsync(host.Unix);

        // 512 MiB are asked for, in pieces of 256 KiB; 8 MiB and what the system keeps for a socket is what is ever read.
        await client.SendAsync(Enumerable.Repeat(Request(Read, 0, 32 << 20), 16).SelectMany(r => r).ToArray());
        await client.ReceiveAsync(1);
        Assert.Equal(PatternDisk.Bytes(8, 8), await other.ReadAsync(8, 8));
        Assert.InRange(Volatile.Read(ref reads), 1, 100);

        clock.Advance(TimeSpan.FromMinutes(6));
        await client.CloseAsync();
        Assert.Equal(PatternDisk.Bytes(8, 8), await other.ReadAsync(8, 8));
    }

    [Fact]
    public async Task A_server_that_stops_answers_what_is_under_way()
    {
        var (gate, begun) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var host = new NbdHost(() => new PatternDisk(Size, _ =>
        {
            begun.TrySetResult();
            return gate.Task;
        }));
        await using var silent = await ConnectAsync(host.Tcp);
        await using var client = await OpenAsync(host.Tcp);
        await client.SendAsync(Request(Read, 0, 512));
        await begun.Task.WaitAsync(Stop);

        var stopped = host.Server.StopAsync(Stop);
        await silent.CloseAsync();
        Assert.False(stopped.IsCompleted);
        gate.SetResult();
        Assert.Equal(PatternDisk.Bytes(0, 512), (await client.ReceiveChunkAsync()).Data[8..]);
        await client.CloseAsync();
        await stopped;
        await Assert.ThrowsAnyAsync<SocketException>(() => ConnectAsync(host.Tcp));
    }

    [Fact]
    public async Task A_server_that_may_not_wait_cuts_off()
    {
        await using var host = new NbdHost(() => new PatternDisk(Size, _ => new TaskCompletionSource().Task));
        await using var client = await OpenAsync(host.Unix);
        await client.SendAsync(Request(Read, 0, 512));
        await host.Server.StopAsync(new CancellationToken(canceled: true));
        await client.CloseAsync();
    }

    [Fact]
    public async Task Names_are_not_logged()
    {
        var log = new Lines();
        await using (var host = new NbdHost(() => new PatternDisk(Size), logger: log))
        {
            foreach (var name in new[] { "disk", "secret-ticket", "broken" })
            {
                await using var client = await ConnectAsync(host.Unix);
                await client.GreetAsync();
                await client.AskAsync(Go, Export(name));
                await client.SendAsync(new byte[28]);
                await client.CloseAsync();
            }
        }

        Assert.NotEmpty(log.All);
        Assert.DoesNotContain(log.All, line => line.Contains("disk\"") || line.Contains("secret-ticket") || line.Contains("broken"));
    }

    [Theory]
    [InlineData("endpoint")]
    [InlineData("certificate")]
    [InlineData("connections")]
    [InlineData("limit")]
    public void Options_that_make_no_server_are_refused(string fault)
    {
        var options = new NbdServerOptions { Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)] };
        options = fault switch
        {
            "endpoint" => options with { Endpoints = [] },
            "certificate" => options with { Tls = NbdTls.Optional },
            "connections" => options with { MaxConnections = 0 },
            _ => options with { HandshakeLimit = TimeSpan.Zero },
        };
        Assert.Contains(fault, Assert.Throws<ArgumentException>(() =>
            new NbdServer(options, null!, TimeProvider.System, NullLogger<NbdServer>.Instance)).Message);
    }

    private sealed class Lines : ILogger<NbdServer>
    {
        public ConcurrentQueue<string> All { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue($"{formatter(state, exception)} {exception}");
    }
}
