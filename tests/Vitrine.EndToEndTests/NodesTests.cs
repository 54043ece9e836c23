using System.Diagnostics;
using System.Security.Cryptography;
using Vitrine.Client;
using Vitrine.Testing;
using Vitrine.Testing.Sources;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace Vitrine.EndToEndTests;

/// <summary>Two nodes on one PostgreSQL and one store.</summary>
public sealed class NodesTests(PostgresServer postgres)
{
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
            var created = await toOne.CreateImageAsync(
                new ImageCreate { Name = "orphan", Source = new ImageSource { Url = mirror.AddressOf("/disk.img").ToString() } }, Stop);
            await WhenAsync(async () => (await toOne.GetTransferAsync(created.Transfer!.Id, Stop)).Moved > 4 << 20);

            await using var two = await StartAsync("two", catalogue, store);
            using var toTwo = two.NewClient();
            await one.KillAsync();
            file.StallAfter = null;
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

    private static Task<ServerProcess> StartAsync(string name, string catalogue, DirectoryInfo store) => ServerProcess.StartAsync(
        new Dictionary<string, string>
        {
            ["VITRINE_SERVER__NODENAME"] = name,
            ["VITRINE_CATALOGUE__CONNECTIONSTRING"] = catalogue,
            ["VITRINE_STORES__shared__KIND"] = "directory",
            ["VITRINE_STORES__shared__PATH"] = store.FullName,
        });

    private static async Task WhenAsync(Func<Task<bool>> isSo)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(2), "it did not come to that");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Stop);
        }
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
