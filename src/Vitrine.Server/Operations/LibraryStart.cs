using Microsoft.Extensions.Options;
using Vitrine.Access;
using Vitrine.OpenStack.Identity;
using Vitrine.Stores;

namespace Vitrine.Server.Operations;

/// <summary>Makes the catalogue know the administrator, the zone and the stores before anybody can ask.</summary>
internal sealed partial class LibraryStart(
    Bootstrap bootstrap, StoreRegistry stores, IReplicaCatalogue replicas, DataDirectory data, IConfiguration configuration,
    IOptions<OpenStackOptions> openStack, ILogger<LibraryStart> logger)
    : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        // Where the cloud knows its users, nobody else gets in.
        if (!openStack.Value.Keystone.IsUsed)
            await bootstrap.RunAsync(configuration["ADMIN_PASSWORD"] ?? data.InitialPassword(), cancellationToken);
        foreach (var store in stores.All)
            await replicas.SaveStoreAsync(new Zone(store.Zone, ""), store, cancellationToken);

        LogStarted(data.Path, stores.All.Count, stores.Default.Name);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(LogLevel.Information, "The library in {Data} is open: {Stores} stores, {Default} by default")]
    private partial void LogStarted(string data, int stores, string @default);
}
