using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Vitrine.Client;
using Vitrine.Testing;
using Vitrine.Testing.Sources;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace Vitrine.EndToEndTests;

/// <summary>Several nodes on one PostgreSQL and one store.</summary>
public sealed class NodesTests(PostgresServer postgres)
{
    /// <summary>Slow enough for progress to be told before a source stands still: it is told once a second.</summary>
    private const int Pace = 3 << 20;

    [Fact]
    public async Task What_a_dead_node_left_another_brings_to_its_end()
    {
        var catalogue = await postgres.CreateDatabaseAsync(Stop);
        var store = Directory.CreateTempSubdirectory("vitrine-shared-");
        try
        {
            await using var mirror = ScriptedHttpServer.Start();
            await using var one = await StartAsync("one", catalogue, store);
            using var toOne = one.NewClient();
            var file = mirror.Serve("/disk.img", ScriptedContent.Generated(16 << 20));
            // The source stands still in the middle, however long the second node takes to start.
            file.StallAfter = 6 << 20;
            file.BytesPerSecond = Pace;
            var created = await toOne.CreateImageAsync(
                new ImageCreate { Name = "orphan", Source = new ImageSource { Url = mirror.AddressOf("/disk.img").ToString() } }, Stop);
            await WhenAsync(async () => (await toOne.GetTransferAsync(created.Transfer!.Id, Stop)).Moved > 2 << 20);

            await using var two = await StartAsync("two", catalogue, store);
            using var toTwo = two.NewClient();
            await one.KillAsync();
            file.StallAfter = null;
            file.BytesPerSecond = null;
            file.Release();
            await WhenAsync(async () => (await toTwo.GetImageAsync(created.Image.Id, Stop)).Status == "active");

            var transfer = await toTwo.GetTransferAsync(created.Transfer!.Id, Stop);
            Assert.Equal(("done", "two"), (transfer.State, transfer.Node));
            Assert.Equal(file.Content.Sum(HashAlgorithmName.SHA256), (await toTwo.GetImageAsync(created.Image.Id, Stop)).Sha256);
            Assert.True(file.BytesSent <= file.Content.Length * 1.1, $"{file.BytesSent} bytes were sent in all");
            Assert.Equal(
                [("one", "silent"), ("two", "up")],
                (await toTwo.ListNodesAsync(Stop)).OrderBy(n => n.Name).Select(n => (n.Name, n.State)));
        }
        finally
        {
            store.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task One_node_answers_clients_and_another_brings_the_content()
    {
        var catalogue = await postgres.CreateDatabaseAsync(Stop);
        var store = Directory.CreateTempSubdirectory("vitrine-shared-");
        try
        {
            await using var mirror = ScriptedHttpServer.Start();
            await using var api = await StartAsync("front", catalogue, store, roles: "api");
            await using var worker = await StartAsync("worker", catalogue, store, roles: "transfer");
            using var client = api.NewClient();
            mirror.Serve("/disk.img", ScriptedContent.Generated(1 << 20));
            var created = await client.CreateImageAsync(
                new ImageCreate { Name = "imported", Source = new ImageSource { Url = mirror.AddressOf("/disk.img").ToString() } }, Stop);
            var done = await client.WatchTransferAsync(created.Transfer!.Id, Stop).LastAsync(Stop);
            Assert.Equal(("done", "worker"), (done.State, done.Node));
            Assert.Equal(
                [("front", "api"), ("worker", "transfer")],
                (await client.ListNodesAsync(Stop)).Select(n => (n.Name, string.Join(',', n.Roles))));

            // The worker has the addresses of uploads, and no other face.
            using var http = new HttpClient(new SocketsHttpHandler());
            Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri($"{worker.Url}/api/v1/images"), Stop)).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri($"{worker.Url}/identity/v3"), Stop)).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri($"{worker.Url}/metrics"), Stop)).StatusCode);
            var upload = await client.CreateImageAsync(new ImageCreate { Name = "sent", Upload = new UploadRequest { Length = 3 } }, Stop);
            using var request = new HttpRequestMessage(HttpMethod.Patch, new Uri($"{worker.Url}{upload.Upload!.Url}"))
            {
                Content = new ByteArrayContent([1, 2, 3]) { Headers = { ContentType = new("application/offset+octet-stream") } },
                Headers = { { "Tus-Resumable", "1.0.0" }, { "Upload-Offset", "0" } },
            };
            request.Headers.Authorization = new("Bearer", await TokenAsync(http, api));
            Assert.Equal(HttpStatusCode.NoContent, (await http.SendAsync(request, Stop)).StatusCode);
            Assert.Equal("active", (await client.GetImageAsync(upload.Image.Id, Stop)).Status);
        }
        finally
        {
            store.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_store_that_is_added_on_one_node_is_used_by_the_other_without_a_restart_of_either()
    {
        var catalogue = await postgres.CreateDatabaseAsync(Stop);
        var store = Directory.CreateTempSubdirectory("vitrine-shared-");
        var later = Directory.CreateTempSubdirectory("vitrine-later-");
        try
        {
            await using var mirror = ScriptedHttpServer.Start();
            await using var front = await StartAsync("front", catalogue, store, roles: "api", storePath: later.FullName);
            await using var worker = await StartAsync("worker", catalogue, store, roles: "transfer", storePath: later.FullName);
            using var client = front.NewClient();
            var path = later.CreateSubdirectory("store").FullName;
            await VitrineAsync(front, "store", "add", "later", "--kind", "chunked", "--path", path);
            var first = await ImportAsync("/first.img");

            // The jobs of every store run for it too.
            await WhenAsync(() => Task.FromResult(Directory.EnumerateFiles(path, first, SearchOption.AllDirectories).Any()));
            Assert.Contains("later", (await client.ListNodesAsync(Stop)).Single(n => n.Name == "worker").Stores);

            await worker.KillAsync();
            await front.KillAsync();
            await front.StartAgainAsync();
            await worker.StartAgainAsync();
            await ImportAsync("/second.img");
            Assert.Equal((true, 2), (await client.GetStoreAsync("later", Stop) is var now ? (now.Healthy, now.Images) : default));
            Assert.Contains("11 steps, all well", await VitrineAsync(front, "store", "check", "later"), StringComparison.Ordinal);

            async Task<string> ImportAsync(string file)
            {
                mirror.Serve(file, ScriptedContent.Generated(1 << 20));
                var source = new ImageSource { Url = mirror.AddressOf(file).ToString(), Store = "later" };
                var created = await client.CreateImageAsync(new ImageCreate { Name = file[1..], Source = source }, Stop);
                var done = await client.WatchTransferAsync(created.Transfer!.Id, Stop).LastAsync(Stop);
                Assert.Equal(("done", "worker", "later"), (done.State, done.Node, done.Store));
                return created.Image.Id;
            }
        }
        finally
        {
            store.Delete(recursive: true);
            later.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("transfer", "another node has to do that, and nodes share a catalogue on PostgreSQL")]
    [InlineData("cook", "write api, transfer, or both")]
    [InlineData("", "Roles")]
    public async Task Roles_that_make_no_sense_are_refused_before_anything_starts(string roles, string fault)
    {
        var refused = await ServerProcess.StartInVainAsync(new Dictionary<string, string>(), "--roles", roles);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains(fault, refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_is_drained_without_a_byte_lost_and_stays_so_over_a_restart()
    {
        var catalogue = await postgres.CreateDatabaseAsync(Stop);
        var store = Directory.CreateTempSubdirectory("vitrine-shared-");
        try
        {
            await using var mirror = ScriptedHttpServer.Start();
            await using var one = await StartAsync("one", catalogue, store);
            using var client = one.NewClient();
            var file = mirror.Serve("/disk.img", ScriptedContent.Generated(16 << 20));
            file.StallAfter = 6 << 20;
            file.BytesPerSecond = Pace;
            var created = await client.CreateImageAsync(
                new ImageCreate { Name = "moving", Source = new ImageSource { Url = mirror.AddressOf("/disk.img").ToString() } }, Stop);
            await WhenAsync(async () => (await client.GetTransferAsync(created.Transfer!.Id, Stop)).Moved > 2 << 20);

            await using var two = await StartAsync("two", catalogue, store);
            file.StallAfter = null;
            file.BytesPerSecond = null;
            var drained = await VitrineAsync(two, "node", "drain", "one", "--wait");
            Assert.Contains("drained", drained, StringComparison.Ordinal);
            file.Release();
            var done = await client.WatchTransferAsync(created.Transfer!.Id, Stop).LastAsync(Stop);
            Assert.Equal(("done", "two"), (done.State, done.Node));
            Assert.True(file.BytesSent <= file.Content.Length * 1.1, $"{file.BytesSent} bytes were sent in all");

            await one.KillAsync();
            await one.StartAgainAsync();
            Assert.Contains("drained", await VitrineAsync(two, "node", "show", "one"), StringComparison.Ordinal);
            using var toOne = one.NewClient();
            var next = await toOne.CreateImageAsync(
                new ImageCreate
                {
                    Name = "next",
                    Source = new ImageSource { Url = mirror.AddressOf("/disk.img").ToString(), AllowDuplicate = true },
                },
                Stop);
            Assert.Equal("two", (await toOne.WatchTransferAsync(next.Transfer!.Id, Stop).LastAsync(Stop)).Node);

            // Of the last that takes work it is said that it is the last.
            Assert.Contains("No other node of the zone 'default'", (await TryVitrineAsync(two, "node", "drain", "two")).Error, StringComparison.Ordinal);
            await VitrineAsync(two, "node", "open", "one");
            Assert.Empty((await TryVitrineAsync(two, "node", "drain", "two")).Error);
        }
        finally
        {
            store.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task The_doctor_asks_all_nodes_and_names_the_one_that_is_gone()
    {
        var catalogue = await postgres.CreateDatabaseAsync(Stop);
        var store = Directory.CreateTempSubdirectory("vitrine-shared-");
        try
        {
            await using var mirror = ScriptedHttpServer.Start();
            mirror.Serve("/disk.img", ScriptedContent.Generated(12_345));
            await using var one = await StartAsync("one", catalogue, store);
            await using var two = await StartAsync("two", catalogue, store);
            using var client = one.NewClient();
            var address = mirror.AddressOf("/disk.img").ToString();
            var both = await client.WatchExaminationAsync((await client.BeginExaminationAsync(address, Stop)).Id, Stop).LastAsync(Stop);
            Assert.Equal(["one", "two"], both.Nodes.Select(n => n.Node));
            Assert.Empty(both.Silent);
            Assert.All(both.Nodes, n => Assert.Contains(n.Findings, f => f is { Check: "source.length", Verdict: "ok" }));

            await two.KillAsync();
            var table = (await TryVitrineAsync(one, "doctor", "--all")).Output;
            Assert.Matches("(?m)^one +ok +catalogue ", table);
            Assert.Matches("(?m)^two +silent ", table);
        }
        finally
        {
            store.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_limit_that_is_raised_lets_more_begin_at_once()
    {
        await using var mirror = ScriptedHttpServer.Start();
        await using var server = await ServerProcess.StartAsync(new Dictionary<string, string> { ["VITRINE_LIBRARY__CONCURRENTTRANSFERS"] = "4" });
        using var client = server.NewClient();
        await VitrineAsync(server, "limit", "set", "transfers-per-source=none");
        for (var i = 0; i < 20; i++)
        {
            mirror.Serve($"/{i}.img", ScriptedContent.Generated(4 << 20)).StallAfter = 1 << 20;
            await client.CreateImageAsync(
                new ImageCreate { Name = $"image-{i}", Source = new ImageSource { Url = mirror.AddressOf($"/{i}.img").ToString() } }, Stop);
        }

        await WhenAsync(async () => await RunningAsync() == 4);
        var waiting = await client.ListTransfersAsync([new("state", "queued")], Stop).FirstAsync(Stop);
        Assert.Contains("The limit transfers-per-node is 4", waiting.Waiting, StringComparison.Ordinal);
        await VitrineAsync(server, "limit", "set", "transfers-per-node=16");
        await WhenAsync(async () => await RunningAsync() == 16);
        Assert.Contains("16/16", await VitrineAsync(server, "node", "list"), StringComparison.Ordinal);

        async Task<int> RunningAsync() => await client.ListTransfersAsync([new("state", "running")], Stop).CountAsync(Stop);
    }

    [Theory]
    [InlineData("directory")]
    [InlineData("chunked")]
    public async Task A_node_that_stood_still_while_another_finished_its_work_stores_nothing_of_it(string kind)
    {
        var catalogue = await postgres.CreateDatabaseAsync(Stop);
        var store = Directory.CreateTempSubdirectory("vitrine-shared-");
        try
        {
            await using var mirror = ScriptedHttpServer.Start();
            await using var one = await StartAsync("one", catalogue, store, kind: kind);
            using var toOne = one.NewClient();
            var file = mirror.Serve("/disk.img", ScriptedContent.Generated(16 << 20));
            file.StallAfter = 6 << 20;
            file.BytesPerSecond = Pace;
            var created = await toOne.CreateImageAsync(
                new ImageCreate { Name = "taken", Source = new ImageSource { Url = mirror.AddressOf("/disk.img").ToString() } }, Stop);
            await WhenAsync(async () => (await toOne.GetTransferAsync(created.Transfer!.Id, Stop)).Moved > 2 << 20);
            await using var two = await StartAsync("two", catalogue, store, kind: kind);
            using var toTwo = two.NewClient();

            Signals.Stop(one.ProcessId);
            try
            {
                file.StallAfter = null;
                file.BytesPerSecond = null;
                await WhenAsync(async () => (await toTwo.GetImageAsync(created.Image.Id, Stop)).Status == "active");
            }
            finally
            {
                Signals.Continue(one.ProcessId);
            }

            var done = await toTwo.GetTransferAsync(created.Transfer!.Id, Stop);
            Assert.Equal(("done", "two"), (done.State, done.Node));
            file.Release();
            await WhenAsync(async () => (await File.ReadAllTextAsync(Path.Combine(one.Data, "server.log"), Stop)).Contains("was taken away from this node", StringComparison.Ordinal));
            Assert.Equal(done, await toOne.GetTransferAsync(created.Transfer.Id, Stop) with { Notes = done.Notes });

            var pulled = Path.Combine(one.Data, "pulled");
            await VitrineAsync(one, "image", "pull", "taken", "-o", pulled);
            Assert.Equal(file.Content.Sum(HashAlgorithmName.SHA256), Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(pulled, Stop))));
            var staged = $"{created.Transfer.Id.Replace("-", "", StringComparison.Ordinal)}*";
            await WhenAsync(() => Task.FromResult(!Directory.EnumerateFiles(Path.Combine(store.FullName, "staging"), staged).Any()));
        }
        finally
        {
            store.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Imports_go_on_when_the_database_dies_and_another_takes_its_place()
    {
        const int Files = 4;
        await using var pair = await PostgresPair.StartAsync();
        var store = Directory.CreateTempSubdirectory("vitrine-shared-");
        try
        {
            await using var mirror = ScriptedHttpServer.Start();
            await using var one = await StartAsync("one", pair.ConnectionString, store);
            await using var two = await StartAsync("two", pair.ConnectionString, store);
            using var client = one.NewClient();
            var files = Enumerable.Range(0, Files).Select(i => mirror.Serve($"/{i}.img", ScriptedContent.Generated(8 << 20))).ToList();
            var created = new List<ImageCreated>();
            for (var i = 0; i < Files; i++)
            {
                files[i].StallAfter = 6 << 20;
                files[i].BytesPerSecond = Pace;
                created.Add(await client.CreateImageAsync(
                    new ImageCreate { Name = $"image-{i}", Source = new ImageSource { Url = mirror.AddressOf($"/{i}.img").ToString() } }, Stop));
            }

            foreach (var image in created)
                await WhenAsync(async () => (await client.GetTransferAsync(image.Transfer!.Id, Stop)).Moved > 2 << 20);

            await pair.FailOverAsync();
            foreach (var file in files)
            {
                file.StallAfter = null;
                file.BytesPerSecond = null;
                file.Release();
            }

            foreach (var image in created)
                await WhenAsync(async () => await StatusAsync(client, image.Image.Id) == "active", () => TellAsync(client));
            for (var i = 0; i < Files; i++)
                Assert.Equal(files[i].Content.Sum(HashAlgorithmName.SHA256), (await client.GetImageAsync(created[i].Image.Id, Stop)).Sha256);
        }
        finally
        {
            store.Delete(recursive: true);
        }
    }

    /// <summary>Null while the node has no database.</summary>
    private static async Task<string?> StatusAsync(LibraryClient client, string image)
    {
        try
        {
            return (await client.GetImageAsync(image, Stop)).Status;
        }
        catch (LibraryClientException)
        {
            return null;
        }
    }

    private static async Task<string> TokenAsync(HttpClient http, ServerProcess server)
    {
        var credentials = server.VitrineEnvironment;
        using var answer = await http.PostAsJsonAsync(
            new Uri($"{server.Url}/api/v1/tokens"),
            new { user = credentials["VITRINE_USER"], password = credentials["VITRINE_PASSWORD"], project = credentials["VITRINE_PROJECT"] }, Stop);
        return (await answer.Content.ReadFromJsonAsync(LibraryJson.Default.TokenRecord, Stop))!.Token;
    }

    private static async Task<string> VitrineAsync(ServerProcess server, params string[] arguments) => (await TryVitrineAsync(server, arguments)).Succeeded();

    private static Task<CommandResult> TryVitrineAsync(ServerProcess server, params string[] arguments) =>
        Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), arguments, server.VitrineEnvironment);

    private static Task<ServerProcess> StartAsync(
        string name, string catalogue, DirectoryInfo store, string roles = "api,transfer", string kind = "directory", string? storePath = null) => ServerProcess.StartAsync(
        new Dictionary<string, string>
        {
            ["VITRINE_SERVER__NODENAME"] = name,
            ["VITRINE_SERVER__ROLES"] = roles,
            ["VITRINE_CATALOGUE__CONNECTIONSTRING"] = catalogue,
            ["VITRINE_STORES__shared__KIND"] = kind,
            ["VITRINE_STORES__shared__PATH"] = store.FullName,
            ["VITRINE_SERVER__STOREPATHS__0"] = storePath ?? store.FullName,

            // As soon as a stopped node is known to be silent, a quarter of a minute more is patience enough.
            ["VITRINE_LIBRARY__PATIENCEWITHWRITERS"] = "4",
        });

    private static async Task<string> TellAsync(LibraryClient client) => string.Join(
        '\n', await client.ListTransfersAsync([], Stop).Select(t => $"{t.Id} {t.State} {t.Step} on {t.Node}: {t.Moved} of {t.Length}, {t.Failure?.Code} {t.Waiting}").ToListAsync(Stop));

    /// <param name="tell">How things stand, for whoever looks why it did not come to that.</param>
    private static async Task WhenAsync(Func<Task<bool>> isSo, Func<Task<string>>? tell = null)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            if (Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMinutes(4))
                Assert.Fail($"it did not come to that: {(tell is null ? "" : await tell())}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Stop);
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
