using Microsoft.Extensions.Options;
using Vitrine.Access;
using Vitrine.OpenStack.Identity;
using Vitrine.Stores;

namespace Vitrine.Server.Operations;

/// <summary>Makes the catalogue know the administrator, the zone and the stores before anybody can ask.</summary>
internal sealed partial class LibraryStart(
    Bootstrap bootstrap, StoreRegistry stores, AddedStores addedStores, IAddedStoreCatalogue added, IReplicaCatalogue replicas, DataDirectory data, IConfiguration configuration,
    IOptions<OpenStackOptions> openStack, ILogger<LibraryStart> logger)
    : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        // Where the cloud knows its users, nobody else gets in.
        if (!openStack.Value.Keystone.IsUsed)
            await bootstrap.RunAsync(configuration["ADMIN_PASSWORD"] ?? data.InitialPassword(), cancellationToken);
        await CheckNamesAsync(cancellationToken);
        foreach (var store in stores.All)
            await replicas.SaveStoreAsync(new Zone(store.Zone, ""), store, cancellationToken);

        await addedStores.LookAsync(cancellationToken);
        LogStarted(data.Path, stores.All.Count, stores.Default.Name);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <exception cref="OptionsValidationException">A store is configured under a name that one has which was added while the library ran.</exception>
    private async Task CheckNamesAsync(CancellationToken cancellationToken)
    {
        var taken = (await added.ListAsync(cancellationToken)).Select(a => a.Store.Name).Where(stores.Has).ToList();
        if (taken.Count > 0)
            throw new OptionsValidationException(
                "Stores", typeof(StoreOptions), taken.Select(name => $"Stores:{name}: a store of this name was added while the library ran; configure this one under another."));
    }

    [LoggerMessage(LogLevel.Information, "The library in {Data} is open: {Stores} stores, {Default} by default")]
    private partial void LogStarted(string data, int stores, string @default);
}
