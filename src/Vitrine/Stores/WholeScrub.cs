using System.Buffers;
using System.Security.Cryptography;
using Vitrine.Content;

namespace Vitrine.Stores;

/// <summary>Reads every content of a store that shares nothing among them, and holds it against its digest.</summary>
/// <remarks>What is not as it should be is read once more at the end: a fault may have passed, or somebody has brought the content anew since.</remarks>
/// <param name="rate">How many bytes a second are read at most; null for as many as can be.</param>
internal sealed class WholeScrub(string name, IContentStore store, IReplicaCatalogue replicas, long? rate, TimeProvider time)
{
    private const int BufferSize = 1 << 20;

    private readonly Pace _pace = new(rate, time);
    private long _bytes;

    private enum Condition
    {
        Sound,
        Gone,
        Damaged,
        Unreadable,
    }

    /// <exception cref="StoreUnavailableException">The store, and not one content of it alone, cannot be read.</exception>
    public async Task<ScrubResult> ScrubAsync(IProgress<UpkeepProgress> progress, CancellationToken cancellationToken)
    {
        var contents = new Dictionary<Digest, long>();
        await foreach (var content in store.ListAsync(cancellationToken))
            contents[content.Digest] = content.Length;

        var total = contents.Values.Sum();
        var suspects = new List<Digest>();
        foreach (var digest in contents.Keys)
        {
            if (await LookAtAsync(digest, () => progress.Report(new UpkeepProgress(_bytes, total)), cancellationToken) is not (Condition.Sound or Condition.Gone))
                suspects.Add(digest);
        }

        var bytes = _bytes;
        suspects.AddRange((await ListWantedAsync(cancellationToken)).Where(digest => !contents.ContainsKey(digest)));
        var faults = new List<StoreFault>();
        foreach (var digest in suspects)
        {
            var found = await LookAtAsync(digest, () => { }, cancellationToken);
            if (found is Condition.Gone && !(await ListWantedAsync(cancellationToken)).Contains(digest))
                continue;
            if (found is not Condition.Sound)
                faults.Add(new StoreFault($"the content {digest}", [digest]) { MayPass = found is Condition.Unreadable });
        }

        return new ScrubResult(bytes, faults);
    }

    /// <summary>What images have here, as the catalogue knows it.</summary>
    private async Task<HashSet<Digest>> ListWantedAsync(CancellationToken cancellationToken) =>
        [.. (await replicas.ListHoldersAsync(name, cancellationToken)).Select(h => h.Digest)];

    private async Task<Condition> LookAtAsync(Digest digest, Action report, CancellationToken cancellationToken)
    {
        try
        {
            await using var reader = await store.OpenAsync(digest, cancellationToken);
            return await ReadAsync(reader, report, cancellationToken) == digest ? Condition.Sound : Condition.Damaged;
        }
        catch (ContentMissingException)
        {
            return Condition.Gone;
        }
        catch (StoreDamagedException)
        {
            return Condition.Damaged;
        }
        catch (StoreUnavailableException)
        {
            // A bad sector is one content's fault; where the whole store is away, nothing can be said of any.
            await store.MeasureAsync(cancellationToken);
            await store.FindAsync(Digest.Of([]), cancellationToken);
            return Condition.Unreadable;
        }
    }

    private async Task<Digest> ReadAsync(ContentReader reader, Action report, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (var offset = 0L; await reader.ReadAsync(offset, buffer, cancellationToken) is > 0 and var read; offset += read)
            {
                hash.AppendData(buffer, 0, read);
                _bytes += read;
                report();
                await _pace.SpendAsync(read, cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Digest.FromHash(hash.GetHashAndReset());
    }
}
