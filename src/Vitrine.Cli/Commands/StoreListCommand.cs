using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class StoreListCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var command = new Command("list", "Lists the stores, with their use and health.");
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var stores = await run.Client.ListStoresAsync(cancellationToken);
            run.Print(new StoreList(stores), LibraryJson.Default.StoreList, output => TextTable.Write(
                output,
                ["NAME", "ZONE", "KIND", "HEALTH", "IMAGES", "STORED", "FREE", "TOTAL", "MODE", "DEFAULT"],
                stores.Select(s => (IReadOnlyList<string>)
                [
                    s.Name, s.Zone, s.Kind, s.Healthy switch { true => "healthy", false => s.Problem ?? "unhealthy", null => "unknown" },
                    $"{s.Images}", Amounts.Bytes(s.StoredBytes), Amounts.Bytes(s.Free), Amounts.Bytes(s.Total), s.Mode, s.IsDefault ? "yes" : "",
                ])));
            return ExitCodes.Ok;
        });
        return command;
    }
}
