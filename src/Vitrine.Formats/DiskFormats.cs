using Vitrine.Disks;
using Vitrine.Formats.Qcow2;
using Vitrine.Formats.Raw;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>Every format that is read or written, by its name; the formats themselves know nothing of one another.</summary>
public sealed class DiskFormats : IDiskFormats
{
    public bool CanOpen(DiskFormat format) => format is DiskFormat.Raw or DiskFormat.Iso or DiskFormat.Qcow2;

    public async Task<Disk> OpenAsync(ContentReader content, DiskFormat format, CancellationToken cancellationToken)
    {
        try
        {
            return format switch
            {
                DiskFormat.Raw or DiskFormat.Iso => new RawDisk(content),
                DiskFormat.Qcow2 => await Qcow2Disk.OpenAsync(content, cancellationToken),
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
