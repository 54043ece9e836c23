using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Vitrine.Access;
using Vitrine.Disks;
using Vitrine.Catalogue.Database;
using Vitrine.Transfers;

namespace Vitrine.Catalogue;

public static class IdentityServices
{
    /// <summary>Users, projects and roles in the catalogue, and logins by them; the section <c>Identity</c> has the options.</summary>
    /// <remarks>
    /// Needs <see cref="CatalogueServices.AddCatalogue"/>. The server says where Data Protection keeps its keys: tokens and
    /// secrets are lost with them, and all nodes need the same.
    /// </remarks>
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        // Without a name, keys would be good only for nodes that are installed in the same directory.
        services.AddDataProtection().SetApplicationName("vitrine");
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IValidateOptions<LoginOptions>, LoginOptionsValidator>();
        services.AddOptions<LoginOptions>().BindConfiguration("Identity").ValidateOnStart();

        services.AddSingleton<IIdentityCatalogue>(provider => new IdentityCatalogue(provider.GetRequiredService<CatalogueDatabase>()));
        services.AddSingleton<IPasswordHasher, IdentityPasswordHasher>();
        services.AddSingleton<ISecretProtector>(provider => Secrets(provider, "secrets"));
        services.AddKeyedSingleton<ISecretProtector>(DiskTickets.Purpose, (provider, _) => Secrets(provider, DiskTickets.Purpose));
        services.AddKeyedSingleton<ISecretProtector>(UploadTickets.Purpose, (provider, _) => Secrets(provider, UploadTickets.Purpose));
        services.AddKeyedSingleton<ISecretProtector>(UploadForms.Purpose, (provider, _) => Secrets(provider, UploadForms.Purpose));
        services.AddSingleton(provider => new TokenSeal(Secrets(provider, "tokens")));
        services.AddSingleton(provider => new Logins(
            provider.GetRequiredService<IIdentityCatalogue>(),
            provider.GetRequiredService<IPasswordHasher>(),
            provider.GetRequiredService<TokenSeal>(),
            provider.GetRequiredService<IOptions<LoginOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Logins>>()));
        services.AddSingleton<IdentityAdministration>();
        services.AddSingleton<Bootstrap>();
        return services;
    }

    private static DataProtectionSecrets Secrets(IServiceProvider provider, string purpose) =>
        new(provider.GetRequiredService<IDataProtectionProvider>(), purpose);
}

[OptionsValidator]
internal sealed partial class LoginOptionsValidator : IValidateOptions<LoginOptions>;
