using Vitrine.Content;
using Vitrine.Formats.Native;

namespace Vitrine.Formats.Wrappers;

/// <summary>Unpacks gzip and bzip2: any number of members one behind the other, as parallel compressors write them, and nothing else.</summary>
internal sealed class MembersUnpacker(Wrapper wrapper, IMemberDecompressor decompressor, byte[] magic) : Unpacker
{
    private bool _isInside;
    private bool _isFirst = true;

    public static MembersUnpacker Gzip() => new(Wrapper.Gzip, ZlibInflater.ForGzip(), WrapperSignatures.Gzip.ToArray());

    public static MembersUnpacker Bzip2() => new(Wrapper.Bzip2, new Bzip2Decompressor(), WrapperSignatures.Bzip2.ToArray());

    public override UnpackStep Unpack(ReadOnlySpan<byte> packed, Span<byte> unpacked, bool isLast)
    {
        if (!_isInside && packed.IsEmpty)
            return new UnpackStep(0, 0, IsOver: isLast && !_isFirst);
        if (!_isInside && packed.Length < magic.Length && !isLast)
            return default;
        if (!_isInside)
            BeginMember(packed);

        try
        {
            _isInside = !decompressor.Decompress(packed, unpacked, out var taken, out var given);
            return new UnpackStep(taken, given);
        }
        catch (InvalidDataException)
        {
            throw WrapperRefusal.Damaged(wrapper);
        }
    }

    public override void Dispose() => decompressor.Dispose();

    private void BeginMember(ReadOnlySpan<byte> packed)
    {
        if (!packed.StartsWith(magic))
            throw WrapperRefusal.Damaged(wrapper, "is followed by something else");
        if (!_isFirst)
            decompressor.Reset();

        (_isFirst, _isInside) = (false, true);
    }
}
