using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spectre.Console;
using Vitrine.Access;
using Vitrine.Catalogue;
using Vitrine.Cli;
using Vitrine.Client;
using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.Formats.Wrappers;
using Vitrine.Nodes;
using Vitrine.OpenStack.Identity;
using Vitrine.Server;
using Vitrine.Server.Rest;
using Vitrine.Sources;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.FileSystem;
using Vitrine.Transfers;

// As the server is.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace Vitrine.ApiTests.Rest;

/// <summary>
/// A library in this process with our own face, on a port of 127.0.0.1 that it keeps when it is restarted, as everything it
/// keeps stays in its directory. Imports may fetch from this machine alone.
/// </summary>
public sealed class RestLibrary : IAsyncLifetime
{
    /// <summary>A store that keeps equal blocks once, and collects without a grace time.</summary>
    public const string SharingStore = "sharing";

    /// <summary>Below the root, where stores may be added.</summary>
    public const string StorePath = "added";

    public const string AdminPassword = "the admin's password";

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("vitrine-rest-");
    private WebApplication? _app;
    private int _port;
    private Task<TestUsers>? _users;
    private Task<TestProject>? _shared;

    internal LoggedErrors Log { get; } = new();

    public LibraryOptions Options { get; } = new() { MaxImageSize = 64 << 20 };

    /// <summary>The Keystone that knows the users; null where the library itself does.</summary>
    public string? Keystone { get; init; }

    public Uri Address => new($"http://127.0.0.1:{_port}/");

    public string Root => _root.FullName;

    public HttpClient Http { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });

    public IServiceProvider Services => App.Services;

    /// <summary>Runs a command as its users do, who know no more than the address and a token.</summary>
    public async Task<(int Code, string Out)> CommandAsync(string token, params string[] words)
    {
        using var output = new StringWriter();
        var terminal = new CliTerminal
        {
            In = TextReader.Null,
            Out = output,
            Error = TextWriter.Null,
            OpenBytes = () => Stream.Null,
            Variable = name => name switch
            {
                "VITRINE_CONFIG" => Path.Combine(Root, "no-cli.json"),
                "VITRINE_URL" => Address.ToString(),
                "VITRINE_TOKEN" => token,
                _ => null,
            },
            IsInteractive = false,
            Bars = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) }),
        };
        return (await VitrineCli.RunAsync(words, terminal, TestContext.Current.CancellationToken), output.ToString());
    }

    private WebApplication App => _app ?? throw new InvalidOperationException("The library is not running.");

    public async ValueTask InitializeAsync()
    {
        await StartAsync();
        await Services.GetRequiredService<Bootstrap>().RunAsync(AdminPassword, CancellationToken.None);
    }

    /// <summary>Another run on the same directory and port, as if the process had been ended and started.</summary>
    public async Task StartAsync()
    {
        _app = Build();
        await _app.StartAsync(CancellationToken.None);
        _port = new Uri(_app.Urls.Single()).Port;

        var replicas = Services.GetRequiredService<IReplicaCatalogue>();
        foreach (var store in Services.GetRequiredService<StoreRegistry>().All)
            await replicas.SaveStoreAsync(new Zone("zone-1", "The first zone"), store, CancellationToken.None);
        await Services.GetRequiredService<AddedStores>().LookAsync(CancellationToken.None);
        await ReportAsync(NodeMode.Open);
    }

    /// <summary>Does what a heartbeat of the node does.</summary>
    public Task ReportAsync(NodeMode obeys)
    {
        var (node, now) = (Services.GetRequiredService<ThisNode>(), TimeProvider.System.Now());
        Services.GetRequiredService<NodeDuty>().Obey(obeys);
        var report = new Node(node.Name, node.Instance, node.Zone, node.Roles, Address.ToString(), "0.1.0", now, now)
        {
            Stores = [.. Services.GetRequiredService<StoreRegistry>().All.Select(s => s.Name)],
            Obeys = obeys,
        };
        return Services.GetRequiredService<INodeCatalogue>().SaveAsync(report, CancellationToken.None);
    }

    /// <summary>Cuts every connection and lets go of everything.</summary>
    public async Task StopAsync()
    {
        await App.StopAsync(CancellationToken.None);
        await Services.GetRequiredService<PromptScheduler>().WhenIdleAsync();
        await Services.GetRequiredService<PromptStoreScheduler>().WhenIdleAsync();

        // The end of a process closes its files; within one process somebody has to.
        await Services.GetRequiredService<OpenUploads>().TidyAsync(TimeSpan.Zero, CancellationToken.None);
        await App.DisposeAsync();
        _app = null;
    }

    public async Task<TestProject> NewProjectAsync()
    {
        var users = await (_users ??= TestUsers.MakeAsync(() => Services, CancellationToken.None));
        return await users.NewProjectAsync(IdentityIds.DefaultDomain, TestContext.Current.CancellationToken);
    }

    /// <summary>One that tests share which make nothing that others could see, as it costs a while to make.</summary>
    public Task<TestProject> SharedProjectAsync() => _shared ??= NewProjectAsync();

    public LibraryClient ClientOf(string token) => new(Address, new LibraryClientOptions { Token = token });

    /// <summary>Sends a request as it is, for tests of what clients would not send.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? token, HttpContent? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(Address, path)) { Content = body };
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value) || body!.Headers.TryAddWithoutValidation(name, value));
        return await Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public static StringContent Json(string json) => new(json, MediaTypeHeaderValue.Parse("application/json"));

    /// <summary>The answer's problem, whose shape is checked on the way.</summary>
    public static async Task<ProblemRecord> ProblemOf(HttpResponseMessage response)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = await response.Content.ReadFromJsonAsync(LibraryJson.Default.ProblemRecord, TestContext.Current.CancellationToken);
        Assert.Equal((int)response.StatusCode, problem!.Status);
        Assert.NotEmpty(problem.Code);
        Assert.NotEmpty(problem.Remedy);
        Assert.NotEmpty(problem.RequestId);
        return problem;
    }

    /// <summary>An active image with these bytes.</summary>
    public async Task<ImageRecord> MakeImageAsync(LibraryClient client, byte[] bytes, ImageCreate? describe = null, string? store = null)
    {
        var stop = TestContext.Current.CancellationToken;
        var created = await client.CreateImageAsync(
            (describe ?? new ImageCreate { Name = $"image {Guid.NewGuid():N}" }) with { Upload = new UploadRequest { Length = bytes.Length, Store = store } }, stop);
        var path = Path.Combine(Root, created.Image.Id);
        await File.WriteAllBytesAsync(path, bytes, stop);
        return await client.PushAsync(created.Upload!.Transfer, path, progress: null, stop);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_app is not null)
            await StopAsync();
        _root.Delete(recursive: true);
        Assert.True(Log.All.Count == 0, string.Join(Environment.NewLine, Log.All));
    }

    private WebApplication Build()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = _root.FullName });
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(Log);
        builder.Configuration.AddInMemoryCollection(
        [
            KeyValuePair.Create<string, string?>("Sources:AllowedNetworks:0", "127.0.0.0/8"),
            KeyValuePair.Create<string, string?>("Doctor:FreeSpaceFloor", "0"),
            KeyValuePair.Create<string, string?>("Doctor:FreePercentFloor", "0"),
            KeyValuePair.Create("OpenStack:Keystone:Url", Keystone),
        ]);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, _port));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(50));
        AddTo(builder.Services);

        var app = builder.Build();
        app.UseRestProblems();
        app.UseUploadsFromPages();
        app.MapUploads();
        app.MapUploadForms();
        app.MapRest();
        return app;
    }

    private void AddTo(IServiceCollection services)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddDataProtection().PersistKeysToFileSystem(_root.CreateSubdirectory("keys"));
        services.AddCatalogue(new CatalogueOptions { ConnectionString = $"Data Source={Path.Combine(_root.FullName, "catalogue.db")}" });
        services.AddIdentity();
        services.AddKeystone();
        services.AddSources();
        services.AddSingleton(Options);
        services.AddSingleton(new ServerOptions());
        services.AddSingleton(new ThisNode("node-1", Guid.NewGuid().ToString(), "zone-1"));
        services.AddSingleton<IFormatInspector, FormatInspector>();
        services.AddSingleton<Disks.IDiskFormats>(new DiskFormats());
        services.AddSingleton<IContentWrappers, ContentWrappers>();
        services.AddSingleton(new StoreRegistry([NewStore("main", isDefault: true), NewStore("other", isDefault: false), NewSharingStore()]));
        services.AddSingleton<IStoreOpener>(NewOpener());
        services.AddSingleton<PromptScheduler>();
        services.AddSingleton<ITransferScheduler>(provider => provider.GetRequiredService<PromptScheduler>());
        services.AddSingleton<PromptStoreScheduler>();
        services.AddSingleton<IStoreOperationScheduler>(provider => provider.GetRequiredService<PromptStoreScheduler>());
        services.AddLibrary();
        services.AddRest();
    }

    /// <summary>As if the main store were in the configuration.</summary>
    private StoreOpener NewOpener()
    {
        var main = new StoreOptions { Path = _root.CreateSubdirectory("main").FullName };
        return new StoreOpener([("main", main)], new ServerOptions { NodeName = "node-1", Zone = "zone-1", StorePaths = { _root.CreateSubdirectory(StorePath).FullName } });
    }

    private (LibraryStore, IContentStore) NewSharingStore() => (
        new LibraryStore(SharingStore, "zone-1", "chunked", "Keeps equal blocks once", IsDefault: false),
        ChunkedStore.InDirectory(
            SharingStore, _root.CreateSubdirectory(SharingStore).FullName, new ChunkedStoreOptions { CollectionGrace = TimeSpan.Zero }, TimeProvider.System));

    private (LibraryStore, IContentStore) NewStore(string name, bool isDefault) => (
        new LibraryStore(name, "zone-1", "directory", $"The {name} store", isDefault),
        FileSystemStore.Open(name, _root.CreateSubdirectory(name).FullName));
}
