using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Formats.Wrappers;

/// <summary>gzip, bzip2, xz, Zstandard, and zip with one member.</summary>
public sealed class ContentWrappers : IContentWrappers
{
    /// <summary>The most that the history of one file may take, in bytes: that of <c>xz -9</c> is 64 MiB, of <c>zstd --long</c> 128.</summary>
    internal const ulong MemoryLimit = 128UL << 20;

    public async Task<UnpackedContent> OpenAsync(ContentReader packed, Wrapper wrapper, CancellationToken cancellationToken) => wrapper switch
    {
        Wrapper.Gzip => Unpacked(packed, wrapper, MembersUnpacker.Gzip()),
        Wrapper.Bzip2 => Unpacked(packed, wrapper, MembersUnpacker.Bzip2()),
        Wrapper.Xz => Unpacked(packed, wrapper, new XzUnpacker()),
        Wrapper.Zstd => Unpacked(packed, wrapper, new ZstdUnpacker()),
        Wrapper.Zip => Unpacked(packed, await ZipMember.FindAsync(packed, cancellationToken)),
        _ => throw new ArgumentOutOfRangeException(nameof(wrapper)),
    };

    private static UnpackedContent Unpacked(ContentReader packed, Wrapper wrapper, Unpacker unpacker) =>
        new(new UnpackingStream(packed, wrapper, unpacker), length: null);

    private static UnpackedContent Unpacked(ContentReader zip, ZipMember member) =>
        new(new UnpackingStream(member.OpenPacked(zip), Wrapper.Zip, new ZipUnpacker(member)), member.Length);
}
