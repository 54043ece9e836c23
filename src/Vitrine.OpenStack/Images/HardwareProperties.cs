using System.Collections.Frozen;
using Vitrine.Images;

namespace Vitrine.OpenStack.Images;

/// <summary>
/// The custom properties by which Glance's users say what the library keeps as fields of the hardware profile, because it has
/// rules for them.
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><c>architecture</c>: <see cref="HardwareProfile.Architecture"/>, for the names that <see cref="CpuArchitectures.Name"/> gives.</item>
/// <item><c>hw_firmware_type</c>: <see cref="HardwareProfile.Firmware"/>, for <c>bios</c> and <c>uefi</c>.</item>
/// <item><c>os_type</c>: <see cref="HardwareProfile.Platform"/>, for <c>linux</c> and <c>windows</c>.</item>
/// </list>
/// A value is taken for the field only where it is exactly such a word, so that it is shown as it was given. Every other value
/// stays a plain property, and the field empty: Glance's users may write what they like there.
/// </remarks>
internal static class HardwareProperties
{
    private const string Architecture = "architecture";
    private const string FirmwareType = "hw_firmware_type";
    private const string OsType = "os_type";

    private static readonly FrozenDictionary<string, CpuArchitecture> Architectures =
        Enum.GetValues<CpuArchitecture>().ToFrozenDictionary(a => a.Name(), StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, Firmware> Firmwares =
        new Dictionary<string, Firmware> { ["bios"] = Firmware.Legacy, ["uefi"] = Firmware.Uefi }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, Platform> Platforms =
        new Dictionary<string, Platform> { ["linux"] = Platform.Linux, ["windows"] = Platform.Windows }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The property as the hardware says it; null where it says nothing, or the name is another property's.</summary>
    public static string? Find(HardwareProfile hardware, string name) => name switch
    {
        Architecture => hardware.Architecture?.Name(),
        FirmwareType => WordOf(Firmwares, hardware.Firmware),
        OsType => WordOf(Platforms, hardware.Platform),
        _ => null,
    };

    /// <summary>All that the hardware says, by name.</summary>
    public static IEnumerable<(string Name, string Value)> Of(HardwareProfile hardware)
    {
        foreach (var name in (string[])[Architecture, FirmwareType, OsType])
        {
            if (Find(hardware, name) is { } value)
                yield return (name, value);
        }
    }

    /// <summary>The hardware that says this; null where the word is none of the field's, or the name is another property's.</summary>
    public static HardwareProfile? With(HardwareProfile hardware, string name, string value) => name switch
    {
        Architecture when Architectures.TryGetValue(value, out var architecture) => hardware with { Architecture = architecture },
        FirmwareType when Firmwares.TryGetValue(value, out var firmware) => hardware with { Firmware = firmware },
        OsType when Platforms.TryGetValue(value, out var platform) => hardware with { Platform = platform },
        _ => null,
    };

    /// <summary>The hardware without what it says under this name.</summary>
    public static HardwareProfile Without(HardwareProfile hardware, string name) => Find(hardware, name) is null ? hardware : name switch
    {
        Architecture => hardware with { Architecture = null },
        FirmwareType => hardware with { Firmware = null },
        _ => hardware with { Platform = null },
    };

    private static string? WordOf<T>(FrozenDictionary<string, T> words, T? value) where T : struct, Enum =>
        value is null ? null : words.FirstOrDefault(w => w.Value.Equals(value.Value)).Key;
}
