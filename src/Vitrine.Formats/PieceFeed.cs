using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>Cuts out of passing bytes the pieces that a reader wants, one after the other, and holds no more than one.</summary>
/// <remarks>So one parser of a header serves a forward pass (<see cref="Observe"/>) and content at rest (<see cref="FetchAsync"/>).</remarks>
internal sealed class PieceFeed
{
    /// <summary>No reader may want more at once, whatever a header says.</summary>
    public const int MaxPiece = 64 * 1024;

    private byte[] _buffer = [];
    private long _position;
    private long _start;
    private int _length;
    private int _filled;
    private PieceHandler? _handler;
    private PieceHandler? _watcher;

    /// <summary>
    /// Where in the content data begin that other contents may have elsewhere, in order: see <see cref="Content.FormatInspection.TakeRow"/>.
    /// Null where nobody asks, and readers need not look for them.
    /// </summary>
    public Queue<long>? Rows { get; init; }

    public bool IsWaiting => _handler is not null;

    /// <summary>What is missing of the piece that is wanted; null where none is.</summary>
    public (long Start, long End)? Wanted => IsWaiting ? (_start + _filled, _start + _length) : null;

    /// <param name="offset">From the content's first byte; not before the end of the last piece.</param>
    public void Want(long offset, int length, PieceHandler handler)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(offset, _position);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxPiece);
        if (_buffer.Length < length)
            _buffer = new byte[length];

        (_start, _length, _filled, _handler) = (offset, length, 0, handler);
    }

    /// <summary>Has somebody told all bytes that pass from now on, in their order, each before the piece that it ends is handled.</summary>
    public void Watch(PieceHandler watcher) => _watcher = watcher;

    public void Observe(ReadOnlySpan<byte> bytes)
    {
        while (_handler is not null && Skip(ref bytes))
        {
            var taken = bytes[..Math.Min(bytes.Length, _length - _filled)];
            taken.CopyTo(_buffer.AsSpan(_filled));
            _filled += taken.Length;
            Pass(ref bytes, taken.Length);
            if (_filled == _length)
                Deliver();
        }

        Pass(ref bytes, bytes.Length);
    }

    /// <summary>Passes bytes by that lie before all that is wanted, and that nobody has seen; nothing can be watched any more.</summary>
    public void SkipTo(long position) => (_position, _watcher) = (position, null);

    /// <summary>Gives the reader every piece that it wants of content that can be read anywhere.</summary>
    /// <exception cref="Content.UnsafeContentException">The content ends before a piece does.</exception>
    public async Task FetchAsync(ContentReader content, string format, CancellationToken cancellationToken)
    {
        while (IsWaiting)
        {
            await content.ReadExactlyAsync(format, _start, _buffer.AsMemory(0, _length), cancellationToken);
            _position = _start + _length;
            Deliver();
        }
    }

    private bool Skip(ref ReadOnlySpan<byte> bytes)
    {
        if (_filled == 0 && _position < _start)
            Pass(ref bytes, (int)Math.Min(bytes.Length, _start - _position));

        return !bytes.IsEmpty;
    }

    private void Pass(ref ReadOnlySpan<byte> bytes, int count)
    {
        _watcher?.Invoke(bytes[..count]);
        bytes = bytes[count..];
        _position += count;
    }

    private void Deliver()
    {
        var handler = _handler!;
        _handler = null;
        handler(_buffer.AsSpan(0, _length));
    }
}

internal delegate void PieceHandler(ReadOnlySpan<byte> piece);
