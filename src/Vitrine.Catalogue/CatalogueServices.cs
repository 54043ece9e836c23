using Microsoft.Extensions.DependencyInjection;
using Vitrine.Catalogue.Database;
using Vitrine.Nodes;

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
        services.AddSingleton(provider => new CatalogueKeys(provider.GetRequiredService<CatalogueDatabase>()));
        services.AddSingleton<ICatalogueClock>(provider => new CatalogueClock(provider.GetRequiredService<CatalogueDatabase>()));
        return services;
    }
}
