using Vitrine.Disks;
using Vitrine.Formats.Ova;
using Vitrine.Formats.Raw;
using Vitrine.Formats.Vdi;
using Vitrine.Formats.Vhd;
using Vitrine.Formats.Vhdx;
using Vitrine.Formats.Vmdk;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>Every format that is read or written, by its name; the formats themselves know nothing of one another.</summary>
public sealed class DiskFormats : IDiskFormats
{
    public Task<Disk> OpenAsync(ContentReader content, DiskFormat format, CancellationToken cancellationToken) =>
        OpenAsync(content, format, ContainerFormat.Bare, cancellationToken);

    public async Task<Disk> OpenAsync(
        ContentReader content, DiskFormat format, ContainerFormat container, CancellationToken cancellationToken)
    {
        try
        {
            return format switch
            {
                DiskFormat.Raw or DiskFormat.Iso => new RawDisk(content),
                DiskFormat.Vmdk when container is ContainerFormat.Ova => await OvaDisk.OpenAsync(content, cancellationToken),
                DiskFormat.Vmdk => await VmdkDisk.OpenAsync(content, cancellationToken),
                DiskFormat.Vhd => await VhdDisk.OpenAsync(content, cancellationToken),
                DiskFormat.Vhdx => await VhdxDisk.OpenAsync(content, cancellationToken),
                DiskFormat.Vdi => await VdiDisk.OpenAsync(content, cancellationToken),
                _ => throw new FormatNotSupportedException($"There is no guest's disk in content of format {format.Word()}."),
            };
        }
        catch
        {
            await content.DisposeAsync();
            throw;
        }
    }

    public async Task<DiskConversion> ConvertAsync(Disk disk, ConversionTarget target, CancellationToken cancellationToken)
    {
        await disk.DisposeAsync();
        throw new FormatNotSupportedException($"Content of format {target.Format.Word()} is not written.");
    }
}
