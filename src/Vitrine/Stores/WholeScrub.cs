using System.Buffers;
using System.Security.Cryptography;
using Vitrine.Content;

namespace Vitrine.Stores;

/// <summary>Reads every content of a store that shares nothing among them, and holds it against its digest.</summary>
/// <param name="rate">How many bytes a second are read at most; null for as many as can be.</param>
internal sealed class WholeScrub(IContentStore store, long? rate, TimeProvider time)
{
    private const int BufferSize = 1 << 20;

    private readonly Pace _pace = new(rate, time);
    private long _bytes;

    /// <exception cref="StoreUnavailableException">The store, and not one content of it alone, cannot be read.</exception>
    public async Task<ScrubResult> ScrubAsync(IProgress<UpkeepProgress> progress, CancellationToken cancellationToken)
    {
        var contents = new List<StoredContent>();
        await foreach (var content in store.ListAsync(cancellationToken))
            contents.Add(content);

        var total = contents.Sum(c => c.Length);
        var faults = new List<StoreFault>();
        foreach (var content in contents)
        {
            if (!await IsSoundAsync(content.Digest, () => progress.Report(new UpkeepProgress(_bytes, total)), cancellationToken))
                faults.Add(new StoreFault($"the content {content.Digest}", [content.Digest]));
        }

        return new ScrubResult(_bytes, faults);
    }

    private async Task<bool> IsSoundAsync(Digest digest, Action report, CancellationToken cancellationToken)
    {
        try
        {
            await using var reader = await store.OpenAsync(digest, cancellationToken);
            return await ReadAsync(reader, report, cancellationToken) == digest;
        }
        catch (ContentMissingException)
        {
            // It was deleted meanwhile.
            return true;
        }
        catch (StoreDamagedException)
        {
            return false;
        }
        catch (StoreUnavailableException)
        {
            // A bad sector is one content's fault; where the whole store is away, nothing can be said of any.
            await store.ProbeAsync(cancellationToken);
            return false;
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
