using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Vitrine.Content;

namespace Vitrine.Stores;

/// <summary>Keeps content under its digest. One instance serves one configured store.</summary>
/// <remarks>
/// Every store promises, and ContentStoreContract in the tests holds it to:
/// <list type="bullet">
/// <item>Committed content can be read at once by every client of the store, and never changes.</item>
/// <item>Content that was not committed is seen by nobody, whatever fails and whenever.</item>
/// <item>Committing what the store already has succeeds and changes nothing.</item>
/// <item>Deleting what the store does not have succeeds. A reader that is open reads on.</item>
/// <item>What a writer flushed is there when a writer is opened again under the same key, even after the power went.</item>
/// </list>
/// Digests are computed by the ingest, once; a store takes them as they are. A caller has already checked ranges
/// against the content's length; a store does not check again.
/// </remarks>
public interface IContentStore
{
    /// <summary>What the store wants done from time to time; null where it keeps each content by itself.</summary>
    IStoreUpkeep? Upkeep => null;

    /// <summary>The descriptions of the images whose content it has; null where it cannot keep any.</summary>
    IImageDescriptions? Descriptions => null;

    /// <summary>The same store by another address of its server, which need not be on the same network; null where the kind has no addresses.</summary>
    /// <exception cref="StoreUnavailableException">It does not answer by that address, or another store does.</exception>
    Task<IContentStore?> ReachAsync(Uri address, CancellationToken cancellationToken) => Task.FromResult<IContentStore?>(null);

    /// <summary>Makes an empty place again of a store that this object has made of one, as long as nothing is in it. What fails leaves the store.</summary>
    Task DissolveAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task<StoredContent?> FindAsync(Digest digest, CancellationToken cancellationToken);

    /// <exception cref="ContentMissingException">The store has no such content.</exception>
    Task<ContentReader> OpenAsync(Digest digest, CancellationToken cancellationToken);

    /// <summary>Begins to write under a key that the caller makes up, or goes on where an earlier writer of that key came to.</summary>
    /// <exception cref="StoreUnavailableException">The store cannot be written to.</exception>
    /// <exception cref="WriterBusyException">Another writer of the key is open.</exception>
    Task<ContentWriter> OpenWriterAsync(StagingKey key, CancellationToken cancellationToken);

    /// <summary>Removes what was written under a key and not committed; does nothing where there is nothing.</summary>
    /// <exception cref="WriterBusyException">A writer of the key is open.</exception>
    Task DiscardAsync(StagingKey key, CancellationToken cancellationToken);

    Task DeleteAsync(Digest digest, CancellationToken cancellationToken);

    IAsyncEnumerable<StoredContent> ListAsync(CancellationToken cancellationToken);

    /// <summary>What was written and neither committed nor discarded.</summary>
    IAsyncEnumerable<StagedContent> ListStagedAsync(CancellationToken cancellationToken);

    /// <exception cref="StoreUnavailableException">The store does not answer.</exception>
    Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken);

    /// <summary>Writes, reads and removes a few bytes.</summary>
    /// <exception cref="StoreUnavailableException">That did not work; the reason says why.</exception>
    Task ProbeAsync(CancellationToken cancellationToken);
}

/// <summary>Content that is committed.</summary>
public sealed record StoredContent(Digest Digest, long Length);

/// <summary>Content that is not committed yet.</summary>
public sealed record StagedContent(StagingKey Key, long Length, DateTimeOffset LastWrite);

/// <param name="Total">Bytes in all; null where the store has no bound.</param>
/// <param name="Free">Bytes that can still be written; null where the store has no bound.</param>
public sealed record StoreCapacity(long? Total, long? Free);

/// <summary>Names what one transfer writes: lower-case letters, digits and dashes.</summary>
public readonly partial record struct StagingKey(string Value)
{
    private const string UnpackedSuffix = "-unpacked";
    private const string ConvertedSuffix = "-converted";
    private const string PartSuffix = "-part-";
    private const string CheckPrefix = "check-";

    /// <summary>The transfer that writes under the key; null where the key is of none.</summary>
    public Transfers.TransferId? Transfer
    {
        get
        {
            var key = Form().Match(Value);
            return key.Success ? new Transfers.TransferId(Guid.ParseExact(key.Groups["id"].ValueSpan, "N")) : null;
        }
    }

    /// <summary>The check of a store that writes under the key; null where the key is of none.</summary>
    public StoreOperationId? Check => Value.StartsWith(CheckPrefix, StringComparison.Ordinal)
        && Guid.TryParseExact(Value.AsSpan(CheckPrefix.Length, Math.Min(Value.Length - CheckPrefix.Length, 32)), "N", out var id)
            ? new StoreOperationId(id)
            : null;

    /// <summary>Of what comes from the source or the client.</summary>
    /// <param name="turn">How often the transfer began anew beside what a node that does not let go still holds.</param>
    public static StagingKey Of(Transfers.TransferId transfer, int turn = 0) => new($"{transfer.Value:N}{(turn > 0 ? $"-{turn}" : "")}");

    /// <summary>Of what is taken out of that, where it came in a wrapper.</summary>
    public static StagingKey OfUnpacked(Transfers.TransferId transfer, int turn = 0) => new(Of(transfer, turn).Value + UnpackedSuffix);

    /// <summary>Of what is made of the disk in it, where the store keeps that in another format.</summary>
    public static StagingKey OfConverted(Transfers.TransferId transfer, int turn = 0) => new(Of(transfer, turn).Value + ConvertedSuffix);

    /// <summary>Of what comes from the client beside other parts.</summary>
    public static StagingKey OfPart(Transfers.TransferId transfer, int number) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{Of(transfer).Value}{PartSuffix}{number}"));

    /// <summary>Of what a check of a store writes first, and of what it writes beside that.</summary>
    public static StagingKey OfCheck(StoreOperationId check, int number) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{CheckPrefix}{check.Value:N}-{number}"));

    public override string ToString() => Value;

    [GeneratedRegex("^(?<id>[0-9a-f]{32})(-[0-9]{1,9})?(-unpacked|-converted|-part-[0-9]{1,9})?$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Form();
}

/// <summary>Content opened for reading at any offset, by many at once. It stays readable when the store deletes it.</summary>
public abstract class ContentReader : IAsyncDisposable
{
    private const int BufferSize = 1 << 20;

    public abstract long Length { get; }

    /// <summary>
    /// The file that holds exactly the content, opened for asynchronous use; null where the store keeps it otherwise. It stays the reader's.
    /// </summary>
    public virtual FileStream? File => null;

    /// <summary>
    /// The content as Zstandard frames (RFC 8878), one behind the other, of windows of 8 MiB at most; null where the store keeps no such frames, or cannot give them just now.
    /// What is given holds until more is asked for. The reader stays open meanwhile.
    /// </summary>
    /// <exception cref="StoreDamagedException">The store does not have the bytes that were written: while it is enumerated.</exception>
    public virtual IAsyncEnumerable<ReadOnlyMemory<byte>>? ZstdFrames => null;

    /// <returns>How many bytes were read: at least one, unless the buffer is empty or the offset is the end.</returns>
    public abstract ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Reads all of it, and says what that is.</summary>
    public async Task<Digest> DigestAsync(CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (var offset = 0L; await ReadAsync(offset, buffer, cancellationToken) is > 0 and var read; offset += read)
                hash.AppendData(buffer, 0, read);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Digest.FromHash(hash.GetHashAndReset());
    }

    public abstract ValueTask DisposeAsync();
}

/// <summary>Content on its way into a store. One caller at a time.</summary>
/// <remarks>
/// Disposing it leaves what was written for the next writer of the same key; nobody else sees it. <see cref="FlushAsync"/>
/// alone may run beside <see cref="WriteAsync"/>: it makes durable what was written before it was called.
/// </remarks>
public abstract class ContentWriter : IAsyncDisposable
{
    /// <summary>How many bytes have been written, those of earlier writers of the key included.</summary>
    public abstract long Length { get; }

    /// <summary>
    /// Says that at an offset which may lie ahead something begins that other contents may have elsewhere, such as the data of a disk's
    /// cluster. A store that finds equal parts of contents begins one there. Offsets come in order.
    /// </summary>
    public virtual void BeginRow(long offset)
    {
    }

    /// <exception cref="StoreFullException">The store has no room for them.</exception>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Looks whether what was written is the beginning of a content that the store has.</summary>
    /// <param name="isWhole">Nothing more will be written: then it is the whole of one.</param>
    /// <returns>Null where no such content is known, which does not mean that there is none. Once it was null it stays so.</returns>
    public virtual ValueTask<StoredContent?> RecognizeAsync(bool isWhole, CancellationToken cancellationToken) => ValueTask.FromResult<StoredContent?>(null);

    /// <summary>Whether the store of a content names the parts that contents are made of as this one does, so that the content can be taken by them.</summary>
    public virtual bool CanTake(ContentReader content) => false;

    /// <summary>
    /// Takes some more of a content that another store has, from where this writer came to, by the names of its parts. What this writer's store has
    /// of them is not read; what is read is held against its name.
    /// </summary>
    /// <returns>How many bytes had to be read.</returns>
    /// <exception cref="StoreDamagedException">The other store does not give back what it was given.</exception>
    /// <exception cref="NotSupportedException">It cannot be taken so: <see cref="CanTake"/>.</exception>
    public virtual ValueTask<long> TakeAsync(ContentReader content, CancellationToken cancellationToken) =>
        throw new NotSupportedException("The stores do not name the parts of contents alike.");

    /// <summary>Reads back what was written.</summary>
    public abstract ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Makes what was written survive a power cut.</summary>
    public abstract Task FlushAsync(CancellationToken cancellationToken);

    /// <summary>Drops everything that was written, to begin again.</summary>
    public abstract Task ResetAsync(CancellationToken cancellationToken);

    /// <summary>Makes what was written visible under its digest, durably. The writer is of no use afterwards.</summary>
    public abstract Task CommitAsync(Digest digest, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
