using System.Buffers.Binary;
using Vitrine.Content;
using Vitrine.Formats.Native;

namespace Vitrine.Formats.Wrappers;

/// <summary>Unpacks Zstandard (RFC 8878): any number of frames one behind the other, those between that are to be skipped, and nothing else.</summary>
/// <remarks>The library would also take the formats of its own youth; it is given none of them.</remarks>
/// <param name="longestWindow">The most memory that a frame may need, in bytes.</param>
internal sealed class ZstdUnpacker(ulong longestWindow = ContentWrappers.MemoryLimit) : Unpacker
{
    private readonly ZstdDecompressor _decompressor = new();
    private bool _isInside;
    private bool _isFirst = true;
    private long _toSkip;

    public override UnpackStep Unpack(ReadOnlySpan<byte> packed, Span<byte> unpacked, bool isLast)
    {
        if (_toSkip > 0)
            return Skip(packed);
        if (!_isInside && packed.IsEmpty)
            return new UnpackStep(0, 0, IsOver: isLast && !_isFirst);
        if (!_isInside && packed.Length < ZstdFrame.LargestHeaderLength && !isLast)
            return default;
        if (!_isInside && ZstdFrame.IsSkippable(packed))
            return BeginSkipping(packed);
        if (!_isInside)
            BeginFrame(packed);

        try
        {
            _isInside = !_decompressor.Decompress(packed, unpacked, out var taken, out var given);
            return new UnpackStep(taken, given);
        }
        catch (InvalidDataException)
        {
            throw WrapperRefusal.Damaged(Wrapper.Zstd);
        }
    }

    public override void Dispose() => _decompressor.Dispose();

    private UnpackStep Skip(ReadOnlySpan<byte> packed)
    {
        var taken = (int)Math.Min(packed.Length, _toSkip);
        _toSkip -= taken;
        return new UnpackStep(taken, 0);
    }

    private UnpackStep BeginSkipping(ReadOnlySpan<byte> packed)
    {
        if (packed.Length < ZstdFrame.SkippableHeaderLength)
            throw WrapperRefusal.Truncated(Wrapper.Zstd);

        _isFirst = false;
        _toSkip = BinaryPrimitives.ReadUInt32LittleEndian(packed[4..]);
        return new UnpackStep(ZstdFrame.SkippableHeaderLength, 0);
    }

    private void BeginFrame(ReadOnlySpan<byte> packed)
    {
        if (!ZstdFrame.IsFrame(packed))
            throw WrapperRefusal.Damaged(Wrapper.Zstd, "is followed by something else");
        if (ZstdFrame.Read(packed) is not { } frame)
            throw WrapperRefusal.Truncated(Wrapper.Zstd);
        if (frame.HasDictionary)
            throw WrapperRefusal.Unsupported(Wrapper.Zstd, "a dictionary");
        if (frame.WindowSize > longestWindow)
            throw WrapperRefusal.TooMuchMemory(Wrapper.Zstd);

        (_isFirst, _isInside) = (false, true);
    }
}
