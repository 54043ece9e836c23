using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Vitrine.Access;
using Vitrine.Catalogue;
using Vitrine.Catalogue.Stores;
using Vitrine.Catalogue.Transfers;
using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.Formats.Wrappers;
using Vitrine.Images;
using Vitrine.Limits;
using Vitrine.Nodes;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.FileSystem;
using Vitrine.Testing.Library;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Library;

/// <summary>What outlives the processes of a library: a database, a directory, the sources it fetches from, and time.</summary>
internal sealed class LibraryHome : IDisposable
{
    public const string Main = "main";
    public const int Block = 256 * 1024;

    /// <summary>
    /// What is in memory when a process is killed, in bytes: the eight blocks that wait and the one in work, in each of the two lanes
    /// that bytes pass on their way into the store, and the one being filled.
    /// </summary>
    public const int Unwritten = (2 * (8 + 1) + 1) * Block;

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("vitrine-library-");
    private int _catalogue;

    public LibraryHome() => _root.CreateSubdirectory("store");

    public EagerClock Clock { get; } = new();
    public ScriptedSource Source { get; } = new();
    public EphemeralDataProtectionProvider Keys { get; } = new();

    /// <summary>Whether the stores keep equal blocks once, or each content as a file.</summary>
    public bool IsChunked { get; init; }

    /// <summary>In which formats the main store keeps what comes, from the next start of a node on.</summary>
    public ConversionPolicy Conversion { get; set; } = ConversionPolicy.None;

    /// <summary>In which zone a store beside the main one is.</summary>
    public Func<string, string> ZoneOf { get; set; } = name => name;

    public string ConnectionString => $"Data Source={Path.Combine(_root.FullName, $"catalogue-{_catalogue}.db")}";

    public static Caller Caller { get; } = new(new UserId("user"), new ProjectId("project"), "default", new HashSet<string> { RoleNames.Member });

    public IContentStore OpenStore() => OpenStore(Main, Path.Combine(_root.FullName, "store"));

    /// <summary>A store beside the main one.</summary>
    public IContentStore OpenStore(string name) => OpenStore(name, _root.CreateSubdirectory(name).FullName);

    /// <summary>From now on there is a new, empty catalogue.</summary>
    public void LoseCatalogue() => _catalogue++;

    /// <summary>Where a store beside the main one lies.</summary>
    public string PathOf(string name) => Path.Combine(_root.FullName, name);

    /// <summary>Puts a file behind an address.</summary>
    public (string Url, byte[] Content) Publish(int size, int seed = 1)
    {
        var content = new byte[size];
        new Random(seed).NextBytes(content);
        return (Publish(content), content);
    }

    public string Publish(byte[] content)
    {
        var path = $"/{Guid.NewGuid():N}.img";
        Source.Files[path] = content;
        return $"http://source.test{path}";
    }

    public async Task<LibraryNode> StartAsync(
        string name = "node-1", Func<IContentStore, IContentStore>? store = null, Life? life = null, LibraryOptions? options = null,
        params string[] others)
    {
        var node = new LibraryNode(this, name, store ?? (real => real), life ?? new Life(int.MaxValue), options ?? new LibraryOptions(), others);
        await node.StartAsync();
        return node;
    }

    public void Dispose() => _root.Delete(recursive: true);

    private IContentStore OpenStore(string name, string path) => IsChunked
        ? ChunkedStore.InDirectory(name, path, new ChunkedStoreOptions(), TimeProvider.System)
        : FileSystemStore.Open(name, path);
}

/// <summary>The objects of one process, put together as the server does it.</summary>
internal sealed class LibraryNode : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly LibraryHome _home;
    private readonly ThisNode _node;

    public LibraryNode(LibraryHome home, string name, Func<IContentStore, IContentStore> store, Life life, LibraryOptions options, IReadOnlyList<string> others)
    {
        (_home, _node) = (home, new ThisNode(name, $"run-{Guid.NewGuid():N}", "default"));
        Store = store(life.Wrap(home.OpenStore()));
        var registry = new StoreRegistry(
        [
            (new LibraryStore(LibraryHome.Main, "default", "directory", "", IsDefault: true) { Conversion = home.Conversion }, Store),
            .. others.Select(o => (new LibraryStore(o, home.ZoneOf(o), "directory", "", IsDefault: false), life.Wrap(home.OpenStore(o)))),
        ]);
        _services = new ServiceCollection()
            .AddLogging()
            .AddMetrics()
            .AddCatalogue(new CatalogueOptions { ConnectionString = home.ConnectionString })
            .AddSingleton<SqlCatalogue>()
            .AddSingleton(p => Watch(life, new WatchedCatalogue(p.GetRequiredService<SqlCatalogue>())))
            .AddSingleton<ICatalogue>(p => p.GetRequiredService<WatchedCatalogue>())
            .AddSingleton<ReplicaCatalogue>()
            .AddSingleton(p => life.Wrap(p.GetRequiredService<ReplicaCatalogue>()))
            .AddSingleton<UploadPartCatalogue>()
            .AddSingleton(p => life.Wrap(p.GetRequiredService<UploadPartCatalogue>()))
            .AddLibrary()
            .AddSingleton<TimeProvider>(home.Clock)

            // An eager clock would end its patience at once.
            .AddSingleton(provider => new PublishedChecksums(provider.GetRequiredService<SourceRegistry>(), TimeProvider.System))
            .AddSingleton<ISource>(home.Source)
            .AddSingleton<IFormatInspector>(new FormatInspector())
            .AddSingleton<Disks.IDiskFormats>(new DiskFormats())
            .AddSingleton<IContentWrappers>(new ContentWrappers())
            .AddSingleton<ITransferScheduler>(new Reminders())
            .AddSingleton<IStoreOperationScheduler>(new Reminders())
            .AddSingleton<ISecretProtector>(new DataProtectionSecrets(home.Keys, "secrets"))
            .AddSingleton(registry)
            .AddSingleton(options)
            .AddSingleton(_node)
            .BuildServiceProvider();
    }

    /// <summary>As the process sees it, with whatever was put around it.</summary>
    public IContentStore Store { get; }

    public string Instance => _node.Instance;
    public ImageLibrary Library => Get<ImageLibrary>();
    public ImageImports Imports => Get<ImageImports>();
    public ImageUploads Uploads => Get<ImageUploads>();
    public ImageDownloads Downloads => Get<ImageDownloads>();
    public ImageReplicas Copies => Get<ImageReplicas>();
    public Replication Replication => Get<Replication>();
    public StoreOperations Operations => Get<StoreOperations>();
    public StoreOperationRunner OperationRunner => Get<StoreOperationRunner>();
    public StoreRegistry Registry => Get<StoreRegistry>();
    public DescriptionKeeper Describer => Get<DescriptionKeeper>();
    public UploadParts Parts => Get<UploadParts>();
    public TransferDesk Desk => Get<TransferDesk>();
    public TransferRunner Runner => Get<TransferRunner>();
    public ContentSweeper Sweeper => Get<ContentSweeper>();
    public TransferQueue Queue => Get<TransferQueue>();
    public NodeDuty Duty => Get<NodeDuty>();
    public IncomingBandwidth Bandwidth => Get<IncomingBandwidth>();
    public LimitDesk Limits => Get<LimitDesk>();
    public IQuotaCatalogue Quotas => Get<IQuotaCatalogue>();
    public INodeCatalogue Nodes => Get<INodeCatalogue>();
    public IDescriptionCatalogue Descriptions => Get<IDescriptionCatalogue>();
    public WatchedCatalogue Catalogue => Get<WatchedCatalogue>();
    public IReplicaCatalogue Replicas => Get<IReplicaCatalogue>();
    public ITransferCatalogue Transfers => Get<ITransferCatalogue>();
    public IImageCatalogue Images => Get<IImageCatalogue>();

    private static Caller Caller => LibraryHome.Caller;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async Task StartAsync()
    {
        foreach (var service in _services.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
            await service.StartingAsync(Stop);
        foreach (var store in Registry.All)
            await Replicas.SaveStoreAsync(new Zone(store.Zone, ""), store, Stop);
        await BeatAsync();
    }

    public Task BeatAsync()
    {
        var now = _home.Clock.Now();
        var node = new Node(_node.Name, Instance, "default", _node.Roles, "http://node", "1", now, now)
        {
            Stores = [.. Registry.All.Select(s => s.Name)],
        };
        return Nodes.SaveAsync(node, Stop);
    }

    public async Task<(ImageId Image, TransferId Transfer)> ImportAsync(
        string url, Checksum? expected = null, bool allowDuplicate = false, Func<Image, Image>? describe = null)
    {
        var (image, transfer) = await Imports.RegisterAsync(
            new ImportRequest(url, expected, Store: null, allowDuplicate), Caller, describe ?? (i => i with { Name = "an image" }), Stop);
        return (image.Id, transfer.Id);
    }

    public Task RunAsync(TransferId id) => Runner.RunAsync(id, Stop);

    /// <summary>Does what a node does at each beat: carries on with what nobody works on.</summary>
    public async Task AdoptAsync()
    {
        foreach (var transfer in await Transfers.ListOrphansAsync([], Stop))
        {
            if (transfer.Node != Instance || Runner.HasAbandoned(transfer))
                await Runner.RunAsync(transfer.Id, Stop);
        }
    }

    public async Task<ImageId> NewImageAsync() =>
        (await Library.CreateAsync(Caller, id: null, owner: null, i => i with { Name = "an image" }, Stop)).Id;

    public Task<Transfer> BeginAsync(ImageId image, long length, Checksum? expected = null) =>
        Uploads.BeginAsync(image, length, expected, store: null, Caller, Stop);

    public Task<Transfer> AppendAsync(TransferId id, long offset, ReadOnlyMemory<byte> bytes) =>
        Uploads.AppendAsync(id, offset, new ScriptedStream(bytes), Caller, Stop);

    public Task ReceiveAsync(ImageId image, byte[] bytes) =>
        Uploads.ReceiveAsync(image, new ScriptedStream(bytes), bytes.Length, store: null, Caller, Stop);

    public async Task<Transfer> TransferAsync(TransferId id) => (await Transfers.FindAsync(id, Stop))!;

    public async Task<Image> ImageAsync(ImageId id) => (await Images.FindAsync(id, Stop))!;

    public async Task<byte[]> DownloadAsync(ImageId id)
    {
        await using var reader = (await Downloads.OpenAsync(id, Caller, Stop)).Reader;
        var bytes = new byte[reader.Length];
        for (var read = 0; read < bytes.Length;)
            read += await reader.ReadAsync(read, bytes.AsMemory(read), Stop);

        return bytes;
    }

    public async Task AssertActiveAsync(ImageId id, byte[] content)
    {
        var image = await ImageAsync(id);
        Assert.Equal((ImageStatus.Active, Digest.Of(content), content.Length), (image.Status, image.Content?.Digest, image.Size));
        Assert.Equal(content, await DownloadAsync(id));
        var replica = Assert.Single(await Replicas.ListAsync([id], Stop));
        Assert.Equal((ReplicaState.Ready, Digest.Of(content)), (replica.State, replica.Digest));
        Assert.Equal(TransferState.Done, (await TransferAsync(image.Transfer!.Value)).State);
    }

    /// <summary>The states and steps of the transfers that are stored from now on, without repetitions.</summary>
    public IReadOnlyList<string> WatchSteps()
    {
        var steps = new List<string>();
        Catalogue.After = change =>
        {
            if (change.Moving() is { } saved && steps.LastOrDefault() != $"{saved.State.Word()} {saved.Step}")
                steps.Add($"{saved.State.Word()} {saved.Step}");
            return Task.CompletedTask;
        };
        return steps;
    }

    /// <summary>One sweep of every store.</summary>
    public async Task<SweepResult> SweepAsync()
    {
        var result = new SweepResult(0, 0, 0);
        foreach (var store in Registry.All)
            result += await Sweeper.SweepAsync(store.Name, Stop);
        return result;
    }

    /// <summary>Has every store describe what was changed.</summary>
    public async Task DescribeAsync()
    {
        foreach (var store in Registry.All)
            await Describer.RunAsync(store.Name, Stop);
    }

    /// <summary>One sweep, after which the store holds what images refer to, and nothing else.</summary>
    public async Task AssertSweptAsync(params byte[][] contents)
    {
        await SweepAsync();
        await AssertHoldsAsync(contents);
    }

    public async Task AssertHoldsAsync(params byte[][] contents)
    {
        Assert.Equal(
            contents.Select(c => Digest.Of(c).Hex).Distinct().Order(StringComparer.Ordinal),
            (await Store.ListAsync(Stop).ToListAsync(Stop)).Select(c => c.Digest.Hex).Order(StringComparer.Ordinal));
        Assert.Empty(await Store.ListStagedAsync(Stop).ToListAsync(Stop));
        var use = await Replicas.MeasureAsync(LibraryHome.Main, Stop);
        Assert.Equal(contents.DistinctBy(c => Digest.Of(c)).Sum(c => (long)c.Length), use.Stored);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private static WatchedCatalogue Watch(Life life, WatchedCatalogue catalogue)
    {
        life.Watch(catalogue);
        return catalogue;
    }

    private T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Reminds nobody: the tests say when a transfer or an operation is worked on.</summary>
    private sealed class Reminders : ITransferScheduler, IStoreOperationScheduler
    {
        public Task ScheduleAsync(TransferId id, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task ScheduleAsync(StoreOperationId id, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
