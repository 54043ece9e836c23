using Vitrine.Stores;

namespace Vitrine.Formats.Iso9660;

/// <summary>The descriptors at the start of a volume that matter to a reader.</summary>
internal sealed record DescriptorSet(VolumeDescriptor Primary, VolumeDescriptor? Joliet, IReadOnlyList<BootEntry> BootEntries)
{
    /// <exception cref="Content.UnsafeContentException">They do not make a volume.</exception>
    public static async Task<DescriptorSet> ReadAsync(ContentReader content, CancellationToken cancellationToken)
    {
        VolumeDescriptor? primary = null;
        VolumeDescriptor? joliet = null;
        uint? catalogue = null;
        await foreach (var descriptor in ListAsync(content, cancellationToken))
        {
            if (descriptor.Type is DescriptorType.Primary)
                primary ??= descriptor;
            else if (descriptor.IsJoliet)
                joliet ??= descriptor;
            else
                catalogue ??= descriptor.BootCatalogueSector;
        }

        if (primary is null)
            throw IsoRefusal.BadGeometry("it has no primary volume descriptor");
        if (primary.SectorLength != VolumeDescriptor.SectorSize || joliet is not null && joliet.SectorLength != VolumeDescriptor.SectorSize)
            throw IsoRefusal.BadGeometry($"its sectors have {primary.SectorLength} bytes");

        return new DescriptorSet(primary, joliet, catalogue is { } sector ? await ReadCatalogueAsync(content, sector, cancellationToken) : []);
    }

    /// <summary>What firmware finds, in content that need not be a volume: nothing where anything is wrong.</summary>
    public static async Task<IReadOnlyList<BootEntry>> FindBootEntriesAsync(ContentReader content, CancellationToken cancellationToken)
    {
        await foreach (var descriptor in ListAsync(content, cancellationToken))
        {
            if (descriptor.BootCatalogueSector is { } sector)
                return await TryReadCatalogueAsync(content, sector, cancellationToken) ?? [];
        }

        return [];
    }

    private static async IAsyncEnumerable<VolumeDescriptor> ListAsync(
        ContentReader content, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var sector = new byte[VolumeDescriptor.SectorSize];
        for (var i = 0; i < VolumeDescriptor.MostInSet; i++)
        {
            var offset = VolumeDescriptor.FirstOffset + i * sector.Length;
            if (offset > content.Length - sector.Length)
                yield break;

            await content.ReadExactlyAsync(IsoVolume.Format, offset, sector, cancellationToken);
            if (!VolumeDescriptor.IsIn(sector) || sector[0] == (byte)DescriptorType.End)
                yield break;

            yield return VolumeDescriptor.Read(sector);
        }
    }

    private static async Task<IReadOnlyList<BootEntry>> ReadCatalogueAsync(ContentReader content, uint sector, CancellationToken cancellationToken) =>
        await TryReadCatalogueAsync(content, sector, cancellationToken)
        ?? throw new Content.UnsafeContentException("iso-bad-boot-catalogue", "the ISO image says that it can be booted, and has no boot catalogue.");

    private static async Task<IReadOnlyList<BootEntry>?> TryReadCatalogueAsync(ContentReader content, uint sector, CancellationToken cancellationToken)
    {
        var bytes = new byte[VolumeDescriptor.SectorSize];
        var offset = (long)sector * bytes.Length;
        if (offset > content.Length - bytes.Length)
            return null;

        await content.ReadExactlyAsync(IsoVolume.Format, offset, bytes, cancellationToken);
        return BootCatalogue.TryRead(bytes);
    }
}
