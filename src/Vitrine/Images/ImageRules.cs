using System.Globalization;
using System.Text;

namespace Vitrine.Images;

/// <summary>Which values an image may have, and which may stand together. Every refusal names the field.</summary>
public static class ImageRules
{
    public const int MaxNameLength = 128;
    public const int MaxLooseNameLength = 255;
    public const int MaxDescriptionLength = 4096;
    public const int MaxTags = 128;
    public const int MaxTagLength = 255;
    public const int MaxProperties = 128;
    public const int MaxPropertyNameLength = 255;
    public const int MaxPropertyValueLength = 65_535;
    public const int MaxMembers = 128;

    private const string NamePunctuation = " -_.():+";

    /// <summary>The library's own rule: 1 to 128 characters (code points) of letters, digits, space and <c>-_.():+</c>.</summary>
    /// <exception cref="InvalidFieldException">The name breaks the rule.</exception>
    public static string CheckName(string? name)
    {
        const string Field = "name";
        if (string.IsNullOrEmpty(name))
            throw new InvalidFieldException(Field, "an image needs a name of 1 to 128 characters");

        var runes = Runes(name, Field);
        if (runes.Count > MaxNameLength)
            throw new InvalidFieldException(Field, $"has {runes.Count} characters; at most {MaxNameLength} are allowed");
        if (name[0] == ' ' || name[^1] == ' ')
            throw new InvalidFieldException(Field, "may not begin or end with a space");
        if (runes.Find(r => !IsNameRune(r)) is { Value: not 0 } bad)
            throw new InvalidFieldException(Field, $"may not hold {Shown(bad)}; letters, digits, space and - _ . ( ) : + are allowed");

        return name;
    }

    /// <summary>The rule of faces whose clients put anything in a name: at most 255 characters of any kind, or none at all.</summary>
    /// <exception cref="InvalidFieldException">The name breaks the rule.</exception>
    public static string? CheckLooseName(string? name) => name is null ? null : CheckText("name", name, MaxLooseNameLength);

    /// <summary>Holds the image's values against each other and against their limits.</summary>
    /// <exception cref="InvalidFieldException">The first rule that is broken.</exception>
    /// <exception cref="LimitExceededException">There is too much of something.</exception>
    public static Image Check(Image image)
    {
        CheckText("description", image.Description, MaxDescriptionLength);
        CheckKind(image);
        CheckHardware(image.Hardware);
        CheckTags(image.Tags);
        CheckProperties(image.Properties);
        return image;
    }

    /// <summary>The firmware of a guest where the image does not say it: what the architecture needs, else legacy.</summary>
    public static Firmware FirmwareOf(HardwareProfile hardware) => hardware.Firmware ?? (
        NeedsUefi(hardware.Architecture) || hardware.BareMetal ? Firmware.Uefi : Firmware.Legacy);

    /// <summary>What is allowed but likely not to be what was meant, as sentences.</summary>
    public static IReadOnlyList<string> WarningsFor(Image image)
    {
        var warnings = new List<string>();
        var os = GuestOs.Find(image.Hardware.Os);
        var uefi = FirmwareOf(image.Hardware) is Firmware.Uefi;
        if (uefi && os is { Uefi: UefiSupport.None or UefiSupport.Partial })
            warnings.Add($"{os.Title} may not boot under UEFI; guests made from this image may be unable to run.");
        if (os is not null && image.Hardware.Platform is { } platform && platform != os.Platform)
            warnings.Add($"{os.Title} is a {os.Platform} system, but the platform is {platform}.");
        if (image.Hardware.VirtIo && image.Hardware.Platform is Platform.Other)
            warnings.Add("Old systems of the platform Other may lack VirtIO drivers; switch VirtIO off if the guest finds no disk.");

        return warnings;
    }

    internal static string CheckText(string field, string text, int maxLength)
    {
        var length = Runes(text, field).Count;
        return length <= maxLength
            ? text
            : throw new InvalidFieldException(field, $"has {length} characters; at most {maxLength} are allowed");
    }

    private static void CheckKind(Image image)
    {
        if (image.Kind is ImageKind.Volume && image.DiskFormat is DiskFormat.Iso)
            throw new InvalidFieldException("format", "a volume image cannot be an iso");
        if (image.Kind is ImageKind.Iso && image.DiskFormat is not (null or DiskFormat.Iso))
            throw new InvalidFieldException("format", $"an image of the kind iso has the format iso, not {image.DiskFormat.Value.Word()}");
    }

    private static void CheckHardware(HardwareProfile hardware)
    {
        CheckCount("minDisk", hardware.MinDisk);
        CheckCount("minMemory", hardware.MinMemory);

        var os = GuestOs.Find(hardware.Os);
        if (hardware.Os is not null && os is null)
            throw new InvalidFieldException("os", $"unknown operating system '{hardware.Os}'; use one of {string.Join(", ", GuestOs.All.Select(o => o.Id))}");

        CheckFirmware(hardware, os);
    }

    private static void CheckFirmware(HardwareProfile hardware, GuestOs? os)
    {
        if (hardware.Firmware is Firmware.Legacy && NeedsUefi(hardware.Architecture))
            throw new InvalidFieldException("firmware", $"{hardware.Architecture!.Value.Name()} boots by uefi only");
        if (hardware.Firmware is Firmware.Legacy && hardware.BareMetal)
            throw new InvalidFieldException("firmware", "bare metal images boot by uefi; ask support about machines that are set up otherwise");

        var uefi = FirmwareOf(hardware) is Firmware.Uefi;
        if (uefi && os is { Uefi: UefiSupport.NeedsCsm } && !hardware.Csm)
            throw new InvalidFieldException("csm", $"{os.Title} under uefi needs the compatibility support module; enable csm");
        if (hardware.Csm && !uefi)
            throw new InvalidFieldException("csm", "the compatibility support module belongs to uefi; set the firmware to uefi");
        if (hardware.Csm && os is { Uefi: UefiSupport.Full })
            throw new InvalidFieldException("csm", $"{os.Title} supports uefi in full and does not need the compatibility support module");
    }

    private static bool NeedsUefi(CpuArchitecture? architecture) =>
        architecture is CpuArchitecture.Aarch64 or CpuArchitecture.Mips64El or CpuArchitecture.LoongArch64 or CpuArchitecture.RiscV64;

    private static void CheckTags(IReadOnlyCollection<string> tags)
    {
        if (tags.Count > MaxTags)
            throw new LimitExceededException("tags", MaxTags);
        foreach (var tag in tags)
            CheckText("tags", tag, MaxTagLength);
    }

    private static void CheckProperties(IReadOnlyDictionary<string, string> properties)
    {
        if (properties.Count > MaxProperties)
            throw new LimitExceededException("properties", MaxProperties);
        foreach (var (name, value) in properties)
        {
            if (CheckText("properties", name, MaxPropertyNameLength).Length == 0)
                throw new InvalidFieldException("properties", "a property needs a name");
            CheckText($"properties.{name}", value, MaxPropertyValueLength);
        }
    }

    private static void CheckCount(string field, int value)
    {
        if (value < 0)
            throw new InvalidFieldException(field, "may not be negative");
    }

    private static List<Rune> Runes(string text, string field)
    {
        // A lone surrogate has no place in UTF-8, and a zero byte none in PostgreSQL.
        var runes = text.EnumerateRunes().ToList();
        return text.Contains('\0', StringComparison.Ordinal) || runes.Contains(Rune.ReplacementChar)
            ? throw new InvalidFieldException(field, "is not valid text")
            : runes;
    }

    private static bool IsNameRune(Rune rune) =>
        Rune.IsLetterOrDigit(rune)
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
        || (rune.IsBmp && NamePunctuation.Contains((char)rune.Value, StringComparison.Ordinal));

    private static string Shown(Rune rune) => Rune.IsControl(rune) ? $"the control character {rune.Value}" : $"'{rune}'";
}
