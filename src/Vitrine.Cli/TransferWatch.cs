using System.Text.Json;
using Vitrine.Client;

namespace Vitrine.Cli;

/// <summary>Follows a transfer to its end.</summary>
internal static class TransferWatch
{
    /// <returns>0 where the content arrived, 5 where it did not.</returns>
    public static async Task<int> FollowAsync(Invocation run, string title, string transfer, CancellationToken cancellationToken)
    {
        var last = await new TransferBar(run).RunAsync(title, async progress =>
        {
            TransferRecord? seen = null;
            await foreach (var state in run.Client.FollowTransferAsync(transfer, cancellationToken))
            {
                if (run.Json)
                    run.Terminal.Out.WriteLine(JsonSerializer.Serialize(state, LibraryJson.Default.TransferRecord));
                progress.Report(new TransferProgress(state.Moved, state.Length ?? 0));
                if (state.State == "retrying" && seen?.State != "retrying")
                    run.Say(TransferViews.Line(state));
                seen = state;
            }

            return seen!;
        });
        if (last.State == "done")
            return ExitCodes.Ok;

        if (!run.Json)
        {
            run.Terminal.Error.WriteLine($"vitrine: The transfer {last.State}: {last.Failure?.Cause ?? "somebody ended it."}".TrimEnd());
            if (last.Failure is { } failure)
                run.Terminal.Error.WriteLine($"  {failure.Remedy}");
        }

        return ExitCodes.TransferFailed;
    }
}
