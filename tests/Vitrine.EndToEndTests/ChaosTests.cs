using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Npgsql;
using Vitrine.Client;
using Vitrine.Testing;
using Vitrine.Testing.Sources;

namespace Vitrine.EndToEndTests;

/// <summary>
/// Three nodes on one database and one store, of which something is always broken, bring every image to its end.
/// VITRINE_CHAOS_SECONDS says how long at least (<c>./test chaos</c>), VITRINE_CHAOS_STORE of what kind the store is; the usual run is one short round. VITRINE_CHAOS_FAILOVER has the
/// database fail over once.
/// </summary>
public sealed class ChaosTests(PostgresServer postgres)
{
    private const int Nodes = 3;
    private const double MostFetched = 1.05;
    private const int Rate = 1 << 20;

    // Whatever breaks costs what came since the last checkpoint, about a second before, of what the node was bringing.
    private const int MostLost = 2 * Rate;

    private static readonly TimeSpan LastWord = TimeSpan.FromMinutes(2);

    private static readonly string? Seconds = Environment.GetEnvironmentVariable("VITRINE_CHAOS_SECONDS");

    private static TimeSpan Duration => TimeSpan.FromSeconds(int.Parse(Seconds ?? "0"));

    private static int Imports => Seconds is null ? 10 : 30;

    private static int Uploads => Seconds is null ? 4 : 10;

    private static bool FailsOver => Environment.GetEnvironmentVariable("VITRINE_CHAOS_FAILOVER") is not null;

    private static string Kind => Environment.GetEnvironmentVariable("VITRINE_CHAOS_STORE") ?? "directory";

    [Fact]
    public async Task Every_image_arrives_whole_whatever_breaks()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("VITRINE_CHAOS_SEED") ?? $"{Environment.TickCount}");
        var store = Directory.CreateTempSubdirectory("vitrine-chaos-");
        var tally = new Tally();
        try
        {
            await using var mirror = ScriptedHttpServer.Start();
            await using var databases = FailsOver ? await PostgresPair.StartAsync() : null;
            await using var house = await House.StartAsync(databases?.ConnectionString ?? await postgres.CreateDatabaseAsync(Stop), Kind, store, tally);
            var began = Stopwatch.GetTimestamp();
            await RunRoundAsync(
                house, mirror, tally, new Random(seed), random => databases is null ? Task.CompletedTask : FailOverAsync(databases, random, tally));
            while (Stopwatch.GetElapsedTime(began) < Duration)
                await RunRoundAsync(house, mirror, tally, new Random(seed + tally.Images), _ => Task.CompletedTask);

            Assert.Empty(tally.Faults);
            Assert.True(tally.Fetched <= tally.Size * MostFetched + (long)tally.Breakages.Values.Sum() * MostLost, $"{tally.Fetched} bytes were fetched for {tally.Size}");
            if (Kind is "directory")
                Assert.Empty(Directory.GetFiles(Path.Combine(store.FullName, "staging")));
        }
        finally
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}: {tally}");
            store.Delete(recursive: true);
        }
    }

    private static async Task FailOverAsync(PostgresPair databases, Random random, Tally tally)
    {
        await Task.Delay(TimeSpan.FromSeconds(random.Next(4, 10)), TimeProvider.System, Stop);
        tally.Count("failed over");
        await databases.FailOverAsync();
    }

    /// <param name="meanwhile">Happens while images are on their way.</param>
    private static async Task RunRoundAsync(House house, ScriptedHttpServer mirror, Tally tally, Random random, Func<Random, Task> meanwhile)
    {
        using var client = house.NewClient();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var files = new ConcurrentDictionary<string, ScriptedFile>(StringComparer.Ordinal);
        for (var i = 0; i < Imports; i++)
        {
            var path = $"/{tally.Images}/{i}.img";
            var file = mirror.Serve(path, ScriptedContent.Generated(random.Next(4 << 20, 16 << 20), (ulong)random.NextInt64()));
            file.BytesPerSecond = Rate;
            var created = await client.CreateImageAsync(
                new ImageCreate { Name = $"import {tally.Images}-{i}", Source = new ImageSource { Url = mirror.AddressOf(path).ToString() } }, Stop);
            files[created.Image.Id] = file;
        }

        var chaos = house.BreakAsync(random.Next(), over.Token);
        var happening = meanwhile(random);
        var spying = SpyAsync(house, files, tally, over.Token);
        var uploads = Enumerable.Range(0, Uploads).Select(i => PushAsync(house, $"upload {tally.Images}-{i}", random.Next(), tally)).ToList();
        await Task.WhenAll([happening, .. uploads]);
        await WhenAsync(
            async () => (await client.ListImagesAsync([], Stop).ToListAsync(Stop)).All(i => i.Status is not "importing"),
            async () => await client.ListTransfersAsync([], Stop).Where(t => !t.IsOver).Select(t => $"{t.Id} {t.State} {t.Step} on {t.Node}: {t.Moved} of {t.Length}, {t.Failure?.Code} {t.Waiting}").ToListAsync(Stop));
        await over.CancelAsync();
        await chaos;
        await spying;

        foreach (var (id, file) in files)
            tally.Add(await client.GetImageAsync(id, Stop), file.Content.Sum(HashAlgorithmName.SHA256), file.BytesSent, file.Content.Length);
    }

    /// <summary>A client that sends a file over whatever node the balancer gives it.</summary>
    private static async Task PushAsync(House house, string name, int seed, Tally tally)
    {
        using var client = house.NewClient();
        var path = Path.GetTempFileName();
        try
        {
            var bytes = new byte[new Random(seed).Next(4 << 20, 12 << 20)];
            new Random(seed).NextBytes(bytes);
            await File.WriteAllBytesAsync(path, bytes, Stop);
            var created = await PatientlyAsync(() => client.CreateImageAsync(new ImageCreate { Name = name, Upload = new UploadRequest { Length = bytes.Length } }, Stop));
            var image = await client.PushAsync(created.Upload!.Transfer, path, progress: null, Stop);
            var transfer = await PatientlyAsync(() => client.GetTransferAsync(created.Upload.Transfer, Stop));
            tally.Add(image, Convert.ToHexStringLower(SHA256.HashData(bytes)), transfer.Fetched, bytes.Length);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Looks all the time whether anything but the whole can be read.</summary>
    private static async Task SpyAsync(House house, IReadOnlyDictionary<string, ScriptedFile> files, Tally tally, CancellationToken over)
    {
        using var http = new HttpClient(new SocketsHttpHandler()) { Timeout = TimeSpan.FromSeconds(10) };
        using var client = house.NewClient();
        while (!over.IsCancellationRequested)
        {
            try
            {
                var token = await client.LogInAsync(ServerProcess.Administrator, over);
                http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Token);
                foreach (var (id, file) in files)
                {
                    using var answer = await http.GetAsync(new Uri($"{house.Url}/api/v1/images/{id}/file"), over);
                    if (!answer.IsSuccessStatusCode)
                        continue;

                    tally.Reads++;
                    if (Convert.ToHexStringLower(SHA256.HashData(await answer.Content.ReadAsByteArrayAsync(over))) != file.Content.Sum(HashAlgorithmName.SHA256))
                        tally.Faults.Enqueue($"image {id} gave other bytes than its own");
                }
            }
            catch (Exception end) when (end is LibraryClientException or HttpRequestException or IOException or OperationCanceledException)
            {
                // Its node is away, or the round is over.
            }
        }
    }

    private static async Task WhenAsync(Func<Task<bool>> isSo, Func<Task<List<string>>> whatIsNot)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await PatientlyAsync(isSo))
        {
            if (Stopwatch.GetElapsedTime(began) > LastWord)
                Assert.Fail(string.Join('\n', await PatientlyAsync(whatIsNot)));
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, Stop);
        }
    }

    /// <summary>Asks again where the node that was asked went away.</summary>
    private static async Task<T> PatientlyAsync<T>(Func<Task<T>> ask)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return await ask();
            }
            catch (LibraryClientException failure) when (failure.MayPass && Stopwatch.GetElapsedTime(began) < LastWord)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Stop);
            }
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>What came of it all.</summary>
    private sealed class Tally
    {
        public ConcurrentQueue<string> Faults { get; } = [];
        public ConcurrentDictionary<string, int> Breakages { get; } = [];
        public int Images { get; private set; }
        public int Reads { get; set; }
        public long Fetched { get; private set; }
        public long Size { get; private set; }

        public void Count(string breakage) => Breakages.AddOrUpdate(breakage, 1, (_, n) => n + 1);

        public void Add(ImageRecord image, string digest, long fetched, long size)
        {
            lock (Faults)
            {
                (Images, Fetched, Size) = (Images + 1, Fetched + fetched, Size + size);
                if ((image.Status, image.Sha256) != ("active", digest))
                    Faults.Enqueue($"{image.Name} is {image.Status}: {image.Failure?.Code} {image.Failure?.Cause}");
            }
        }

        public override string ToString() =>
            $"{Images} images of {Size} bytes, {Fetched} fetched ({(double)Fetched / Size:P1}), read {Reads} times meanwhile; "
            + string.Join(", ", Breakages.OrderBy(b => b.Key, StringComparer.Ordinal).Select(b => $"{b.Value} times {b.Key}")) + $"; {Faults.Count} faults";
    }

    /// <summary>Three nodes behind a balancer, each on a way of its own to the database.</summary>
    private sealed class House : IAsyncDisposable
    {
        private readonly List<Node> _nodes = [];
        private readonly Tally _tally;
        private NetworkLink _balancer = null!;

        private House(Tally tally) => _tally = tally;

        public string Url => $"http://127.0.0.1:{_balancer.Port}";

        public static async Task<House> StartAsync(string catalogue, string kind, DirectoryInfo store, Tally tally)
        {
            var house = new House(tally);
            for (var i = 1; i <= Nodes; i++)
            {
                var database = new NpgsqlConnectionStringBuilder(catalogue);
                List<NetworkLink> links = [.. database.Host!.Split(',').Select(host => NetworkLink.To(host.Contains(':', StringComparison.Ordinal) ? int.Parse(host.Split(':')[1]) : database.Port))];
                database.Host = string.Join(',', links.Select(link => $"127.0.0.1:{link.Port}"));
                house._nodes.Add(new Node(
                    await ServerProcess.StartAsync(new Dictionary<string, string>
                    {
                        ["VITRINE_SERVER__NODENAME"] = $"node-{i}",
                        ["VITRINE_CATALOGUE__CONNECTIONSTRING"] = database.ToString(),
                        ["VITRINE_STORES__shared__KIND"] = kind,
                        ["VITRINE_STORES__shared__PATH"] = store.FullName,
                        ["VITRINE_LIBRARY__CONCURRENTTRANSFERSPERSOURCE"] = $"{Imports}",
                    }),
                    links));
            }

            house._balancer = NetworkLink.To([.. house._nodes.Select(n => n.Server.Port)]);
            return house;
        }

        public LibraryClient NewClient() => new(new Uri(Url), new LibraryClientOptions { Credentials = ServerProcess.Administrator, Patience = LastWord });

        /// <summary>Breaks something of each node every few seconds, and mends it, until it is over.</summary>
        public Task BreakAsync(int seed, CancellationToken over) => Task.WhenAll(_nodes.Select((node, i) => BreakAsync(node, new Random(seed + i), over)));

        public async ValueTask DisposeAsync()
        {
            foreach (var node in _nodes)
            {
                await TellUnexpectedAsync(node.Server);
                await node.Server.DisposeAsync();
                foreach (var link in node.ToDatabases)
                    await link.DisposeAsync();
            }

            await _balancer.DisposeAsync();
        }

        /// <summary>What the log of a node has that nobody expects, before it goes with the node.</summary>
        private static async Task TellUnexpectedAsync(ServerProcess server)
        {
            foreach (var line in (await File.ReadAllLinesAsync(Path.Combine(server.Data, "server.log"), Stop)).Where(l => l.Contains("unexpected error", StringComparison.Ordinal)).TakeLast(3))
                TestContext.Current.TestOutputHelper?.WriteLine(line);
        }

        private async Task BreakAsync(Node node, Random random, CancellationToken over)
        {
            while (await PassesAsync(Between(random, 3, 9), over))
            {
                var (breakage, task) = random.Next(8) switch
                {
                    < 4 => ("killed", KillAsync(node.Server, Between(random, 0, 3))),
                    4 => ("stopped", StopAsync(node.Server, Between(random, 21, 26))),
                    5 => ("stopped for a moment", StopAsync(node.Server, Between(random, 1, 5))),
                    6 => ("cut off", BreakLinksAsync(node, LinkState.Cut, Between(random, 1, 10))),
                    _ => ("without an answer", BreakLinksAsync(node, LinkState.Silent, Between(random, 1, 25))),
                };
                _tally.Count(breakage);
                await task;
            }
        }

        private async Task KillAsync(ServerProcess server, TimeSpan rest)
        {
            _balancer.Avoid(server.Port);
            await server.KillAsync();
            await Task.Delay(rest, TimeProvider.System, Stop);
            while (!await TryStartAsync(server))
                _tally.Count("not started, as no database was there");
            _balancer.Use(server.Port);
        }

        /// <summary>Whoever keeps services running starts one again that ended.</summary>
        private static async Task<bool> TryStartAsync(ServerProcess server)
        {
            try
            {
                await server.StartAgainAsync();
                return true;
            }
            catch (Exception failure) when (failure is InvalidOperationException or TimeoutException or TaskCanceledException)
            {
                await server.KillAsync();
                return false;
            }
        }

        private async Task StopAsync(ServerProcess server, TimeSpan rest)
        {
            _balancer.Avoid(server.Port);
            Signals.Stop(server.ProcessId);
            await Task.Delay(rest, TimeProvider.System, Stop);
            Signals.Continue(server.ProcessId);
            _balancer.Use(server.Port);
        }

        private async Task BreakLinksAsync(Node node, LinkState state, TimeSpan rest)
        {
            _balancer.Avoid(node.Server.Port);
            node.ToDatabases.ForEach(link => link.State = state);
            await Task.Delay(rest, TimeProvider.System, Stop);
            node.ToDatabases.ForEach(link => link.State = LinkState.Whole);
            _balancer.Use(node.Server.Port);
        }

        /// <param name="ToDatabases">Its ways to the primary and to what follows it.</param>
        private sealed record Node(ServerProcess Server, List<NetworkLink> ToDatabases);

        private static TimeSpan Between(Random random, int least, int most) => TimeSpan.FromSeconds(least + (random.NextDouble() * (most - least)));

        /// <returns>False where it is over before.</returns>
        private static async Task<bool> PassesAsync(TimeSpan time, CancellationToken over)
        {
            await Task.Delay(time, TimeProvider.System, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return !over.IsCancellationRequested;
        }
    }
}
