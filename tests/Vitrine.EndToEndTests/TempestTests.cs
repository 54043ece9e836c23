using Vitrine.Testing;

namespace Vitrine.EndToEndTests;

/// <summary>The image part of OpenStack's own test suite against the real server.</summary>
public sealed class TempestTests : IDisposable
{
    private static readonly string[] Stores = ["fast", "slow"];

    /// <summary>What the suite may leave out, because it finds that we do not offer it; docs/openstack.md says why.</summary>
    private static readonly string[] NotOffered =
    [
        "test_image_caching.ImageCachingTest",
        "test_images.ImageLocationsTest",
        "test_images.ImportImagesTest.test_remote",
    ];

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("vitrine-tempest-");

    public void Dispose() => _root.Delete(recursive: true);

    [FactWithTool("tempest")]
    public async Task Every_test_of_images_passes()
    {
        await using var server = await ServerProcess.StartAsync(SettingsOfStores());
        var environment = new Dictionary<string, string>(server.OpenStackEnvironment)
        {
            // Random bytes are taken for no other formats: content must be what it is declared to be.
            ["DISK_FORMATS"] = "raw,ami,ari,aki",
            ["CONTAINER_FORMATS"] = "bare,ovf",
        };
        var run = await Command.RunAsync(Path.Combine(Checkout.Root, "tests", "peers", "tempest-image"), [], environment);
        run.Succeeded();

        var lines = run.Output.Split('\n');
        var skipped = lines.Where(line => line.StartsWith("skipped", StringComparison.Ordinal));
        Assert.DoesNotContain(skipped, line => !NotOffered.Any(name => line.Contains(name, StringComparison.Ordinal)));
        Assert.Contains(lines, line => line.StartsWith("passed", StringComparison.Ordinal));
    }

    /// <summary>Two stores, so that the suite does not leave out what needs several.</summary>
    private Dictionary<string, string> SettingsOfStores()
    {
        var settings = new Dictionary<string, string> { [$"VITRINE_STORES__{Stores[0]}__DEFAULT"] = "true" };
        foreach (var store in Stores)
        {
            settings[$"VITRINE_STORES__{store}__KIND"] = "directory";
            settings[$"VITRINE_STORES__{store}__PATH"] = _root.CreateSubdirectory(store).FullName;
        }

        return settings;
    }
}
