using System.Buffers;
using Vitrine.Content;
using Vitrine.Transfers;

namespace Vitrine.Sources.Buckets;

/// <summary>A large object by several connections, as servers of objects give one connection a part of what they can: while one stretch is read, those behind it are on their way.</summary>
/// <remarks>
/// <code>
/// first reading   ████████                            read as it comes
/// stretches               ████████                    at most three in memory, each by a connection of its own,
///                                 ████████            for exactly the version of the first reading
///                                         ████████
/// </code>
/// What was fetched and not read when a stretch fails for good is fetched again by the next reading.
/// </remarks>
internal sealed class StretchedBody : ReadOnlyStream
{
    /// <summary>In bytes.</summary>
    public const int StretchLength = 8 * 1024 * 1024;

    private const int MostAhead = 3;

    private readonly SourceReading _first;
    private readonly Func<long, Memory<byte>, CancellationToken, Task> _fetch;
    private readonly CancellationTokenSource _over = new();
    private readonly Queue<Task<Stretch>> _ahead = [];
    private readonly long _length;
    private readonly long _firstEnd;
    private long _position;
    private long _planned;
    private Stretch _current;

    /// <param name="first">Belongs to the body from now on.</param>
    /// <param name="length">Of the whole object, in bytes.</param>
    /// <param name="fetch">Fills the memory with what begins at an offset.</param>
    public StretchedBody(SourceReading first, long length, Func<long, Memory<byte>, CancellationToken, Task> fetch)
    {
        (_first, _length, _fetch) = (first, length, fetch);
        _position = first.Offset;
        _firstEnd = _planned = Math.Min(length, first.Offset + StretchLength);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        FetchAhead();
        var read = _position < _firstEnd
            ? await ReadFirstAsync(buffer[..(int)Math.Min(buffer.Length, _firstEnd - _position)], cancellationToken)
            : await ReadStretchAsync(buffer, cancellationToken);
        _position += read;
        return read;
    }

    public override async ValueTask DisposeAsync()
    {
        if (_over.IsCancellationRequested)
            return;

        await _over.CancelAsync();
        foreach (var stretch in _ahead)
        {
            try
            {
                (await stretch).Return();
            }
            catch (Exception failure) when (failure is SourceException or OperationCanceledException)
            {
                // It was not read, and nobody will.
            }
        }

        _ahead.Clear();
        _current.Return();
        _current = default;
        await _first.DisposeAsync();
        _over.Dispose();
        await base.DisposeAsync();
    }

    private void FetchAhead()
    {
        while (_ahead.Count < MostAhead && _planned < _length)
        {
            var count = (int)Math.Min(StretchLength, _length - _planned);
            _ahead.Enqueue(FetchAsync(_planned, count));
            _planned += count;
        }
    }

    private async ValueTask<int> ReadFirstAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = await _first.Body.ReadAsync(buffer, cancellationToken);

        // The rest comes by other connections.
        if (_position + read == _firstEnd)
            await _first.DisposeAsync();
        return read;
    }

    private async ValueTask<int> ReadStretchAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_current.Left == 0)
        {
            _current.Return();
            _current = default;
            if (!_ahead.TryPeek(out var next))
                return 0;

            _current = await next.WaitAsync(cancellationToken);
            _ = _ahead.Dequeue();
            FetchAhead();
        }

        return _current.CopyTo(buffer.Span);
    }

    private async Task<Stretch> FetchAsync(long from, int count)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(count);
        try
        {
            try
            {
                await _fetch(from, bytes.AsMemory(0, count), _over.Token);
            }
            catch (SourceException failure) when (failure.MayPass)
            {
                // What was fetched behind it need not come again because of one cut.
                await _fetch(from, bytes.AsMemory(0, count), _over.Token);
            }

            return new Stretch(bytes, count);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(bytes);
            throw;
        }
    }

    /// <summary>What came, and how much of it was read.</summary>
    private struct Stretch(byte[] bytes, int count)
    {
        private int _read;

        public readonly int Left => count - _read;

        public int CopyTo(Span<byte> target)
        {
            var length = Math.Min(target.Length, Left);
            bytes.AsSpan(_read, length).CopyTo(target);
            _read += length;
            return length;
        }

        public readonly void Return()
        {
            if (bytes is not null)
                ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
