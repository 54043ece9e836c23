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
/// again from the store's own copy, so that not a byte is fetched twice.
/// </remarks>
public sealed class Ingest : IAsyncDisposable
{
    private const int BlockSize = 256 * 1024;
    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromSeconds(1);

    private readonly ContentWriter _writer;
    private readonly IFormatInspector _inspector;
    private readonly IReadOnlyCollection<ChecksumAlgorithm> _sums;
    private readonly TimeProvider _time;

    private Lanes _lanes;
    private byte[] _buffer = [];
    private int _filled;
    private Task _flush = Task.CompletedTask;
    private bool _isCommitted;

    /// <param name="writer">Belongs to the ingest from now on.</param>
    /// <param name="sums">What is computed of the bytes beside SHA-256, which names them.</param>
    public Ingest(ContentWriter writer, IFormatInspector inspector, IReadOnlyCollection<ChecksumAlgorithm> sums, TimeProvider time)
    {
        (_writer, _inspector, _sums, _time) = (writer, inspector, sums, time);
        _lanes = new Lanes(writer, inspector, sums);
    }

    /// <summary>How many bytes have come so far, those of an earlier run included.</summary>
    public long Length { get; private set; }

    /// <summary>Looks again at what an earlier run left in the store.</summary>
    public async Task RereadAsync(CancellationToken cancellationToken)
    {
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
        _lanes = new Lanes(_writer, _inspector, _sums);
        (_flush, _filled, Length) = (Task.CompletedTask, 0, 0);
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
        return await _lanes.FinishAsync(Length);
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
    }

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

    /// <summary>The lanes of one pass, from the first byte to the last.</summary>
    private sealed class Lanes : IAsyncDisposable
    {
        private readonly List<RunningDigest> _digests = [];
        private readonly FormatInspection _inspection;
        private readonly List<IngestLane> _observers = [];
        private readonly IngestLane _store;

        public Lanes(ContentWriter writer, IFormatInspector inspector, IReadOnlyCollection<ChecksumAlgorithm> sums)
        {
            _inspection = inspector.Begin();
            foreach (var algorithm in sums.Append(ChecksumAlgorithm.Sha256).Distinct())
                AddDigest(new RunningDigest(algorithm));
            _store = new IngestLane(bytes => writer.WriteAsync(bytes, CancellationToken.None), TaskScheduler.Default);
            _observers.Add(new IngestLane(bytes => Inspect(bytes, writer), TaskScheduler.Default, next: _store));
        }

        public async ValueTask GiveAsync(byte[] buffer, int length, bool stored)
        {
            var block = new IngestBlock(buffer, length, _observers.Count, stored);
            for (var i = 0; i < _observers.Count; i++)
            {
                try
                {
                    await _observers[i].GiveAsync(block);
                }
                catch
                {
                    for (var left = i + 1; left < _observers.Count; left++)
                        block.Release();
                    throw;
                }
            }
        }

        /// <summary>Sends an empty block through every lane and waits for it to come out.</summary>
        public async Task SettleAsync()
        {
            foreach (var lane in _observers.Append(_store))
                await lane.SettleAsync();
        }

        public async Task<IngestResult> FinishAsync(long length)
        {
            foreach (var lane in _observers.Append(_store))
                await lane.FinishAsync();

            var sums = _digests.ToDictionary(d => d.Algorithm, d => Convert.ToHexStringLower(d.Finish()));
            return new IngestResult(Digest.Parse(sums[ChecksumAlgorithm.Sha256]), length, sums, length == 0 ? null : _inspection.Complete());
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var lane in _observers.Append(_store))
                await lane.AbandonAsync();

            foreach (var digest in _digests)
                digest.Dispose();
        }

        // The inspection comes before the store, to which it says how to cut what it gets.
        private ValueTask Inspect(ReadOnlyMemory<byte> bytes, ContentWriter writer)
        {
            _inspection.Observe(bytes.Span);
            while (_inspection.TakeRow() is { } row)
                writer.BeginRow(row);

            return ValueTask.CompletedTask;
        }

        private void AddDigest(RunningDigest digest)
        {
            _digests.Add(digest);
            AddObserver(digest.Append, IngestThreads.Shared);
        }

        private void AddObserver(Observer observe, TaskScheduler scheduler) => _observers.Add(new IngestLane(
            bytes =>
            {
                observe(bytes.Span);
                return ValueTask.CompletedTask;
            },
            scheduler));

        private delegate void Observer(ReadOnlySpan<byte> bytes);
    }
}

/// <summary>What one pass found out.</summary>
/// <param name="Sums">In hexadecimal digits.</param>
/// <param name="Verdict">Null where there was not one byte.</param>
public sealed record IngestResult(
    Digest Digest, long Length, IReadOnlyDictionary<ChecksumAlgorithm, string> Sums, FormatVerdict? Verdict);
