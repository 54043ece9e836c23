using Amazon.Runtime;
using Amazon.S3;
using Vitrine.Stores.Objects.S3;
using Vitrine.Stores.Rbd;

namespace Vitrine.Testing.S3;

/// <summary>A real server of objects for the tests of one run, as a fixture of their assembly. It starts when the first test asks for a place.</summary>
/// <param name="name">Of its scripts under tests/servers.</param>
public abstract class S3Server(string name) : IAsyncDisposable
{
    private const string Bucket = "vitrine-tests";

    private readonly Lazy<Task<Dictionary<string, string>>> _started = new(() => StartAsync(name));

    /// <returns>How to come to a place in a bucket that no other test uses.</returns>
    public async Task<S3StoreOptions> CreatePlaceAsync() => OptionsOf(await _started.Value, $"{Guid.NewGuid():N}/");

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_started.IsValueCreated)
            await ServerScript.RunAsync($"{name}-down", await FindDirectoryAsync());
    }

    private protected Task<string> FindDirectoryAsync() => FindAsync($"{name.ToUpperInvariant()}_DIR");

    /// <returns>What its script says under a key.</returns>
    private protected async Task<string> FindAsync(string key) => (await _started.Value)[key];

    private static async Task<Dictionary<string, string>> StartAsync(string name)
    {
        var server = await ServerScript.StartAsync($"{name}-up");
        var options = OptionsOf(server, prefix: "");
        var config = new AmazonS3Config { ServiceURL = options.Endpoint, ForcePathStyle = true, AuthenticationRegion = options.Region };
        using var client = new AmazonS3Client(new BasicAWSCredentials(options.AccessKey, options.SecretKey), config);
        await client.PutBucketAsync(Bucket);
        return server;
    }

    private static S3StoreOptions OptionsOf(Dictionary<string, string> server, string prefix) => new()
    {
        Endpoint = server["S3_ENDPOINT"],
        AccessKey = server["S3_ACCESS_KEY"],
        SecretKey = server["S3_SECRET_KEY"],
        Bucket = Bucket,
        Prefix = prefix,
    };
}

/// <summary>OpenStack's Swift with its S3 layer.</summary>
public sealed class SwiftServer() : S3Server("swift");

/// <summary>Ceph with radosgw, and with a pool for block devices.</summary>
public sealed class CephServer() : S3Server("ceph")
{
    /// <summary>Ends radosgw as a crash would.</summary>
    public async Task KillGatewayAsync() => await ServerScript.RunAsync("ceph-kill", await FindDirectoryAsync());

    public async Task StartGatewayAsync() => await ServerScript.RunAsync("ceph-up", await FindDirectoryAsync());

    /// <summary>Lets nothing be read or written any more, without a word, until it may go on.</summary>
    public async Task HoldAsync() => await ServerScript.RunAsync("ceph-pause", await FindDirectoryAsync(), "hold");

    public async Task GoOnAsync() => await ServerScript.RunAsync("ceph-pause", await FindDirectoryAsync(), "go");

    /// <returns>How to come to images in a pool that no other test uses: they are told by what their names begin with.</returns>
    public async Task<RbdStoreOptions> CreateImagesAsync() => new()
    {
        ConfigFile = await FindAsync("CEPH_CONF"),
        User = await FindAsync("RBD_USER"),
        Keyring = await FindAsync("RBD_KEYRING"),
        Pool = await FindAsync("RBD_POOL"),
        Prefix = $"{Guid.NewGuid():N}-"[^9..],
    };

    /// <returns>Where the cluster's monitor listens, as Ceph writes it.</returns>
    public async Task<string> FindMonitorAsync() => $"[v2:127.0.0.1:{await FindAsync("MONITOR_PORT")}]";

    /// <summary>Runs Ceph's own rbd or rados, as the user of the images.</summary>
    /// <returns>What it printed.</returns>
    public async Task<string> RunAsync(string tool, params string[] arguments) => await Tool.RunAsync(
        tool,
        [
            "--conf", await FindAsync("CEPH_CONF"), "--keyring", await FindAsync("RBD_KEYRING"), "--name", $"client.{await FindAsync("RBD_USER")}",
            "--pool", await FindAsync("RBD_POOL"), .. arguments,
        ],
        CancellationToken.None);

    /// <summary>Runs a command of the cluster's administrator.</summary>
    public async Task AdministerAsync(params string[] arguments) =>
        await Tool.RunAsync("ceph", ["--conf", await FindAsync("CEPH_CONF"), .. arguments], CancellationToken.None);
}
