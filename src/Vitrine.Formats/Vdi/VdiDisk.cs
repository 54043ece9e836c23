using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Vdi;

/// <summary>Opens VDI, growing or fixed.</summary>
internal static class VdiDisk
{
    public static async Task<Disk> OpenAsync(ContentReader content, CancellationToken cancellationToken)
    {
        var pieces = new PieceFeed();
        var reader = new VdiHeaderReader(pieces);
        await pieces.FetchAsync(content, "VDI", cancellationToken);
        return new MappedDisk(content, new VdiMap(content, reader.Finish(content.Length)));
    }
}
