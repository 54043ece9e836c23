using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Vitrine.Client;

namespace Vitrine.ApiTests.Rest;

/// <summary>Pushes and pulls of the client library, over restarts of the server and runs of the client.</summary>
public sealed class ClientTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_push_survives_restarts_of_the_library()
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        var (path, bytes) = await FileAsync(24 << 20);
        var created = await CreateAsync(client, bytes.Length);

        // Told by the client's own progress, the library goes away twice while bytes are on their way.
        var stops = new Queue<long>([4 << 20, 12 << 20]);
        var restarting = Task.CompletedTask;
        var progress = new Reported(p =>
        {
            if (stops.Count == 0 || p.Moved < stops.Peek())
                return;
            stops.Dequeue();
            var before = restarting;
            restarting = Task.Run(async () =>
            {
                await before;
                await library.StopAsync();
                await library.StartAsync();
            });
        });
        var image = await client.PushAsync(created.Upload!.Transfer, path, progress, Stop);
        await restarting;

        Assert.Empty(stops);
        Assert.Equal(("active", Convert.ToHexStringLower(SHA256.HashData(bytes))), (image.Status, image.Sha256));
    }

    [Fact]
    public async Task A_push_of_a_packed_file_makes_the_image_inside_and_shows_both_sums()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var (_, bytes) = await FileAsync(1 << 20);
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            await gzip.WriteAsync(bytes, Stop);
        var image = await library.MakeImageAsync(client, packed.ToArray());

        Assert.Equal((bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))), (image.Size, image.Sha256));
        Assert.Equal(new SourceFileRecord(Convert.ToHexStringLower(SHA256.HashData(packed.ToArray())), packed.Length, "gzip", Format: null), image.SourceFile);
    }

    [Fact]
    public async Task A_push_that_was_interrupted_goes_on_where_it_was()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var (path, bytes) = await FileAsync(16 << 20);
        var created = await CreateAsync(client, bytes.Length);

        using var interrupt = new CancellationTokenSource();
        var first = new Reported(p =>
        {
            if (p.Moved > 6 << 20)
                interrupt.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.PushAsync(created.Upload!.Transfer, path, first, interrupt.Token));

        var image = await client.PushAsync(created.Upload!.Transfer, path, progress: null, Stop);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), image.Sha256);

        // No byte was sent twice.
        Assert.Equal(bytes.Length, (await client.GetTransferAsync(created.Upload.Transfer, Stop)).Fetched);
    }

    [Fact]
    public async Task A_push_of_another_file_than_was_begun_fails_loudly()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var (path, bytes) = await FileAsync(1 << 20);
        var created = await CreateAsync(client, bytes.Length);
        using (var half = await library.SendAsync(
            HttpMethod.Patch, created.Upload!.Url, (await library.SharedProjectAsync()).Admin, new ByteArrayContent(new byte[1 << 19]),
            ("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream")))
            Assert.Equal(HttpStatusCode.NoContent, half.StatusCode);

        var failure = await Assert.ThrowsAsync<LibraryClientException>(() => client.PushAsync(created.Upload.Transfer, path, null, Stop));
        Assert.Equal(ClientCodes.ChecksumMismatch, failure.Code);
    }

    [Fact]
    public async Task A_push_of_refused_content_says_why()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var (path, bytes) = await FileAsync(1000);
        var created = await client.CreateImageAsync(
            new ImageCreate { Name = "wrong", Upload = new UploadRequest { Length = bytes.Length, Checksum = $"md5:{new string('0', 32)}" } }, Stop);
        var failure = await Assert.ThrowsAsync<LibraryClientException>(() => client.PushAsync(created.Upload!.Transfer, path, null, Stop));
        Assert.Equal("checksum-mismatch", failure.Code);
    }

    [Fact]
    public async Task A_pull_makes_the_same_file_and_goes_on_where_it_was()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var bytes = RandomNumberGenerator.GetBytes(16 << 20);
        var image = await library.MakeImageAsync(client, bytes);
        var target = Path.Combine(library.Root, $"pulled-{image.Id}");

        using var interrupt = new CancellationTokenSource();
        var first = new Reported(p =>
        {
            if (p.Moved > 5 << 20)
                interrupt.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.PullAsync(image, target, first, interrupt.Token));
        Assert.False(File.Exists(target));
        Assert.InRange(new FileInfo(LibraryClient.PartOf(target, image.Sha256!)).Length, 5 << 20, bytes.Length - 1);

        var begin = -1L;
        await client.PullAsync(image, target, new Reported(p => begin = begin < 0 ? p.Moved : begin), Stop);
        Assert.InRange(begin, 5 << 20, bytes.Length);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(target, Stop));
        Assert.False(File.Exists(LibraryClient.PartOf(target, image.Sha256!)));
    }

    [Fact]
    public async Task A_pull_survives_a_restart_of_the_library()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var bytes = RandomNumberGenerator.GetBytes(32 << 20);
        var image = await library.MakeImageAsync(client, bytes);
        var target = Path.Combine(library.Root, $"pulled-{image.Id}");

        Task? restarting = null;
        var progress = new Reported(p =>
        {
            if (p.Moved > 2 << 20)
                restarting ??= Task.Run(async () =>
                {
                    await library.StopAsync();
                    await library.StartAsync();
                });
        });
        await client.PullAsync(image, target, progress, Stop);
        await restarting!;
        Assert.Equal(bytes, await File.ReadAllBytesAsync(target, Stop));
    }

    [Fact]
    public async Task A_part_that_was_tampered_with_is_noticed_and_not_kept()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var image = await library.MakeImageAsync(client, RandomNumberGenerator.GetBytes(100_000));
        var target = Path.Combine(library.Root, $"pulled-{image.Id}");
        await File.WriteAllBytesAsync(LibraryClient.PartOf(target, image.Sha256!), new byte[50_000], Stop);

        var failure = await Assert.ThrowsAsync<LibraryClientException>(() => client.PullAsync(image, target, null, Stop));
        Assert.Equal(ClientCodes.ChecksumMismatch, failure.Code);
        Assert.False(File.Exists(target));

        await client.PullAsync(image, target, null, Stop);
        Assert.Equal(image.Size, new FileInfo(target).Length);
    }

    [Fact]
    public async Task A_client_with_credentials_logs_in_again_when_its_token_holds_no_more()
    {
        var credentials = new TokenRequest { User = "admin", Password = RestLibrary.AdminPassword };
        using var client = new LibraryClient(library.Address, new LibraryClientOptions { Credentials = credentials });
        var token = await client.LogInAsync(credentials, Stop);
        Assert.Equal(("admin", "admin"), (token.User.Name, token.Project?.Name));
        Assert.Contains("admin", token.Roles);

        using (var other = library.ClientOf(token.Token))
        {
            await other.LogOutAsync(Stop);
            var refused = await Assert.ThrowsAsync<LibraryClientException>(() => library.ClientOf(token.Token).GetMeAsync(Stop));
            Assert.Equal(HttpStatusCode.Unauthorized, refused.Status);
        }

        Assert.Equal("admin", (await client.GetMeAsync(Stop)).User.Name);
    }

    [Fact]
    public async Task A_connection_that_is_reset_as_soon_as_it_is_made_is_a_library_that_is_not_there()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var resetting = Task.Factory.StartNew(Reset, Stop, TaskCreationOptions.LongRunning, TaskScheduler.Default); // a thread that is as quick as can be
        for (var i = 0; i < 50; i++)
        {
            using var client = new LibraryClient(
                new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}/"), new LibraryClientOptions { Patience = TimeSpan.Zero });
            var failure = await Assert.ThrowsAsync<LibraryClientException>(
                () => client.LogInAsync(new TokenRequest { User = "a", Password = "b" }, Stop));
            Assert.Equal((ClientCodes.Unreachable, true), (failure.Code, failure.MayPass));
        }

        listener.Close();
        await resetting;

        void Reset()
        {
            try
            {
                while (true)
                    listener.Accept().Close(timeout: 0);
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }

    [Fact]
    public async Task A_library_that_is_not_there_is_given_up_after_the_patience()
    {
        using var client = new LibraryClient(new Uri("http://127.0.0.1:9/"), new LibraryClientOptions { Token = "x", Patience = TimeSpan.Zero });
        var watch = client.WatchTransferAsync(Guid.NewGuid().ToString(), Stop);
        var failure = await Assert.ThrowsAsync<LibraryClientException>(async () => await watch.FirstAsync(Stop));
        Assert.Equal((ClientCodes.Unreachable, (HttpStatusCode?)null, true), (failure.Code, failure.Status, failure.MayPass));
    }

    private async Task<(string Path, byte[] Bytes)> FileAsync(int length)
    {
        var (path, bytes) = (Path.Combine(library.Root, $"{Guid.NewGuid():N}.img"), RandomNumberGenerator.GetBytes(length));
        await File.WriteAllBytesAsync(path, bytes, Stop);
        return (path, bytes);
    }

    private static Task<ImageCreated> CreateAsync(LibraryClient client, long length) =>
        client.CreateImageAsync(new ImageCreate { Name = "pushed", Upload = new UploadRequest { Length = length } }, Stop);

    /// <summary>Progress is told at once, not on another thread later.</summary>
    private sealed class Reported(Action<TransferProgress> tell) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => tell(value);
    }
}
