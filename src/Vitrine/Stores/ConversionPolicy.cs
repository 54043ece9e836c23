using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>In which format a store keeps the disks that come to it in another.</summary>
/// <param name="Targets">By the format that comes. What is not there is kept as it came.</param>
public sealed record ConversionPolicy(IReadOnlyDictionary<DiskFormat, DiskFormat> Targets)
{
    public static readonly ConversionPolicy None = new(new Dictionary<DiskFormat, DiskFormat>());

    /// <summary>Formats of guests' disks, by which a policy may know what comes.</summary>
    public static readonly IReadOnlySet<DiskFormat> Sources = new HashSet<DiskFormat>
    {
        DiskFormat.Raw, DiskFormat.Qcow2, DiskFormat.Vmdk, DiskFormat.Vhd, DiskFormat.Vhdx, DiskFormat.Vdi,
    };

    /// <summary>Formats that are laid out before they are written, so that room for them is looked for beforehand.</summary>
    public static readonly IReadOnlySet<DiskFormat> Kept = new HashSet<DiskFormat> { DiskFormat.Raw, DiskFormat.Qcow2, DiskFormat.Vhd, DiskFormat.Vhdx };

    /// <summary>What content is to be made of that which came; null where it is kept as it is.</summary>
    /// <param name="image">What its creator wants kept in a container, or reads as a file, is no disk to the library.</param>
    public ConversionTarget? TargetFor(ContentFacts content, Image image) =>
        image.ContainerFormat is null or ContainerFormat.Bare or ContainerFormat.Ova
        && image.DiskFormat is null or (not (DiskFormat.Ami or DiskFormat.Ari or DiskFormat.Aki or DiskFormat.Ploop))
        && Targets.TryGetValue(content.Format, out var target) && target != content.Format
            ? new ConversionTarget(target)
            : null;
}
