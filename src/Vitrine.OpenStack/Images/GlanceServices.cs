using Microsoft.Extensions.DependencyInjection;
using Vitrine.OpenStack.Metadefs;

namespace Vitrine.OpenStack.Images;

public static class GlanceServices
{
    /// <summary>What the Glance face needs beyond the library: the metadata definitions that come with it, and the way to other regions.</summary>
    public static IServiceCollection AddGlance(this IServiceCollection services) =>
        services.AddSingleton<RegionDownload>().AddHostedService<PreloadedDefinitions>();
}
