using Vitrine.Disks;
using Vitrine.Formats.Vmdk;
using Vitrine.Stores;

namespace Vitrine.Formats.Ova;

/// <summary>Opens the disk in an OVA.</summary>
internal static class OvaDisk
{
    public static async Task<Disk> OpenAsync(ContentReader content, CancellationToken cancellationToken)
    {
        var pieces = new PieceFeed();
        var reader = new OvaReader(pieces);
        await pieces.FetchAsync(content, "OVA", cancellationToken);
        var disk = reader.FindDisk();
        if (reader.FindParts() is { } parts)
            return new MappedDisk(content, new FlatVmdkMap(content, parts));

        return await VmdkDisk.OpenAsync(new ContentSlice(content, disk.Start, disk.Length), cancellationToken);
    }
}
