using Vitrine.Content;
using Vitrine.Formats.Native;

namespace Vitrine.Formats.Wrappers;

/// <summary>Unpacks .xz: streams and padding between them, all of which the library itself tells apart.</summary>
internal sealed class XzUnpacker : Unpacker
{
    private readonly XzDecompressor _decompressor = new(ContentWrappers.MemoryLimit);

    public override UnpackStep Unpack(ReadOnlySpan<byte> packed, Span<byte> unpacked, bool isLast) =>
        _decompressor.Decompress(packed, unpacked, isLast, out var taken, out var given) switch
        {
            XzOutcome.Going => new UnpackStep(taken, given),
            XzOutcome.Ended => new UnpackStep(taken, given, IsOver: true),
            XzOutcome.TooLarge => throw WrapperRefusal.TooMuchMemory(Wrapper.Xz),
            XzOutcome.Unsupported => throw WrapperRefusal.Unsupported(Wrapper.Xz, "a filter or a check of another kind"),
            _ => throw WrapperRefusal.Damaged(Wrapper.Xz, "is damaged, or followed by something else"),
        };

    public override void Dispose() => _decompressor.Dispose();
}
