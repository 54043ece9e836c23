using Vitrine.Disks;
using Vitrine.Formats.Raw;
using Vitrine.Stores;

namespace Vitrine.Formats.Vhd;

/// <summary>Opens VHD: one that grows by its map, a fixed one as the guest's disk that it is, without the footer.</summary>
internal static class VhdDisk
{
    public static async Task<Disk> OpenAsync(ContentReader content, CancellationToken cancellationToken)
    {
        var tail = await content.ReadTailAsync("VHD", cancellationToken);
        var start = new byte[VhdFooter.Cookie.Length];
        await content.ReadExactlyAsync("VHD", 0, start, cancellationToken);
        if (!VhdFooter.IsIn(start))
            return new RawDisk(new ContentSlice(content, 0, VhdHeaderReader.ReadFixedFooter(tail, content.Length).DiskLength));

        var pieces = new PieceFeed();
        var reader = new VhdHeaderReader(pieces);
        await pieces.FetchAsync(content, "VHD", cancellationToken);
        return new MappedDisk(content, new VhdMap(content, reader.Finish(content.Length, tail)));
    }
}
