using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vitrine.Access;
using Vitrine.Catalogue;
using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.Formats.Wrappers;
using Vitrine.Nodes;
using Vitrine.OpenStack.Identity;
using Vitrine.OpenStack.Images;
using Vitrine.Sources;
using Vitrine.Stores;
using Vitrine.Stores.FileSystem;
using Vitrine.Transfers;

[assembly: AssemblyFixture(typeof(Vitrine.ApiTests.LibraryHost))]

namespace Vitrine.ApiTests;

/// <summary>
/// A whole library in this process: facts in a SQLite file, content in a directory, its faces on a port of 127.0.0.1. Imports
/// run as soon as they are asked for, and may fetch from this machine alone.
/// </summary>
/// <remarks>All tests share one, so each works in a project of its own: <see cref="NewProjectAsync"/>.</remarks>
public sealed class LibraryHost : IAsyncLifetime
{
    public const string StoreName = "fast";
    public const string OtherStoreName = "slow";

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("vitrine-api-");
    private readonly LibraryOptions _options;
    private readonly bool _oneStore;
    private WebApplication? _app;
    private TestUsers? _users;

    public LibraryHost()
        : this(new LibraryOptions { MaxImageSize = MaxImageSize }, oneStore: false)
    {
    }

    private LibraryHost(LibraryOptions options, bool oneStore) => (_options, _oneStore) = (options, oneStore);

    /// <summary>The largest content that the shared library takes, in bytes.</summary>
    public static long MaxImageSize => 8 << 20;

    /// <summary>Without a path, and without a slash at the end.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Follows no redirects, as tests look at them.</summary>
    public HttpClient Http { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });

    public IServiceProvider Services => App.Services;

    private WebApplication App => _app ?? throw new InvalidOperationException("The library was not started.");

    /// <summary>A library of a test's own, with the default store alone, as in a small installation.</summary>
    public static async Task<LibraryHost> StartSmallAsync(LibraryOptions? options = null)
    {
        var host = new LibraryHost(options ?? new LibraryOptions(), oneStore: true);
        await host.InitializeAsync();
        return host;
    }

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = _root.FullName });
        builder.Logging.ClearProviders().AddConsole().SetMinimumLevel(LogLevel.Error);
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>("Sources:AllowedNetworks:0", "127.0.0.0/8")]);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        AddLibrary(builder.Services);

        _app = builder.Build();
        _app.MapKeystone();
        _app.MapGlance();
        await _app.StartAsync(CancellationToken.None);
        Address = Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        await Services.GetRequiredService<Bootstrap>().RunAsync(Guid.NewGuid().ToString(), CancellationToken.None);
        _users = await TestUsers.MakeAsync(() => Services, CancellationToken.None);
    }

    /// <summary>A project that no other test knows, with a user for each of the built-in roles.</summary>
    /// <param name="domain">The identity domain; null for the default one.</param>
    public Task<TestProject> NewProjectAsync(CancellationToken cancellationToken, string? domain = null) =>
        (_users ?? throw new InvalidOperationException("The library was not started."))
            .NewProjectAsync(domain ?? IdentityIds.DefaultDomain, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync(CancellationToken.None);
            await Services.GetRequiredService<PromptScheduler>().WhenIdleAsync();
            await _app.DisposeAsync();
        }

        _root.Delete(recursive: true);
    }

    private void AddLibrary(IServiceCollection services)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddDataProtection().PersistKeysToFileSystem(_root.CreateSubdirectory("keys"));
        services.AddCatalogue(new CatalogueOptions { ConnectionString = $"Data Source={Path.Combine(_root.FullName, "catalogue.db")}" });
        services.AddIdentity();
        services.AddKeystone();
        services.AddGlance();
        services.AddSources();
        services.AddSingleton(_options);
        services.AddSingleton(new ThisNode("node-1", Guid.NewGuid().ToString(), "zone-1"));
        services.AddSingleton<IFormatInspector, FormatInspector>();
        services.AddSingleton<Disks.IDiskFormats>(new DiskFormats());
        services.AddSingleton<IContentWrappers, ContentWrappers>();
        services.AddSingleton(new StoreRegistry(_oneStore ? [NewStore(StoreName)] : [NewStore(StoreName), NewStore(OtherStoreName)]));
        services.AddSingleton<PromptScheduler>();
        services.AddSingleton<ITransferScheduler>(provider => provider.GetRequiredService<PromptScheduler>());
        services.AddLibrary();
    }

    private (LibraryStore, IContentStore) NewStore(string name) => (
        new LibraryStore(name, "zone-1", "directory", $"The {name} store", IsDefault: name == StoreName),
        FileSystemStore.Open(name, _root.CreateSubdirectory(name).FullName));
}
