using Vitrine.Disks;
using Vitrine.Formats.Boot;
using Vitrine.Formats.Conversion;
using Vitrine.Formats.Ova;
using Vitrine.Formats.Qcow2;
using Vitrine.Formats.Raw;
using Vitrine.Formats.Vdi;
using Vitrine.Formats.Vhd;
using Vitrine.Formats.Vhdx;
using Vitrine.Formats.Vmdk;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>Every format that is read or written, by its name; the formats themselves know nothing of one another.</summary>
/// <param name="temporaryDirectory">
/// Where compressed qcow2 is put together for those who do not have it written to a file of theirs: up to the size of the disk's
/// data each time. The system's own directory for such files unless given.
/// </param>
public sealed class DiskFormats(string? temporaryDirectory = null) : IDiskFormats
{
    public bool CanOpen(DiskFormat format) => format
        is DiskFormat.Raw or DiskFormat.Iso or DiskFormat.Qcow2 or DiskFormat.Vmdk or DiskFormat.Vhd or DiskFormat.Vhdx or DiskFormat.Vdi;

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
                DiskFormat.Qcow2 => await Qcow2Disk.OpenAsync(content, cancellationToken),
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

    public async Task<BootModes> FindBootModesAsync(Disk disk, CancellationToken cancellationToken)
    {
        var evidence = await BootEvidence.FindAsync(disk, cancellationToken);
        return new BootModes(evidence.SupportsBios, evidence.SupportsUefi);
    }

    /// <inheritdoc cref="Targets.Check"/>
    public static void CheckTarget(ConversionTarget target) => Targets.Check(target);

    public async Task<DiskConversion> ConvertAsync(Disk disk, ConversionTarget target, CancellationToken cancellationToken)
    {
        try
        {
            return await Targets.BeginAsync(disk, target, temporaryDirectory ?? Path.GetTempPath(), cancellationToken);
        }
        catch
        {
            await disk.DisposeAsync();
            throw;
        }
    }
}
