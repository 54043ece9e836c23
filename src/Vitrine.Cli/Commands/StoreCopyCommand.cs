using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

/// <summary><c>store copy</c>, and <c>store migrate</c>, which gives up what it has copied: a sync of one store into another.</summary>
internal static class StoreCopyCommand
{
    public static Command Make(CliTerminal terminal, StoreArgument stores, bool moves)
    {
        var (from, to) = (stores.Make("FROM"), stores.Make("TO"));
        from.Description = "The name of the store that has the images.";
        to.Description = "The name of the store that receives them.";
        var images = new Option<string[]>("--image")
        {
            Description = "This image alone, by its id, or its name where no other has it; more than once for several.",
            HelpName = "IMAGE",
        };
        var noWait = WaitOptions.NoWait();
        var command = moves
            ? new Command("migrate", "Moves the images of a store into another. What is verified there stays in the first until that is cleaned up.")
            : new Command("copy", "Copies the images of a store into another that does not have them.");
        command.Add(from);
        command.Add(to);
        command.Add(images);
        command.Add(noWait);
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var request = new StoreOperationRequest
            {
                Kind = "sync",
                Sources = [run.Get(from)],
                Move = moves,
                Images = run.Get(images) is { Length: > 0 } named ? await FindAsync(run, named, cancellationToken) : null,
            };
            var begun = await run.Client.StartStoreOperationAsync(run.Get(to), request, cancellationToken);
            return await StoreOperationWatch.FollowAsync(run, begun, run.Get(noWait), cancellationToken);
        });
        return command;
    }

    private static async Task<IReadOnlyList<string>> FindAsync(Invocation run, IEnumerable<string> named, CancellationToken cancellationToken)
    {
        var ids = new List<string>();
        foreach (var name in named)
            ids.Add((await run.FindImageAsync(name, cancellationToken)).Id);
        return ids;
    }
}
