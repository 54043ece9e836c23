using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Vitrine.Testing;

namespace Vitrine.EndToEndTests;

/// <summary>What the README promises to a stranger.</summary>
public sealed class FirstCommandTests
{
    [FactWithTool("openstack")]
    public async Task Start_imports_an_image_stop_ends_it_and_the_next_start_finds_it_again()
    {
        var data = Directory.CreateTempSubdirectory("vitrine-start-").FullName;
        var environment = new Dictionary<string, string> { ["VITRINE_DATA"] = data, ["VITRINE_PORT"] = FreePort().ToString() };
        try
        {
            var first = (await RunAsync("start", environment)).Succeeded();
            Assert.Contains("GRUB rescue CD", first);
            Assert.Contains("active", first);

            var image = JsonDocument.Parse((await RunAsync("vitrine", environment, "image", "show", "GRUB rescue CD", "--json")).Succeeded()).RootElement;
            (await RunAsync("stop", environment)).Succeeded();
            Assert.Contains("GRUB rescue CD", (await RunAsync("start", environment)).Succeeded());

            var openrc = (await RunAsync("vitrine", environment, "openrc", "--with-secret")).Succeeded();
            var listed = (await Command.RunAsync("bash", ["-c", $"{openrc}\nopenstack image list -f value -c ID -c Status"])).Succeeded();
            Assert.Equal($"{image.GetProperty("id").GetString()} active", listed);
        }
        finally
        {
            await RunAsync("stop", environment);
            Directory.Delete(data, recursive: true);
        }
    }

    private static Task<CommandResult> RunAsync(string command, Dictionary<string, string> environment, params string[] arguments) =>
        Command.RunAsync(Path.Combine(Checkout.Root, command), arguments, environment);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
