using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Vitrine.Images;
using Vitrine.Limits;
using Vitrine.Metadata;
using Vitrine.Nodes;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine;

/// <summary>Puts the domain together from the seams that the composing program registers.</summary>
public static class LibraryServices
{
    /// <summary>
    /// Adds what faces and jobs call. The program adds the catalogues, the <see cref="StoreRegistry"/>, the <see cref="IStoreOpener"/>, the sources, the format
    /// inspector, the disk formats, the scheduler, the secrets, <see cref="ThisNode"/> and <see cref="LibraryOptions"/>.
    /// </summary>
    public static IServiceCollection AddLibrary(this IServiceCollection services)
    {
        services.AddSingleton<SourceRegistry>();
        services.AddSingleton<TransferHolds>();
        services.AddSingleton<OpenUploads>();
        services.AddSingleton<TransferDesk>();
        services.AddSingleton<TransferOutlook>();
        services.AddSingleton<TransferQueue>();
        services.AddSingleton<IncomingBandwidth>();
        services.AddSingleton<LimitDesk>();
        services.AddSingleton<NodeDuty>();
        services.AddSingleton<NodeDesk>();
        services.AddSingleton<ImageLibrary>();
        services.AddSingleton<PublishedChecksums>();
        services.AddSingleton<ImageImports>();
        services.AddSingleton<ImageReplicas>();
        services.AddSingleton<StorePlacement>();
        services.AddSingleton<ReplicaReaders>();
        services.AddSingleton<ImageDownloads>();
        services.AddSingleton<Disks.ImageDisks>();
        services.AddSingleton(p => new Disks.DiskTickets(
            p.GetRequiredService<Disks.ImageDisks>(), p.GetRequiredService<ImageDownloads>(), p.GetRequiredService<Disks.IDiskFormats>(),
            p.GetRequiredKeyedService<Access.ISecretProtector>(Disks.DiskTickets.Purpose), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new UploadTickets(
            p.GetRequiredService<ImageLibrary>(), p.GetRequiredService<IImageCatalogue>(), p.GetRequiredService<ITransferCatalogue>(),
            p.GetRequiredService<Access.IIdentityCatalogue>(), p.GetRequiredKeyedService<Access.ISecretProtector>(UploadTickets.Purpose),
            p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(p => new UploadForms(
            p.GetRequiredService<ImageLibrary>(), p.GetRequiredService<IImageCatalogue>(), p.GetRequiredService<Access.IIdentityCatalogue>(),
            p.GetRequiredKeyedService<Access.ISecretProtector>(UploadForms.Purpose), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<Events.EventFeed>();
        services.AddSingleton<ContentSweeper>();
        services.AddSingleton<StoreOperations>();
        services.AddSingleton<AddedStores>();
        services.AddSingleton<SyncRoutes>();
        services.AddSingleton<Replication>();
        services.AddSingleton<ReplicaRepair>();
        services.AddSingleton<IStoreWork, StoreUpkeep>();
        services.AddSingleton<IStoreWork, StoreSync>();
        services.AddSingleton<IStoreWork, ReplicaCleanup>();
        services.AddSingleton<IStoreWork, StoreRebuild>();
        services.AddSingleton<IStoreWork, StoreCheck>();
        services.AddSingleton<DescriptionKeeper>();
        services.AddSingleton(p => new StoreOperationRunner(
            p.GetRequiredService<IStoreOperationCatalogue>(), p.GetRequiredService<StoreRegistry>(), p.GetServices<IStoreWork>(),
            p.GetRequiredService<INodeCatalogue>(), p.GetRequiredService<ThisNode>(), p.GetRequiredService<NodeDuty>(),
            p.GetRequiredService<TimeProvider>(), p.GetRequiredService<Microsoft.Extensions.Logging.ILogger<StoreOperationRunner>>()));
        services.AddSingleton<DefinitionLibrary>();
        services.AddSingleton<ProjectQuotas>();
        services.AddSingleton(p => new ImageUploads(
            p.GetRequiredService<ImageLibrary>(), p.GetRequiredService<ICatalogue>(), p.GetRequiredService<StoreRegistry>(),
            p.GetRequiredService<StorePlacement>(), p.GetRequiredService<TransferDesk>(), p.GetRequiredService<TransferHolds>(), p.GetRequiredService<OpenUploads>(),
            p.GetRequiredService<IUploadPartCatalogue>()));
        services.AddSingleton(p => new UploadParts(
            p.GetRequiredService<IUploadPartCatalogue>(), p.GetRequiredService<TransferDesk>(), p.GetRequiredService<TransferHolds>()));
        services.AddSingleton(p => new TransferRunner(
            p.GetRequiredService<TransferHolds>(), p.GetRequiredService<SourceRegistry>(), p.GetRequiredService<StoreRegistry>(),
            p.GetRequiredService<ReplicaReaders>(), p.GetRequiredService<IUploadPartCatalogue>(), p.GetRequiredService<Access.ISecretProtector>(),
            p.GetRequiredService<INodeCatalogue>(), p.GetRequiredService<NodeDuty>(), p.GetRequiredService<Microsoft.Extensions.Logging.ILogger<TransferRunner>>()));
        return services.AddDoctor();
    }

    private static IServiceCollection AddDoctor(this IServiceCollection services)
    {
        services.TryAddSingleton(new DoctorOptions());
        services.AddSingleton<INodeCheck, CatalogueCheck>();
        services.AddSingleton<INodeCheck, StoresCheck>();
        services.AddSingleton<INodeCheck, NodesCheck>();
        services.AddSingleton<SourceCheck>();
        services.AddSingleton<Examinations>();
        return services.AddSingleton<Doctor>();
    }
}
