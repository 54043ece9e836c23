using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Vitrine.Sources.Buckets;
using Vitrine.Sources.FileServers;
using Vitrine.Sources.Glance;
using Vitrine.Sources.Http;
using Vitrine.Sources.Libraries;
using Vitrine.Sources.LocalFiles;
using Vitrine.Sources.Outgoing;
using Vitrine.Sources.Signatures;
using Vitrine.Transfers;

namespace Vitrine.Sources;

public static class SourceServices
{
    /// <summary>
    /// Adds every <see cref="ISource"/> there is, the <see cref="OutgoingPolicy"/> before them and its
    /// <see cref="OutgoingDryRun"/>. A fault in the section <see cref="SourceOptions.Section"/> ends the start.
    /// </summary>
    public static IServiceCollection AddSources(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SourceOptions>, SourceOptionsValidator>());
        services.AddOptions<SourceOptions>().BindConfiguration(SourceOptions.Section).ValidateOnStart();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<INetwork, SystemNetwork>();
        services.TryAddSingleton(provider => new OutgoingPolicy(OptionsOf(provider), provider.GetRequiredService<INetwork>()));
        services.TryAddSingleton(provider => new OutgoingDryRun(
            provider.GetRequiredService<OutgoingPolicy>(), provider.GetRequiredService<INetwork>(), OptionsOf(provider)));
        services.TryAddSingleton(provider => new OutgoingConnector(
            provider.GetRequiredService<OutgoingPolicy>(), provider.GetRequiredService<INetwork>(),
            new TlsTrust(OptionsOf(provider), provider.GetRequiredService<TimeProvider>()), OptionsOf(provider),
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<OutgoingConnector>>()));
        services.TryAddSingleton<IChecksumSignatures>(provider => new GpgSignatures(OptionsOf(provider)));
        services.TryAddSingleton(provider => new SourceMeter(provider.GetRequiredService<IMeterFactory>()));
        services.TryAddSingleton(provider => new OutgoingHttp(
            provider.GetRequiredService<OutgoingPolicy>(), provider.GetRequiredService<OutgoingConnector>(), OptionsOf(provider),
            provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(provider => new HttpSource(
            provider.GetRequiredService<OutgoingHttp>(), OptionsOf(provider), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<SourceMeter>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ISource, HttpSource>(provider => provider.GetRequiredService<HttpSource>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ISource, LibrarySource>(provider => new LibrarySource(
            provider.GetRequiredService<OutgoingHttp>(), provider.GetRequiredService<HttpSource>(), OptionsOf(provider))));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ISource, GlanceSource>(
            provider => new GlanceSource(provider.GetRequiredService<HttpSource>())));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ISource, BucketSource>(provider => new BucketSource(
            provider.GetRequiredService<HttpSource>(), OptionsOf(provider), provider.GetRequiredService<TimeProvider>())));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ISource, FileServerSource>(CreateFileServerSource));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ISource, LocalFileSource>(provider => new LocalFileSource(
            OptionsOf(provider), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<SourceMeter>())));
        return services;
    }

    private static FileServerSource CreateFileServerSource(IServiceProvider provider) => new(
        provider.GetRequiredService<OutgoingPolicy>(), provider.GetRequiredService<OutgoingConnector>(), OptionsOf(provider),
        provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<SourceMeter>());

    private static SourceOptions OptionsOf(IServiceProvider provider) => provider.GetRequiredService<IOptions<SourceOptions>>().Value;
}
