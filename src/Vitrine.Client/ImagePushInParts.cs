using System.Net;

namespace Vitrine.Client;

/// <summary>One file on its way to the library by several connections.</summary>
/// <remarks>The library knows the parts, so another run goes on with those of the one before, whatever it was told to do.</remarks>
internal sealed class ImagePushInParts(LibraryClient client, string transfer, PushedFile file, int parallel, IProgress<TransferProgress>? progress)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, long> _moved = [];

    /// <param name="known">The parts that an earlier run began.</param>
    public async Task<ImageRecord> RunAsync(IReadOnlyList<UploadPartRecord> known, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var hashing = file.CatchUpAsync(file.Length, over.Token);
        try
        {
            var parts = await BeginAsync(known, cancellationToken);
            var options = new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(parts, options, async (part, stop) => await SendAsync(part, stop));
            await EndAsync([.. parts.Select(p => p.Url)], cancellationToken);
            await hashing;
        }
        finally
        {
            await over.CancelAsync();
            await hashing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return await file.ConfirmAsync(client, transfer, NewPatience(), cancellationToken);
    }

    private Patience NewPatience() => new(client.Options.Patience, client.Time);

    /// <summary>Begins what is missing of equal parts behind those that are known.</summary>
    private async Task<List<Stretch>> BeginAsync(IReadOnlyList<UploadPartRecord> known, CancellationToken cancellationToken)
    {
        var (parts, start) = (new List<Stretch>(), 0L);
        foreach (var part in known)
            Add(part.Number, part.Url, part.Length);
        for (var size = (file.Length + parallel - 1) / parallel; start < file.Length;)
        {
            var length = Math.Min(size, file.Length - start);
            Add(parts.Count == 0 ? 1 : parts[^1].Number + 1, await client.BeginUploadPartAsync(transfer, length, cancellationToken), length);
        }

        return parts;

        void Add(int number, string url, long length)
        {
            parts.Add(new Stretch(number, url, start, length));
            start += length;
        }
    }

    private async Task SendAsync(Stretch part, CancellationToken cancellationToken)
    {
        var patience = NewPatience();
        var reached = -1L;
        while (true)
        {
            try
            {
                var offset = await client.FindOffsetAsync(part.Url, cancellationToken);
                Report(part, offset);
                if (offset == part.Length)
                    return;
                if (offset > reached)
                    patience.Renew();

                reached = Math.Max(reached, offset);
                await client.AppendAsync(
                    part.Url, () => new UploadContent(file.Handle, part.Start + offset, part.Start + part.Length, digest: null, new PartProgress(this, part)), offset,
                    cancellationToken);
                Report(part, part.Length);
                return;
            }
            catch (LibraryClientException failure) when (failure.Code is "part-not-found" or "transfer-state" or "transfer-lost")
            {
                // An earlier word that all parts are there may have been heard after all: then the end says how it went.
                if (!(await NewPatience().TryAsync(() => client.GetTransferAsync(transfer, cancellationToken), cancellationToken)).IsOver)
                    throw;
                return;
            }
            catch (LibraryClientException failure) when (failure.Code is "upload-offset" || failure.MayPass)
            {
                await patience.WaitAsync(ImagePush.AsPassing(failure), cancellationToken);
            }
        }
    }

    /// <summary>Says that the parts are the whole, and waits until the library has put them together and checked them.</summary>
    private async Task EndAsync(IReadOnlyList<string> parts, CancellationToken cancellationToken)
    {
        var patience = NewPatience();
        try
        {
            await patience.TryAsync(
                async () =>
                {
                    await client.JoinUploadPartsAsync(transfer, parts, cancellationToken);
                    return true;
                },
                cancellationToken);
        }
        catch (LibraryClientException failure) when (failure is { Status: HttpStatusCode.Conflict, Code: "transfer-state" })
        {
            // It was heard before, and is over: how, is seen below.
        }

        TransferRecord? last = null;
        await foreach (var state in client.WatchTransferAsync(transfer, cancellationToken))
            last = state;
        if (last?.State != "done")
            throw ImagePush.Failed(last!);
    }

    private void Report(Stretch part, long moved)
    {
        if (progress is null)
            return;

        lock (_lock)
        {
            _moved[part.Number] = moved;
            progress.Report(new TransferProgress(_moved.Values.Sum(), file.Length));
        }
    }

    /// <param name="Start">Where it begins in the file.</param>
    private sealed record Stretch(int Number, string Url, long Start, long Length);

    private sealed class PartProgress(ImagePushInParts owner, Stretch part) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => owner.Report(part, value.Moved - part.Start);
    }
}
