using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Vitrine.Catalogue;
using Vitrine.Catalogue.Database;
using Vitrine.Events;
using Vitrine.Images;
using Vitrine.Limits;
using Vitrine.Metadata;
using Vitrine.Nodes;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Testing;
using Vitrine.Transfers;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace Vitrine.ContractTests.Catalogue;

/// <summary>A catalogue in a database of its own, registered and started as the server does it.</summary>
public abstract class CatalogueFixture : IAsyncLifetime
{
    private ServiceProvider? _services;

    public ICatalogue Catalogue => Get<ICatalogue>();
    public IImageCatalogue Images => Get<IImageCatalogue>();
    public ITransferCatalogue Transfers => Get<ITransferCatalogue>();
    public IReplicaCatalogue Replicas => Get<IReplicaCatalogue>();
    public IReplicationCatalogue Replications => Get<IReplicationCatalogue>();
    public IStoreOperationCatalogue Operations => Get<IStoreOperationCatalogue>();
    public IAddedStoreCatalogue AddedStores => Get<IAddedStoreCatalogue>();
    public IDefinitionCatalogue Definitions => Get<IDefinitionCatalogue>();
    public IDescriptionCatalogue Descriptions => Get<IDescriptionCatalogue>();
    public ILimitCatalogue Limits => Get<ILimitCatalogue>();
    public IQuotaCatalogue Quotas => Get<IQuotaCatalogue>();
    public INodeCatalogue Nodes => Get<INodeCatalogue>();
    public IExaminationCatalogue Examinations => Get<IExaminationCatalogue>();
    public IEventCatalogue Events => Get<IEventCatalogue>();
    public CatalogueKeys Keys => Get<CatalogueKeys>();
    internal CatalogueDatabase Database => Get<CatalogueDatabase>();

    public async ValueTask InitializeAsync() =>
        _services = await StartAsync(await CreateAsync(CancellationToken.None), CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _services!.DisposeAsync();
        await DeleteAsync();
        GC.SuppressFinalize(this);
    }

    /// <returns>The connection string of an empty database.</returns>
    public abstract Task<string> CreateAsync(CancellationToken cancellationToken);

    /// <summary>A server's worth of services on a database, started.</summary>
    public static async Task<ServiceProvider> StartAsync(string connectionString, CancellationToken cancellationToken)
    {
        var services = Services(connectionString);
        foreach (var service in services.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
            await service.StartingAsync(cancellationToken);

        return services;
    }

    public static ServiceProvider Services(string connectionString) => new ServiceCollection()
        .AddSingleton(TimeProvider.System)
        .AddLogging()
        .AddCatalogue(new CatalogueOptions { ConnectionString = connectionString })
        .BuildServiceProvider();

    protected virtual Task DeleteAsync() => Task.CompletedTask;

    private T Get<T>() where T : notnull => _services!.GetRequiredService<T>();
}

public sealed class SqliteFixture : CatalogueFixture
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-catalogue-");

    public IEnumerable<string> Files => _directory.EnumerateFiles().Select(file => file.FullName);

    public override Task<string> CreateAsync(CancellationToken cancellationToken) =>
        Task.FromResult($"Data Source={Path.Combine(_directory.FullName, $"{Guid.NewGuid():N}.db")}");

    protected override Task DeleteAsync()
    {
        _directory.Delete(recursive: true);
        return Task.CompletedTask;
    }
}

public sealed class PostgresFixture(PostgresServer server) : CatalogueFixture
{
    public override Task<string> CreateAsync(CancellationToken cancellationToken) => server.CreateDatabaseAsync(cancellationToken);
}
