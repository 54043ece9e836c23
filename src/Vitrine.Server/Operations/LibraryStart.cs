using Microsoft.Extensions.Options;
using Vitrine.Access;
using Vitrine.OpenStack.Identity;
using Vitrine.Stores;

namespace Vitrine.Server.Operations;

/// <summary>Makes the catalogue know the administrator, the zone and the stores before anybody can ask.</summary>
internal sealed partial class LibraryStart(
    Bootstrap bootstrap, StoreRegistry stores, AddedStores added, IReplicaCatalogue replicas, DataDirectory data, IConfiguration configuration,
    IOptions<OpenStackOptions> openStack, ILogger<LibraryStart> logger)
    : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        // Where the cloud knows its users, nobody else gets in.
        if (!openStack.Value.Keystone.IsUsed)
            await bootstrap.RunAsync(configuration["ADMIN_PASSWORD"] ?? data.InitialPassword(), cancellationToken);
        await CheckStoresAsync(cancellationToken);
        foreach (var store in stores.All)
            await replicas.SaveStoreAsync(new Zone(store.Zone, ""), store, cancellationToken);

        await added.LookAsync(cancellationToken);
        LogStarted(data.Path, stores.All.Count, stores.Default.Name);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <exception cref="OptionsValidationException">A store is configured under the name, or in the place, of one that was added while the library ran.</exception>
    private async Task CheckStoresAsync(CancellationToken cancellationToken)
    {
        var clashes = await added.ListClashesAsync(cancellationToken);
        if (clashes.Count > 0)
            throw new OptionsValidationException("Stores", typeof(StoreOptions), clashes.Select(Explain));
    }

    private static string Explain((string Configured, string Added) clash) => clash.Configured == clash.Added
        ? $"Stores:{clash.Configured}: a store of this name was added while the library ran, and needs no configuration. Another one needs another name and a place of its own."
        : $"Stores:{clash.Configured}: the store '{clash.Added}', which was added while the library ran, is in this place. It needs no configuration; another one needs a place of its own.";

    [LoggerMessage(LogLevel.Information, "The library in {Data} is open: {Stores} stores, {Default} by default")]
    private partial void LogStarted(string data, int stores, string @default);
}
