using Microsoft.Extensions.DependencyInjection;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Catalogue.Events;
using Vitrine.Catalogue.Images;
using Vitrine.Catalogue.Limits;
using Vitrine.Catalogue.Metadata;
using Vitrine.Catalogue.Nodes;
using Vitrine.Catalogue.Quotas;
using Vitrine.Catalogue.Stores;
using Vitrine.Catalogue.Transfers;
using Vitrine.Events;
using Vitrine.Images;
using Vitrine.Limits;
using Vitrine.Metadata;
using Vitrine.Nodes;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Catalogue;

public static class CatalogueServices
{
    /// <summary>Keeps facts in the database that the options name, and brings it up to date before anything else starts.</summary>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">The options name no usable database.</exception>
    public static IServiceCollection AddCatalogue(this IServiceCollection services, CatalogueOptions options)
    {
        var dialect = Dialect.For(options.ConnectionString);
        services.AddSingleton(_ => new CatalogueDatabase(dialect));
        services.AddSingleton<Migrator>();
        services.AddHostedService<CatalogueStart>();
        services.AddSingleton<ICatalogue, SqlCatalogue>();
        services.AddSingleton<IImageCatalogue, ImageCatalogue>();
        services.AddSingleton<ITransferCatalogue, TransferCatalogue>();
        services.AddSingleton<IEventCatalogue, EventCatalogue>();
        services.AddSingleton<IUploadPartCatalogue, UploadPartCatalogue>();
        services.AddSingleton<IReplicaCatalogue, ReplicaCatalogue>();
        services.AddSingleton<IReplicationCatalogue, ReplicationCatalogue>();
        services.AddSingleton<IDescriptionCatalogue, DescriptionCatalogue>();
        services.AddSingleton<IStoreOperationCatalogue, StoreOperationCatalogue>();
        services.AddSingleton<IAddedStoreCatalogue, AddedStoreCatalogue>();
        services.AddSingleton<ILimitCatalogue, LimitCatalogue>();
        services.AddSingleton<IDefinitionCatalogue, DefinitionCatalogue>();
        services.AddSingleton<IQuotaCatalogue, QuotaCatalogue>();
        services.AddSingleton<INodeCatalogue, NodeCatalogue>();
        services.AddSingleton<IExaminationCatalogue, ExaminationCatalogue>();
        services.AddSingleton<IAuthorityCatalogue, AuthorityCatalogue>();
        services.AddSingleton(provider => new CatalogueKeys(provider.GetRequiredService<CatalogueDatabase>()));
        services.AddSingleton<ICatalogueClock, CatalogueClock>();
        return services;
    }
}
