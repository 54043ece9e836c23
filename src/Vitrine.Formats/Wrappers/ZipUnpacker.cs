using Vitrine.Content;
using Vitrine.Formats.Native;

namespace Vitrine.Formats.Wrappers;

/// <summary>Unpacks the data of a member of a zip archive, which is deflated or stored, and holds it against its header.</summary>
internal sealed class ZipUnpacker(ZipMember member) : Unpacker
{
    private readonly ZlibInflater? _inflater = member.IsDeflated ? ZlibInflater.ForDeflate() : null;
    private long _given;
    private uint _crc;

    public override UnpackStep Unpack(ReadOnlySpan<byte> packed, Span<byte> unpacked, bool isLast)
    {
        var hasEnded = Decompress(packed, unpacked, isLast, out var taken, out var given);
        _crc = ZlibInflater.Crc32(_crc, unpacked[..given]);
        _given += given;
        if (_given > member.Length)
            throw WrapperRefusal.Damaged(Wrapper.Zip, "has more in it than it says");
        if (hasEnded && (taken < packed.Length || !isLast || _given != member.Length || _crc != member.Crc))
            throw WrapperRefusal.Damaged(Wrapper.Zip);

        return new UnpackStep(taken, given, hasEnded);
    }

    public override void Dispose() => _inflater?.Dispose();

    private bool Decompress(ReadOnlySpan<byte> packed, Span<byte> unpacked, bool isLast, out int taken, out int given)
    {
        if (_inflater is null)
        {
            taken = given = Math.Min(packed.Length, unpacked.Length);
            packed[..taken].CopyTo(unpacked);
            return isLast && taken == packed.Length;
        }

        try
        {
            return _inflater.Decompress(packed, unpacked, out taken, out given);
        }
        catch (InvalidDataException)
        {
            throw WrapperRefusal.Damaged(Wrapper.Zip);
        }
    }
}
