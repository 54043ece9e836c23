using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Vmdk;

/// <summary>Opens VMDK in one file.</summary>
internal static class VmdkDisk
{
    public static async Task<Disk> OpenAsync(ContentReader content, CancellationToken cancellationToken)
    {
        var pieces = new PieceFeed();
        var reader = new VmdkHeaderReader(pieces);
        await pieces.FetchAsync(content, "VMDK", cancellationToken);
        var header = reader.Finish(content.Length, await content.ReadTailAsync("VMDK", cancellationToken));
        return new MappedDisk(content, new VmdkMap(content, header));
    }
}
