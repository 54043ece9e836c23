using System.Diagnostics;
using System.Security.Cryptography;
using Vitrine.Client;
using Vitrine.Testing.Sources;

namespace Vitrine.EndToEndTests;

/// <summary>The server is killed at random moments of random transfers. VITRINE_KILLS says how often; the usual run is short.</summary>
public sealed class KilledTransferTests
{
    private const int Images = 6;
    private const double MostFetched = 1.10;

    private static int Kills => int.Parse(Environment.GetEnvironmentVariable("VITRINE_KILLS") ?? "12");

    [Fact]
    public async Task Every_image_arrives_whole_however_often_the_server_is_killed()
    {
        await using var mirror = ScriptedHttpServer.Start();
        await using var server = await ServerProcess.StartAsync();
        using var client = server.NewClient();
        var random = new Random(20261121);

        var (kills, sent, size) = (0, 0L, 0L);
        for (var round = 0; kills < Kills; round++)
        {
            var done = await KillThroughRoundAsync(mirror, server, client, random, round, Kills - kills);
            (kills, sent, size) = (kills + done.Kills, sent + done.Sent, size + done.Size);
        }

        // What a kill costs is what was under way at that moment, whatever the size of the images.
        Assert.True(sent <= size * MostFetched, $"{sent} bytes were fetched for {size}");
        Assert.Empty(Directory.GetFiles(Path.Combine(server.Data, "store", "staging")));
        TestContext.Current.TestOutputHelper?.WriteLine($"{kills} kills");
    }

    [Fact]
    public async Task A_push_goes_on_where_it_was_when_the_server_comes_back()
    {
        await using var server = await ServerProcess.StartAsync();
        using var client = server.NewClient();
        var file = Path.Combine(server.Data, "disk.raw");
        var digest = await WriteRandomFileAsync(file, 512 << 20);

        using var push = Command.Start(
            Checkout.Program("Vitrine.Cli", "vitrine"), ["image", "push", file, "--name", "pushed", "--json"], server.VitrineEnvironment);
        var transfer = await WhenMovingAsync(client);
        await server.KillAsync();
        await server.StartAgainAsync();
        var output = await push.StandardOutput.ReadToEndAsync(Stop);
        await push.WaitForExitAsync(Stop);

        Assert.True(push.ExitCode == 0, output + await push.StandardError.ReadToEndAsync(Stop));
        var image = Assert.Single(await ListAsync(client));
        Assert.Equal(("active", digest), (image.Status, image.Sha256));
        var moved = await client.GetTransferAsync(transfer, Stop);
        Assert.Equal(("done", image.Id), (moved.State, moved.Image));
        Assert.True(moved.Fetched < (512 << 20) * MostFetched, $"{moved.Fetched} bytes were received in all");
    }

    private static async Task<(int Kills, long Sent, long Size)> KillThroughRoundAsync(
        ScriptedHttpServer mirror, ServerProcess server, LibraryClient client, Random random, int round, int most)
    {
        var files = new Dictionary<string, ScriptedFile>(StringComparer.Ordinal);
        for (var i = 0; i < Images; i++)
        {
            var path = $"/{round}/{i}.img";
            var file = mirror.Serve(path, ScriptedContent.Generated(random.Next(4 << 20, 12 << 20), (ulong)random.NextInt64()));
            file.BytesPerSecond = 4 << 20;
            var created = await client.CreateImageAsync(
                new ImageCreate { Name = $"image {round}-{i}", Source = new ImageSource { Url = mirror.AddressOf(path).ToString() } }, Stop);
            files[created.Image.Id] = file;
        }

        var kills = 0;
        while (await AnyOpenAsync(client))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(50, 900)), TimeProvider.System, Stop);
            if (kills == most)
                continue;

            await server.KillAsync();
            await server.StartAgainAsync();
            kills++;
        }

        foreach (var (id, file) in files)
            AssertArrived(await client.GetImageAsync(id, Stop), file);

        var (sent, size) = (files.Values.Sum(f => f.BytesSent), files.Values.Sum(f => f.Content.Length));
        TestContext.Current.TestOutputHelper?.WriteLine($"round {round}: {kills} kills, {sent} of {size} bytes sent ({(double)sent / size:P1})");
        return (kills, sent, size);
    }

    private static void AssertArrived(ImageRecord image, ScriptedFile file)
    {
        Assert.True(image.Status == "active", $"{image.Name} is {image.Status}: {image.Failure?.Cause}");
        Assert.Equal(file.Content.Sum(HashAlgorithmName.SHA256), image.Sha256);
    }

    private static async Task<bool> AnyOpenAsync(LibraryClient client)
    {
        foreach (var image in await ListAsync(client))
        {
            if (image.Status == "importing")
                return true;
        }

        return false;
    }

    private static async Task<string> WhenMovingAsync(LibraryClient client)
    {
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(1))
        {
            await foreach (var transfer in client.ListTransfersAsync([], Stop))
            {
                if (transfer.Moved is > 0 and < 512 << 20)
                    return transfer.Id;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Stop);
        }

        throw new TimeoutException("The push did not begin to send.");
    }

    private static async Task<List<ImageRecord>> ListAsync(LibraryClient client)
    {
        var images = new List<ImageRecord>();
        await foreach (var image in client.ListImagesAsync([], Stop))
            images.Add(image);
        return images;
    }

    private static async Task<string> WriteRandomFileAsync(string path, long length)
    {
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var file = File.Create(path);
        var random = new Random(7);
        var buffer = new byte[1 << 20];
        for (var left = length; left > 0; left -= buffer.Length)
        {
            random.NextBytes(buffer);
            sum.AppendData(buffer);
            await file.WriteAsync(buffer, Stop);
        }

        return Convert.ToHexStringLower(sum.GetHashAndReset());
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
