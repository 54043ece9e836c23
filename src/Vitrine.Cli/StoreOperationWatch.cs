using System.Text.Json;
using Vitrine.Cli.Commands;
using Vitrine.Client;

namespace Vitrine.Cli;

/// <summary>Follows an operation of a store to its end.</summary>
internal static class StoreOperationWatch
{
    /// <returns>0 where it is done and nothing was damaged, failed, kept, lost or otherwise than it should be, else 1.</returns>
    public static async Task<int> FollowAsync(Invocation run, StoreOperationRecord begun, bool noWait, CancellationToken cancellationToken)
    {
        if (noWait)
        {
            run.Print(begun, LibraryJson.Default.StoreOperationRecord, output => output.WriteLine(begun.Id));
            return ExitCodes.Ok;
        }

        run.Say($"Operation {begun.Id} goes on if you interrupt this command.");
        var last = await new TransferBar(run).RunAsync($"{begun.Kind} {begun.Store}", async progress =>
        {
            var seen = begun;
            await foreach (var state in run.Client.WatchStoreOperationAsync(begun.Store, begun.Id, cancellationToken))
            {
                if (run.Json)
                    run.Terminal.Out.WriteLine(JsonSerializer.Serialize(state, LibraryJson.Default.StoreOperationRecord));
                if (state.Total > 0 && state.Kind != StoreCheckCommand.Kind)
                    progress.Report(new TransferProgress(state.Done, state.Total));
                seen = state;
            }

            return seen;
        });
        return Conclude(run, last);
    }

    private static int Conclude(Invocation run, StoreOperationRecord operation)
    {
        if (!run.Json)
        {
            if (operation.Failure is { } failure)
            {
                run.Terminal.Error.WriteLine($"vitrine: {failure.Cause}");
                run.Terminal.Error.WriteLine($"  {failure.Remedy}");
            }
            else
                StoreViews.WriteResult(run.Terminal.Out, operation);
            if (operation.Checked?.Fault is { } fault)
            {
                run.Terminal.Error.WriteLine($"vitrine: {fault.Step}: {fault.Cause}");
                run.Terminal.Error.WriteLine($"  {fault.Remedy}");
            }
        }

        return operation is { State: "done", Scrubbed: not { Faults.Count: > 0 }, Synced: not { Failed: > 0 }, CleanedUp: not { Kept.Count: > 0 } }
            && operation.Checked?.Fault is null
            && operation.Rebuilt is not ({ Lost: > 0 } or { Unreadable: > 0 }) ? ExitCodes.Ok : ExitCodes.Failure;
    }
}
