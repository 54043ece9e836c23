using System.Buffers;
using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Formats.Wrappers;

/// <summary>What is in a wrapper, unpacked while it is read. Its end is the proof that the wrapper was whole.</summary>
internal sealed class UnpackingStream(ContentReader packed, Wrapper wrapper, Unpacker unpacker) : ReadOnlyStream
{
    private const int InputLength = 128 * 1024;

    private readonly byte[] _input = ArrayPool<byte>.Shared.Rent(InputLength);
    private long _position;
    private int _start;
    private int _count;
    private bool _isOver;
    private bool _isDisposed;

    private ReadOnlySpan<byte> Input => _input.AsSpan(_start, _count);

    private bool IsLast => _position == packed.Length;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // All of this is computing, and others compute on the same threads.
        await Task.Yield();
        while (!_isOver && !buffer.IsEmpty)
        {
            var step = unpacker.Unpack(Input, buffer.Span, IsLast);
            _start += step.Taken;
            _count -= step.Taken;
            _isOver = step.IsOver;
            if (step.Given > 0)
                return step.Given;
            if (step is { Taken: 0, IsOver: false })
                await FillAsync(cancellationToken);
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            _isDisposed = true;
            unpacker.Dispose();
            ArrayPool<byte>.Shared.Return(_input);
        }

        base.Dispose(disposing);
    }

    /// <summary>Offers more than before: what is left goes to the front, and more behind it.</summary>
    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (IsLast)
            throw WrapperRefusal.Truncated(wrapper);

        Input.CopyTo(_input);
        _start = 0;
        var read = await packed.ReadAsync(_position, _input.AsMemory(_count), cancellationToken);
        if (read == 0)
            throw new EndOfStreamException("The store gives back less than it says that it holds.");

        _position += read;
        _count += read;
    }
}
