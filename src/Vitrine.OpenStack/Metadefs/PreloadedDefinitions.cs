using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Vitrine.Metadata;

namespace Vitrine.OpenStack.Metadefs;

/// <summary>The definitions that come with the product: what Nova and Cinder understand. Each is stored once, at the first start that knows it.</summary>
internal sealed class PreloadedDefinitions(IDefinitionCatalogue catalogue, TimeProvider time) : IHostedService
{
    private const string Resource = "Vitrine.OpenStack.Metadefs.Preloaded.json";

    public Task StartAsync(CancellationToken cancellationToken) => catalogue.PreloadAsync(Read(time.Now()), cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Public namespaces of nobody, which administrators may change, but must unprotect before they delete them.</summary>
    public static IReadOnlyList<DefinitionNamespace> Read(DateTimeOffset now)
    {
        using var stream = typeof(PreloadedDefinitions).Assembly.GetManifestResourceStream(Resource)!;
        using var document = JsonDocument.Parse(stream);
        return [.. document.RootElement.EnumerateArray().Select(space => DefinitionRules.Check(
            MetadefBody.ReadNamespace(space, owner: null, now) with { Public = true, Protected = true }))];
    }
}
