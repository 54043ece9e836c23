using System.Reflection;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Vitrine.Catalogue;
using Vitrine.Cluster;
using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.Formats.Wrappers;
using Vitrine.Nodes;
using Vitrine.Server.Exports;
using Vitrine.Server.Operations;
using Vitrine.Sources;
using Vitrine.Stores;

namespace Vitrine.Server;

/// <summary>Names the concrete types behind the domain's seams, and nothing else does.</summary>
internal static class Composition
{
    public static string Version { get; } =
        typeof(Composition).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Reads and checks the options that decide what is put together.</summary>
    /// <exception cref="OptionsValidationException">All that is wrong with them.</exception>
    public static ServerOptions ReadOptions(IConfiguration configuration)
    {
        var options = configuration.GetSection("Server").Get<ServerOptions>() ?? new ServerOptions();
        options.Data = configuration["DATA"] ?? options.Data;
        if (configuration["PORT"] is { Length: > 0 } port)
            options.Listen = $"http://127.0.0.1:{port}";

        var result = new ServerOptionsValidator().Validate(name: null, options);
        var faults = (result.Failures ?? []).ToList();
        if (faults.Count == 0)
            faults.AddRange(options.Faults());
        if (faults.Count == 0 && RolesFault(configuration, options) is { } fault)
            faults.Add(fault);
        return faults.Count == 0 ? options : throw new OptionsValidationException("Server", typeof(ServerOptions), faults);
    }

    /// <summary>What one node leaves to others, these have to find.</summary>
    private static string? RolesFault(IConfiguration configuration, ServerOptions options)
    {
        if (configuration.GetSection("Server:Roles").GetChildren().Any())
            return "Server:Roles is a list: write it as one text, with a comma between.";

        var lacking = Enum.GetValues<NodeRole>().Except(options.ReadRoles()).ToList();
        return lacking.Count > 0 && (configuration["Catalogue:ConnectionString"] is not { } catalogue || IsFile(catalogue))
            ? $"Server:Roles is '{options.Roles}', without {lacking[0].Word()}: another node has to do that, and nodes share a catalogue on PostgreSQL. Set Catalogue:ConnectionString."
            : null;
    }

    public static IServiceCollection AddVitrine(this IServiceCollection services, IConfiguration configuration, ServerOptions options)
    {
        var node = new ThisNode(options.NodeName, Guid.CreateVersion7().ToString("N"), options.Zone) { Roles = options.ReadRoles() };
        var stores = ReadStores(configuration, options);
        var library = configuration.GetSection("Library").Get<LibraryOptions>() ?? new LibraryOptions();
        var catalogue = configuration["Catalogue:ConnectionString"];

        services.Configure<HostOptions>(host => host.ShutdownTimeout = options.StopTimeout);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton(node);
        services.AddSingleton(library);
        services.AddCatalogue(new CatalogueOptions { ConnectionString = catalogue ?? $"Data Source={options.PathOf("catalogue.db")}" });
        services.AddIdentity();
        services.AddKeys(options, shared: catalogue is not null);
        services.AddSources();
        services.AddSingleton<IFormatInspector, FormatInspector>();
        services.AddSingleton<Disks.IDiskFormats>(_ => new DiskFormats(Directory.CreateDirectory(options.PathOf("temporary")).FullName));
        services.AddSingleton<IContentWrappers, ContentWrappers>();
        var opener = new StoreOpener(stores, options);
        services.AddSingleton<IStoreOpener>(opener);
        services.AddSingleton(_ => opener.OpenConfigured());
        services.AddLibrary();
        services.AddHostedService<LibraryStart>();
        services.AddSingleton<INodeCheck>(p => new SharesCheck(
            [
                ("data", options.Data),
                .. stores.Where(s => s.Options.IsInDirectory).Select(s => (s.Name, s.Options.Path)),
                .. options.StorePaths.Select(path => ("added", path)),
            ],
            p.GetRequiredService<DoctorOptions>()));
        services.AddDiskExports(configuration);
        services.AddCluster(node, new ClusterOptions(
            options.Address, Version, [.. stores.Select(s => s.Name)], EngineFor(catalogue, options)));
        return services;
    }

    /// <summary>One node keeps its keys beside its catalogue; several share theirs through it.</summary>
    private static void AddKeys(this IServiceCollection services, ServerOptions options, bool shared)
    {
        var keys = services.AddDataProtection().SetApplicationName("vitrine");
        if (shared)
            services.AddOptions<KeyManagementOptions>().Configure<CatalogueKeys>((management, stored) => management.XmlRepository = stored);
        else
            keys.PersistKeysToFileSystem(new DirectoryInfo(options.PathOf("keys")));
    }

    private static JobEngine EngineFor(string? catalogue, ServerOptions options) => catalogue is null || IsFile(catalogue)
        ? new JobEngine.Embedded(SqliteFactory.Instance, $"Data Source={options.PathOf("jobs.db")}")
        : new JobEngine.Clustered(new CatalogueOptions { ConnectionString = catalogue }.Completed);

    private static bool IsFile(string connectionString) => connectionString.Contains("Data Source", StringComparison.OrdinalIgnoreCase);

    private static List<(string Name, StoreOptions Options)> ReadStores(IConfiguration configuration, ServerOptions options)
    {
        var configured = configuration.GetSection("Stores").GetChildren()
            .Select(section => (Name: section.Key, Options: section.Get<StoreOptions>() ?? new StoreOptions())).ToList();
        if (configured.Count == 0)
            configured.Add(("default", new StoreOptions { Description = "The store in the data directory" }));
        if (configured is [var only])
        {
            only.Options.Default = true;
            if (only.Options is { IsInDirectory: true, Path: "" })
                only.Options.Path = options.PathOf("store");
        }

        return configured;
    }
}
