using System.Security.Cryptography;
using Vitrine.Stores.Objects;
using Vitrine.Stores.Objects.S3;
using Vitrine.Testing.S3;

[assembly: AssemblyFixture(typeof(CephServer))]
[assembly: AssemblyFixture(typeof(SwiftServer))]

namespace Vitrine.ContractTests.Stores;

public abstract class S3ObjectsContract : ObjectStoreContract
{
    // So short that lists have several pages.
    private const int PageLength = 5;

    private protected S3StoreOptions Options { get; private set; } = null!;

    private protected abstract Task<S3StoreOptions> CreatePlaceAsync();

    private protected override Task<IObjectStore> OpenAsync() =>
        Task.FromResult<IObjectStore>(new S3Objects("s3", Options, TimeProvider.System) { PageLength = PageLength });

    public override async ValueTask InitializeAsync()
    {
        Options = await CreatePlaceAsync();
        await base.InitializeAsync();
    }

    [Fact]
    public async Task A_place_is_empty_until_something_is_put_there()
    {
        var store = (S3Objects)Store;
        Assert.True(await store.IsEmptyAsync(Stop));
        await store.PutAsync("store", new byte[1], Stop);
        Assert.False(await store.IsEmptyAsync(Stop));
    }

    [Fact]
    public async Task An_object_of_long_and_short_pieces_is_sealed_as_it_grew()
    {
        var bytes = Some(31 * 1024 * 1024);
        await using var appender = await Store.OpenAppenderAsync("staging/a.log", Stop);
        foreach (var end in new[] { 6_300_000, 7_000_000, 9_000_000, 16_800_000, 16_900_000, 30_000_000 })
        {
            await appender.AppendAsync(bytes.AsMemory((int)appender.Length, end - (int)appender.Length), Stop);
            await appender.FlushAsync(Stop);
        }

        // A copy of a piece takes no more of it than counts.
        await appender.CutAsync(30_000_000 - 1, Stop);
        await appender.AppendAsync(bytes.AsMemory((int)appender.Length), Stop);
        await appender.SealAsync("packs/one", Stop);
        AssertSame(bytes, await ReadAllAsync(Store, "packs/one"));
    }

    [Fact]
    public async Task A_quota_is_the_bound_where_there_is_one()
    {
        Options.Quota = 1000;
        await Store.PutAsync("packs/one", new byte[300], Stop);
        Assert.Equal(new(1000, 700), await Store.MeasureAsync(Stop));
        await Store.PutAsync("packs/two", new byte[3000], Stop);
        Assert.Equal(new(1000, 0), await Store.MeasureAsync(Stop));
    }
}

public sealed class ScriptedS3ObjectsTests : S3ObjectsContract
{
    private ScriptedS3 _server = null!;

    private protected override async Task<S3StoreOptions> CreatePlaceAsync() => (_server = await ScriptedS3.StartAsync()).CreatePlace();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _server.DisposeAsync();
    }
}

public sealed class SwiftObjectsTests(SwiftServer server) : S3ObjectsContract
{
    private protected override Task<S3StoreOptions> CreatePlaceAsync() => server.CreatePlaceAsync();
}

[Collection(nameof(CephServer))]
public sealed class CephObjectsTests(CephServer server) : S3ObjectsContract
{
    private protected override Task<S3StoreOptions> CreatePlaceAsync() => server.CreatePlaceAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bodies_are_signed_in_chunks_or_whole(bool chunked)
    {
        Options.ChunkedSigning = chunked;
        await using var store = await OpenAsync();
        var bytes = Some(17 * 1024 * 1024);
        await store.PutAsync("packs/one", bytes, Stop);
        AssertSame(bytes, await ReadAllAsync(store, "packs/one"));
    }
}

/// <summary>What becomes of transfers when radosgw dies in the middle of them.</summary>
[Collection(nameof(CephServer))]
public sealed class CephRestartTests(CephServer server) : IAsyncLifetime
{
    private const int Length = 96 * 1024 * 1024;

    // It may take half a minute to come up where the machine is busy.
    private const int Retries = 40;

    private S3Objects _store = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var options = await server.CreatePlaceAsync();
        options.Retries = Retries;
        _store = new S3Objects("s3", options, TimeProvider.System);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_put_goes_on_when_the_server_is_back()
    {
        var bytes = Some();
        var putting = _store.PutAsync("packs/one", bytes, Stop);
        await RestartAsync();
        await putting;

        Assert.Equal(Length, (await _store.FindAsync("packs/one", Stop))!.Value.Length);
        Assert.Equal(SHA256.HashData(bytes), SHA256.HashData(await ReadAsync()));
    }

    [Fact]
    public async Task A_read_goes_on_when_the_server_is_back()
    {
        var bytes = Some();
        await _store.PutAsync("packs/one", bytes, Stop);
        var reading = ReadAsync();
        await RestartAsync();
        Assert.Equal(SHA256.HashData(bytes), SHA256.HashData(await reading));
    }

    [Fact]
    public async Task An_object_grows_on_when_the_server_is_back()
    {
        var bytes = Some();
        await using var appender = await _store.OpenAppenderAsync("staging/a.log", Stop);
        var appending = Task.Run(
            async () =>
            {
                for (var at = 0; at < Length; at += 1 << 20)
                    await appender.AppendAsync(bytes.AsMemory(at, 1 << 20), Stop);
                await appender.SealAsync("packs/one", Stop);
            },
            Stop);
        await RestartAsync();
        await appending;

        Assert.Equal(SHA256.HashData(bytes), SHA256.HashData(await ReadAsync()));
        Assert.Equal(["packs/one"], await _store.ListAsync("", Stop).Select(o => o.Name).ToListAsync(Stop));
    }

    private static byte[] Some()
    {
        var bytes = new byte[Length];
        new Random(3).NextBytes(bytes);
        return bytes;
    }

    private async Task RestartAsync()
    {
        await server.KillGatewayAsync();
        await server.StartGatewayAsync();
    }

    private async Task<byte[]> ReadAsync()
    {
        var bytes = new byte[Length];
        Assert.Equal(Length, await _store.ReadAsync("packs/one", 0, bytes, Stop));
        return bytes;
    }
}
