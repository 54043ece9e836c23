using Vitrine.Formats.Conversion;

namespace Vitrine.Formats.Vhd;

/// <summary>VHD of a fixed size: the disk as it is, and a footer.</summary>
internal static class FixedVhd
{
    public const string Variant = "fixed";

    public static FlatLayout Lay(long diskLength, DiskIdentity identity) =>
        new(diskLength, [new BytesRegion(diskLength, VhdFooterSector.Write(VhdType.Fixed, diskLength, VhdFooterSector.Nowhere, identity))]);
}
