using System.Buffers;
using Vitrine.Stores;

namespace Vitrine.Content;

/// <summary>Everything that happens to content on its way into a store, in one pass and in bounded memory.</summary>
/// <remarks>
/// <code>
///                 ┌► SHA-256, and what other sums are wanted   (threads of their own)
///  bytes ─ blocks ┤
///                 └► format inspection ─► the store's writer
/// </code>
/// Each byte is read once and copied never; a lane that falls behind slows the source. After a crash the sums are computed
/// again from the store's own copy, so that not a byte is fetched twice. As long as the bytes are those of a content that the store has, no sums
/// are computed, since they are known; where the bytes turn out to be others, what came is summed up from the store's copy beside what comes.
/// </remarks>
public sealed class Ingest : IAsyncDisposable
{
    private const int BlockSize = 256 * 1024;

    // A store is asked whether it knows the content when so much of it came, and again after so much more each time.
    private const long EnoughToKnow = 1024 * 1024;
    private const long LookInterval = 4 * 1024 * 1024;

    // So much is summed up of what came before, for every block that comes: the source is slowed, and not stopped.
    private const long MostCaughtUp = 64 * 1024 * 1024;

    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromSeconds(1);

    private readonly ContentWriter _writer;
    private readonly IFormatInspector _inspector;
    private readonly IReadOnlyCollection<ChecksumAlgorithm> _sums;
    private readonly TimeProvider _time;
    private readonly Func<Digest, Task<IReadOnlyDictionary<ChecksumAlgorithm, string>?>>? _known;

    private IngestLanes _lanes;
    private long _looked;
    private long _summed;
    private byte[] _buffer = [];
    private int _filled;
    private Task _flush = Task.CompletedTask;
    private bool _isCommitted;

    /// <param name="writer">Belongs to the ingest from now on.</param>
    /// <param name="sums">What is computed of the bytes beside SHA-256, which names them.</param>
    /// <param name="known">Finds the sums of a content that was taken in before, in hexadecimal digits; null for one of which they are not all known.</param>
    public Ingest(
        ContentWriter writer, IFormatInspector inspector, IReadOnlyCollection<ChecksumAlgorithm> sums, TimeProvider time,
        Func<Digest, Task<IReadOnlyDictionary<ChecksumAlgorithm, string>?>>? known = null)
    {
        (_writer, _inspector, _sums, _time, _known) = (writer, inspector, sums, time, known);
        _lanes = BeginLanes();
    }

    /// <summary>How many bytes have come so far, those of an earlier run included.</summary>
    public long Length { get; private set; }

    /// <summary>Whether content came by the names of its parts, so that there are no sums of it.</summary>
    public bool IsByName { get; private set; }

    /// <summary>Looks again at what an earlier run left in the store.</summary>
    public async Task RereadAsync(CancellationToken cancellationToken)
    {
        if (_writer.Length > 0)
            await _lanes.BeginSumsAsync();
        while (Length < _writer.Length)
        {
            RentBuffer();
            _filled = await _writer.ReadAsync(Length, _buffer.AsMemory(0, BlockSize), cancellationToken);
            if (_filled == 0)
                throw new EndOfStreamException("The store gives back less than it says that it holds.");

            Length += _filled;
            await GiveBufferAsync(stored: true);
        }
    }

    /// <summary>Forgets everything that came, to begin again.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        await _lanes.DisposeAsync();
        await _flush.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _lanes = BeginLanes();
        (_flush, _filled, _looked, _summed, Length, IsByName) = (Task.CompletedTask, 0, 0, 0, 0, false);
        await _writer.ResetAsync(cancellationToken);
    }

    /// <summary>Takes bytes from a stream to its end.</summary>
    /// <param name="checkpoint">
    /// Called about once a second, and at the end, even where the source was cut off, with the number of bytes that came since
    /// the last call. Not called once a lane has failed: what came since is not known to be anywhere.
    /// </param>
    /// <param name="announced">The length of the whole in bytes; null where nobody said it.</param>
    /// <param name="limit">The largest length that is accepted, in bytes.</param>
    /// <exception cref="ContentLengthException">More bytes came in all than were announced.</exception>
    /// <exception cref="LimitExceededException">More bytes came in all than the limit.</exception>
    public async Task TakeAsync(
        Stream source, long? announced, long limit, Func<long, Task> checkpoint, CancellationToken cancellationToken)
    {
        var (fetched, last) = (0L, _time.GetTimestamp());
        try
        {
            while (await FillAsync(source, cancellationToken) is > 0 and var read)
            {
                fetched += read;
                if (Length > announced)
                    throw new ContentLengthException(announced.Value, Length);
                if (Length > limit)
                    throw new LimitExceededException("bytes of an image", limit);

                if (_time.GetElapsedTime(last) < CheckpointInterval)
                    continue;

                await GiveBufferAsync();
                await BeginFlushAsync();
                await checkpoint(fetched);
                (fetched, last) = (0, _time.GetTimestamp());
            }
        }
        finally
        {
            // What came before a cut is kept, and counted: the next attempt goes on behind it.
            await SettleAsync();
            await checkpoint(fetched);
        }
    }

    /// <summary>Takes a content that another store has by the names of its parts, where both stores name them alike.</summary>
    /// <param name="checkpoint">Called about once a second, and at the end, with the number of bytes that had to be read since the last call.</param>
    /// <param name="pace">Is told how many bytes were read, and ends when more may be.</param>
    /// <returns>False where it is to be read and taken as a stream. If true, the pass has no sums: the names stand for them.</returns>
    /// <exception cref="StoreDamagedException">The other store does not give back what it was given.</exception>
    public async Task<bool> TryTakeByNameAsync(
        ContentReader content, Func<long, Task> checkpoint, Func<long, ValueTask> pace, CancellationToken cancellationToken)
    {
        if (!_writer.CanTake(content))
            return false;

        // What is here may have come from elsewhere, held against nothing yet. Of it, what is right is found by name when it comes again.
        await RestartAsync(cancellationToken);
        IsByName = true;
        var (fetched, last) = (0L, _time.GetTimestamp());
        try
        {
            while (Length < content.Length)
            {
                var read = await _writer.TakeAsync(content, cancellationToken);
                Length = _writer.Length;
                fetched += read;
                await pace(read);
                if (_time.GetElapsedTime(last) < CheckpointInterval)
                    continue;

                await BeginFlushAsync();
                await checkpoint(fetched);
                (fetched, last) = (0, _time.GetTimestamp());
            }

            return true;
        }
        finally
        {
            await _flush;
            await checkpoint(fetched);
        }
    }

    /// <summary>Makes what came so far survive a power cut.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_isCommitted)
            return;

        await SettleAsync();
        await _writer.FlushAsync(cancellationToken);
    }

    /// <summary>Ends the pass.</summary>
    /// <exception cref="UnsafeContentException">The format is known and what is in it is not safe.</exception>
    /// <exception cref="NotAnImageException">The bytes are plainly no image.</exception>
    public async Task<IngestResult> FinishAsync(CancellationToken cancellationToken)
    {
        await SettleAsync();
        cancellationToken.ThrowIfCancellationRequested();
        var known = _lanes.Sums is LaneSums.Spared ? await FindKnownAsync(isWhole: true) : null;
        if (known is null)
            await CatchUpAsync(long.MaxValue, cancellationToken);

        return await _lanes.FinishAsync(Length, known);
    }

    /// <summary>What came, to be read at any place once the pass has ended. It is the ingest's, and closed with it.</summary>
    public ContentReader Staged => new StagedReader(_writer);

    /// <summary>Makes the content visible in the store.</summary>
    public async Task CommitAsync(Digest digest, CancellationToken cancellationToken)
    {
        await _writer.CommitAsync(digest, cancellationToken);
        _isCommitted = true;
    }

    public async ValueTask DisposeAsync()
    {
        await _lanes.DisposeAsync();
        await _flush.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ReturnBuffer();
        await _writer.DisposeAsync();
    }

    private async ValueTask<int> FillAsync(Stream source, CancellationToken cancellationToken)
    {
        RentBuffer();
        var read = await source.ReadAsync(_buffer.AsMemory(_filled, BlockSize - _filled), cancellationToken);
        _filled += read;
        Length += read;
        if (_filled == BlockSize)
            await GiveBufferAsync();

        return read;
    }

    /// <param name="stored">True where the bytes come from the store itself.</param>
    private async ValueTask GiveBufferAsync(bool stored = false)
    {
        if (_filled == 0)
            return;

        var (buffer, filled) = (_buffer, _filled);
        (_buffer, _filled) = ([], 0);
        await _lanes.GiveAsync(buffer, filled, stored);
        await LookAsync();
    }

    /// <summary>Sees to it that sums are computed where they are not known.</summary>
    private async ValueTask LookAsync()
    {
        switch (_lanes.Sums)
        {
            case LaneSums.Held when Length >= EnoughToKnow:
                await _lanes.SettleAsync();
                if (await FindKnownAsync(isWhole: false) is null)
                    await _lanes.BeginSumsAsync();
                else
                    _lanes.SpareSums();
                break;
            case LaneSums.Held when _lanes.IsHoldingMuch:
                await _lanes.BeginSumsAsync();
                break;
            case LaneSums.Spared when Length - _looked >= LookInterval:
                _looked = Length;
                if (await _writer.RecognizeAsync(isWhole: false, CancellationToken.None) is null)
                    _lanes.OweSums();
                break;
            case LaneSums.Owed:
                await CatchUpAsync(MostCaughtUp, CancellationToken.None);
                break;
        }
    }

    private async Task<IReadOnlyDictionary<ChecksumAlgorithm, string>?> FindKnownAsync(bool isWhole) =>
        await _writer.RecognizeAsync(isWhole, CancellationToken.None) is { } content ? await _known!(content.Digest) : null;

    /// <summary>Sums up what came while that seemed to be needless.</summary>
    private async Task CatchUpAsync(long most, CancellationToken cancellationToken)
    {
        if (_lanes.Sums is LaneSums.Spared or LaneSums.Owed)
        {
            await _lanes.SettleAsync();
            for (var end = most < Length - _summed ? _summed + most : Length; _summed < end;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _summed += await SumAsync((int)Math.Min(BlockSize, end - _summed));
            }

            if (_summed < Length)
                return;
        }

        await _lanes.BeginSumsAsync();
    }

    private async Task<int> SumAsync(int length)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        var read = await _writer.ReadAsync(_summed, buffer.AsMemory(0, length), CancellationToken.None);
        if (read == 0)
            throw new EndOfStreamException("The store gives back less than it says that it holds.");

        await _lanes.SumAsync(buffer, read);
        return read;
    }

    private IngestLanes BeginLanes() => new(_writer, _inspector, _sums, isHolding: _known is not null);

    /// <summary>Waits until every lane has seen every byte.</summary>
    private async Task SettleAsync()
    {
        await GiveBufferAsync();
        await _lanes.SettleAsync();
        await _flush;
    }

    private async Task BeginFlushAsync()
    {
        if (!_flush.IsCompleted)
            return;

        await _flush; // throws what went wrong with it
        _flush = _writer.FlushAsync(CancellationToken.None);
    }

    private void RentBuffer()
    {
        if (_buffer.Length == 0)
            _buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
    }

    private void ReturnBuffer()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }
}

/// <summary>What one pass found out.</summary>
/// <param name="Sums">In hexadecimal digits.</param>
/// <param name="Verdict">Null where there was not one byte.</param>
public sealed record IngestResult(
    Digest Digest, long Length, IReadOnlyDictionary<ChecksumAlgorithm, string> Sums, FormatVerdict? Verdict);
