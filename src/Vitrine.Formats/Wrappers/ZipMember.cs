using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Formats.Wrappers;

/// <summary>The one member of a zip archive, whose name does not matter.</summary>
/// <remarks>
/// The archive has to be one piece, and everything that it says twice the same, so that no two readers can find different
/// members in it (APPNOTE 6.3.10, section 4.3.6):
/// <code>
///  +--------------+-------------+-------------+------------------+-----------------+-----------------+---------------+
///  | local header | packed data | descriptor  | central header   | zip64 end       | zip64 locator   | end record    |
///  | at 0         |             | (by flag 3) | one              | (in large ones) | (in large ones) | and a comment |
///  +--------------+-------------+-------------+------------------+-----------------+-----------------+---------------+
/// </code>
/// </remarks>
/// <param name="Offset">Where the packed data begins.</param>
/// <param name="PackedLength">Its length in bytes.</param>
/// <param name="Length">The length of what it holds in bytes.</param>
/// <param name="Crc">The CRC-32 of what it holds.</param>
/// <param name="IsDeflated">Or else stored as it is.</param>
internal sealed record ZipMember(long Offset, long PackedLength, long Length, uint Crc, bool IsDeflated)
{
    private const int LocalHeaderLength = 30;

    /// <exception cref="UnsafeContentException">There is not exactly one member, it cannot be unpacked, or the archive contradicts itself.</exception>
    public static async Task<ZipMember> FindAsync(ContentReader zip, CancellationToken cancellationToken)
    {
        var directory = await ZipDirectory.FindAsync(zip, cancellationToken);
        if (directory.Entries != 1)
            throw new UnsafeContentException("zip-many-members", $"the zip file has {directory.Entries} members, where it should have one.");

        var central = await directory.ReadEntryAsync(zip, cancellationToken);
        var header = await ReadAsync(zip, 0, LocalHeaderLength, cancellationToken);
        var local = ZipEntry.BeginLocal(header, out var nameLength, out var extraLength);
        var data = LocalHeaderLength + nameLength + extraLength;
        local = local.WithExtra(await ReadAsync(zip, LocalHeaderLength + nameLength, extraLength, cancellationToken));
        if (central.Offset != 0 || central.PackedLength > directory.Offset - data || !local.IsAsIn(central))
            throw Contradiction();

        var end = data + central.PackedLength;
        var gap = directory.Offset - end;
        if (gap > ZipEntry.LargestDescriptorLength
            || !central.HasDescriptor(await ReadAsync(zip, end, (int)gap, cancellationToken)))
            throw Contradiction();

        return new ZipMember(data, central.PackedLength, central.Length, central.Crc, central.IsDeflated);
    }

    public ContentReader OpenPacked(ContentReader zip) => new ContentSlice(zip, Offset, PackedLength);

    internal static UnsafeContentException Contradiction() => WrapperRefusal.Damaged(Wrapper.Zip, "contradicts itself");

    internal static async Task<byte[]> ReadAsync(ContentReader zip, long offset, int length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        await zip.ReadExactlyAsync("zip", offset, bytes, cancellationToken);
        return bytes;
    }
}
