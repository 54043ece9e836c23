using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Vitrine.Access;
using Vitrine.OpenStack.Identity.External;
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
        services.AddSingleton<ILogins>(provider => provider.GetRequiredService<IOptions<OpenStackOptions>>().Value.Keystone is { IsUsed: true } external
            ? new KeystoneLogins(new ExternalKeystone(external), external, provider.GetRequiredService<TimeProvider>())
            : provider.GetRequiredService<Logins>());
        services.TryAddSingleton<ProjectQuotas>();
        return services;
    }
}
