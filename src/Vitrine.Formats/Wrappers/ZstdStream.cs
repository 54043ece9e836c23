using System.Buffers;
using Vitrine.Content;
using Vitrine.Formats.Native;

namespace Vitrine.Formats.Wrappers;

/// <summary>What Zstandard frames (RFC 8878) mean, unfolded as they come from another stream, which it closes.</summary>
/// <remarks>As HTTP has it (RFC 9659), a frame that needs a window of more than 8 MiB is refused.</remarks>
public sealed class ZstdStream(Stream frames) : ReadOnlyStream
{
    private const int InputLength = 128 * 1024;
    private const ulong LongestWindow = 8UL << 20;

    private readonly ZstdUnpacker _unpacker = new(LongestWindow);
    private readonly byte[] _input = ArrayPool<byte>.Shared.Rent(InputLength);
    private int _start;
    private int _count;
    private bool _isLast;
    private bool _isDisposed;

    /// <summary>Whether this machine has the library that unfolds.</summary>
    public static bool IsSupported => ZstdDecompressor.IsSupported;

    /// <exception cref="InvalidDataException">The frames are damaged, or not what is understood here.</exception>
    /// <exception cref="EndOfStreamException">They end in the middle of one.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var step = Unpack(buffer.Span);
            if (step.Given > 0 || step.IsOver)
                return step.Given;
            if (step.Taken == 0)
                await FillAsync(cancellationToken);
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            _isDisposed = true;
            _unpacker.Dispose();
            ArrayPool<byte>.Shared.Return(_input);
            frames.Dispose();
        }

        base.Dispose(disposing);
    }

    private UnpackStep Unpack(Span<byte> unpacked)
    {
        try
        {
            var step = _unpacker.Unpack(_input.AsSpan(_start, _count), unpacked, _isLast);
            _start += step.Taken;
            _count -= step.Taken;
            return step;
        }
        catch (UnsafeContentException refusal)
        {
            throw new InvalidDataException("The Zstandard frames cannot be unfolded.", refusal);
        }
    }

    /// <summary>Offers more than before: what is left goes to the front, and more behind it.</summary>
    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (_isLast)
            throw new EndOfStreamException("The Zstandard frames end in the middle of one.");

        _input.AsSpan(_start, _count).CopyTo(_input);
        _start = 0;
        var read = await frames.ReadAsync(_input.AsMemory(_count), cancellationToken);
        _isLast = read == 0;
        _count += read;
    }
}
