using System.Diagnostics;
using System.Security.Cryptography;
using Vitrine.Client;
using Vitrine.Testing;

namespace Vitrine.EndToEndTests;

/// <summary>Two zones with a node and a store each, on one PostgreSQL.</summary>
public sealed class ZonesTests(PostgresServer postgres)
{
    private const string East = "east";
    private const string West = "west";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_a_zone_lost_its_images_are_of_use_in_the_other_and_it_catches_up_when_it_is_back()
    {
        var catalogue = await postgres.CreateDatabaseAsync(Stop);
        var root = Directory.CreateTempSubdirectory("vitrine-zones-");
        try
        {
            foreach (var zone in new[] { East, West })
                root.CreateSubdirectory(zone);
            await using var west = await StartAsync(West, catalogue, root);
            using var client = west.NewClient();
            var (before, after) = (await NewFileAsync(root, "before"), await NewFileAsync(root, "after"));
            await using (var east = await StartAsync(East, catalogue, root))
            {
                await VitrineAsync(east, "image", "push", before, "--name", "before", "--all-zones", "true");
                await WhenReadyAsync(client, "before", East, West);
                await east.KillAsync();
            }

            Directory.Move(Path.Combine(root.FullName, East), Path.Combine(root.FullName, "lost"));
            var pulled = Path.Combine(root.FullName, "pulled");
            await VitrineAsync(west, "image", "pull", "before", "-o", pulled);
            Assert.Equal(await SumAsync(before), await SumAsync(pulled));
            await VitrineAsync(west, "image", "push", after, "--name", "after", "--all-zones", "true");
            Assert.False((await client.GetStoreAsync(East, Stop)).Healthy);

            Directory.Move(Path.Combine(root.FullName, "lost"), Path.Combine(root.FullName, East));
            await using var again = await StartAsync(East, catalogue, root);
            await WhenReadyAsync(client, "after", East, West);
            Directory.Move(Path.Combine(root.FullName, West), Path.Combine(root.FullName, "lost"));
            File.Delete(pulled);
            await VitrineAsync(again, "image", "pull", "after", "-o", pulled);
            Assert.Equal(await SumAsync(after), await SumAsync(pulled));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    /// <summary>A node of a zone, which reaches the stores of both.</summary>
    private static Task<ServerProcess> StartAsync(string zone, string catalogue, DirectoryInfo root)
    {
        var settings = new Dictionary<string, string>
        {
            ["VITRINE_SERVER__NODENAME"] = zone,
            ["VITRINE_SERVER__ZONE"] = zone,
            ["VITRINE_CATALOGUE__CONNECTIONSTRING"] = catalogue,
            [$"VITRINE_STORES__{zone}__DEFAULT"] = "true",
        };
        foreach (var store in new[] { East, West })
        {
            settings[$"VITRINE_STORES__{store}__KIND"] = "chunked";
            settings[$"VITRINE_STORES__{store}__PATH"] = Path.Combine(root.FullName, store);
            settings[$"VITRINE_STORES__{store}__ZONE"] = store;
        }

        return ServerProcess.StartAsync(settings);
    }

    private static async Task WhenReadyAsync(LibraryClient client, string name, params string[] stores)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var replicas = (await client.ListImagesAsync([new("name", name)], Stop).SingleAsync(Stop)).Replicas;
            if (stores.All(store => replicas.Any(r => r.Store == store && r.State == "ready")))
                return;

            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, $"'{name}' is in {string.Join(", ", replicas.Select(r => $"{r.Store} ({r.State})"))} alone.");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Stop);
        }
    }

    private static async Task<string> NewFileAsync(DirectoryInfo root, string name)
    {
        var path = Path.Combine(root.FullName, $"{name}.img");
        await File.WriteAllBytesAsync(path, RandomNumberGenerator.GetBytes(3 << 20), Stop);
        return path;
    }

    private static async Task<string> SumAsync(string path)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, Stop));
    }

    private static async Task<string> VitrineAsync(ServerProcess server, params string[] words) =>
        (await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), words, server.VitrineEnvironment)).Succeeded();
}
