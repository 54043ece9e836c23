using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

/// <summary><c>image copy</c>, and <c>image move</c>, which gives up the replica that it copies.</summary>
internal static class ImageCopyCommand
{
    public static Command Make(CliTerminal terminal, ImageArgument images, bool moves)
    {
        var image = images.Make();
        var targets = new TargetOptions();
        var from = new Option<string>("--from")
        {
            Description = moves ? "The store that it leaves. Needed where several have it." : "The store that it is read from. Default: any that has it.",
            HelpName = "NAME",
        };
        var noWait = WaitOptions.NoWait();
        var command = moves
            ? new Command("move", "Moves an image to another store. What it leaves behind stays until the store is cleaned up.")
            : new Command("copy", "Copies an image to stores that do not have it.");
        command.Add(image);
        targets.AddTo(command);
        command.Add(from);
        command.Add(noWait);
        command.Does(terminal, async (run, cancellationToken) =>
        {
            if (!targets.Any(run))
                throw new CliException(ExitCodes.Usage, "Nothing says where to.", "Name a store with --store, or a zone with --zone, or take --all-stores.");

            var found = await run.FindImageAsync(run.Get(image), cancellationToken);
            var request = new CopyRequest
            {
                Stores = targets.Stores(run),
                Zone = targets.Zone(run),
                AllStores = targets.All(run),
                From = run.Get(from),
                Move = moves,
            };
            var copies = await run.Client.CopyImageAsync(found.Id, request, cancellationToken);
            return await FollowAsync(run, found, copies, run.Get(noWait), cancellationToken);
        });
        return command;
    }

    private static async Task<int> FollowAsync(
        Invocation run, ImageRecord image, IReadOnlyList<TransferRecord> copies, bool noWait, CancellationToken cancellationToken)
    {
        if (noWait)
        {
            run.Print(new TransferPage(copies, Next: null), LibraryJson.Default.TransferPage, output =>
            {
                foreach (var copy in copies)
                    output.WriteLine(copy.Id);
            });
            return ExitCodes.Ok;
        }

        run.Say("Copies go on if you interrupt this command.");
        var worst = ExitCodes.Ok;
        foreach (var copy in copies)
        {
            var code = await TransferWatch.FollowAsync(run, $"{image.Name ?? image.Id} to {copy.Store}", copy.Id, cancellationToken);
            worst = code == ExitCodes.Ok ? worst : code;
        }

        return worst;
    }
}
