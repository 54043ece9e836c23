using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Vitrine.Quotas;

namespace Vitrine.OpenStack.Identity;

public static class KeystoneServices
{
    /// <summary>What the Keystone face needs beyond identity itself: its options, the service catalogue, and quotas.</summary>
    public static IServiceCollection AddKeystone(this IServiceCollection services)
    {
        services.AddSingleton<IValidateOptions<OpenStackOptions>, OpenStackOptionsValidator>();
        services.AddOptions<OpenStackOptions>().BindConfiguration("OpenStack").ValidateOnStart();
        services.AddSingleton(CatalogueService.Identity);
        services.AddSingleton(CatalogueService.Image);
        services.AddSingleton<ServiceCatalogue>();
        services.TryAddSingleton<ProjectQuotas>();
        return services;
    }
}
