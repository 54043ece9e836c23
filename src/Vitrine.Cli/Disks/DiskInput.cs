using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.Formats;
using Vitrine.Sources;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Cli.Disks;

/// <summary>What a user names as the file to look at: one of this machine, or one at an address.</summary>
internal static class DiskInput
{
    /// <exception cref="CliException">It cannot be opened.</exception>
    public static async Task<ContentReader> OpenAsync(string name, CancellationToken cancellationToken)
    {
        var isAddress = name.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || name.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        try
        {
            return isAddress ? await SourceContent.OpenAsync(Http, new Uri(name), cancellationToken) : new FileContent(name);
        }
        catch (UriFormatException)
        {
            throw new CliException(ExitCodes.Failure, $"{name} is no address.");
        }
        catch (LibraryException failure)
        {
            throw new CliException(ExitCodes.Failure, failure.Message, failure.Remedy);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CliException(ExitCodes.Failure, $"There is no file {name}.");
        }
    }

    /// <summary>The library's own way out, for whoever runs the command: nothing of their network is closed to them.</summary>
    private static ISource Http => field ??= new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            [$"{SourceOptions.Section}:AllowedNetworks:0"] = "0.0.0.0/0",
            [$"{SourceOptions.Section}:AllowedNetworks:1"] = "::/0",
        }).Build())
        .AddLogging()
        .AddSources()
        .BuildServiceProvider()
        .GetServices<ISource>()
        .Single(s => s.Schemes.Contains(Uri.UriSchemeHttp));
}
