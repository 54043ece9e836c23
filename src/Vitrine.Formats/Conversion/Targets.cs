using System.Diagnostics;
using Vitrine.Disks;
using Vitrine.Formats.Qcow2;
using Vitrine.Formats.Vhd;
using Vitrine.Formats.Vhdx;
using Vitrine.Formats.Vmdk;
using Vitrine.Images;

namespace Vitrine.Formats.Conversion;

/// <summary>The formats that are written, and how long a disk each of them can hold.</summary>
internal static class Targets
{
    public static async Task<DiskConversion> BeginAsync(
        Disk disk, ConversionTarget target, string temporaryDirectory, CancellationToken cancellationToken)
    {
        Check(target);
        switch (target)
        {
            case { Format: DiskFormat.Raw, Variant: null }:
                return new FlatConversion(disk, new FlatLayout(disk.Length, []));
            case { Format: DiskFormat.Qcow2, Variant: null }:
                CheckLength(disk, target, least: 0, Qcow2Layout.MaxDiskLength);
                return target.Compress
                    ? new CompressedQcow2Conversion(disk, temporaryDirectory)
                    : new UnitConversion(disk, new Qcow2Layout(InSectors(disk.Length)));
            case { Format: DiskFormat.Vmdk, Variant: null or StreamOptimizedConversion.Variant }:
                CheckLength(disk, target, least: 1, StreamOptimizedConversion.MaxDiskLength);
                return new StreamOptimizedConversion(disk, await DiskIdentity.OfAsync(disk, cancellationToken));
            case { Format: DiskFormat.Vhd, Variant: FixedVhd.Variant }:
                CheckLength(disk, target, least: 1, VhdFooterSector.MaxDiskLength);
                return new FlatConversion(disk, FixedVhd.Lay(InSectors(disk.Length), await DiskIdentity.OfAsync(disk, cancellationToken)));
            case { Format: DiskFormat.Vhd, Variant: null or DynamicVhd.Variant }:
                CheckLength(disk, target, least: 1, VhdFooterSector.MaxDiskLength);
                return new UnitConversion(disk, new DynamicVhd(InSectors(disk.Length), await DiskIdentity.OfAsync(disk, cancellationToken)));
            case { Format: DiskFormat.Vhdx, Variant: null or DynamicVhdx.Variant }:
                CheckLength(disk, target, least: 1, DynamicVhdx.MaxDiskLength);
                return new UnitConversion(disk, new DynamicVhdx(InSectors(disk.Length), await DiskIdentity.OfAsync(disk, cancellationToken)));
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>Refuses what is not written, before anything is read for it.</summary>
    /// <exception cref="FormatNotSupportedException">There is no such format or variant.</exception>
    /// <exception cref="InvalidFieldException">It cannot be compressed, or is compressed always.</exception>
    public static void Check(ConversionTarget target)
    {
        if (target is { Compress: true, Format: DiskFormat.Vmdk })
            throw new InvalidFieldException("compress", "goes with qcow2 alone; the vmdk that is written is compressed always");
        if (target is { Compress: true, Format: DiskFormat.Raw or DiskFormat.Vhd or DiskFormat.Vhdx })
            throw new InvalidFieldException("compress", $"goes with qcow2 alone; {target.Format.Word()} is never compressed");
        if (target is not ({ Format: DiskFormat.Raw or DiskFormat.Qcow2, Variant: null }
            or { Format: DiskFormat.Vmdk, Variant: null or StreamOptimizedConversion.Variant }
            or { Format: DiskFormat.Vhd, Variant: null or DynamicVhd.Variant or FixedVhd.Variant }
            or { Format: DiskFormat.Vhdx, Variant: null or DynamicVhdx.Variant }))
        {
            throw new FormatNotSupportedException(
                $"Content of format {Words(target)} is not written. What is: raw, qcow2, vmdk ({StreamOptimizedConversion.Variant}), "
                + $"vhd ({DynamicVhd.Variant}, {FixedVhd.Variant}), vhdx ({DynamicVhdx.Variant}).");
        }
    }

    private static void CheckLength(Disk disk, ConversionTarget target, long least, long most)
    {
        if (disk.Length < least || disk.Length > most)
            throw new FormatNotSupportedException($"A disk of {disk.Length} bytes does not go into {Words(target)}, which holds {least} to {most}.");
    }

    private static long InSectors(long length) => (length + 511) / 512 * 512;

    private static string Words(ConversionTarget target) =>
        target.Variant is null ? target.Format.Word() : $"{target.Format.Word()} ({target.Variant})";
}
