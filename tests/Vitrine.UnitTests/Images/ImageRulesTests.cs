using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.UnitTests.Images;

public sealed class ImageRulesTests
{
    private const string Duck = "🦆"; // two UTF-16 code units, one character, and no letter
    private const string Rare = "𠀀"; // a letter outside the basic plane: two code units

    [Theory]
    [InlineData("a")]
    [InlineData("7")]
    [InlineData("Debian 12")]
    [InlineData("a b")]
    [InlineData("-_.():+")]
    [InlineData("镜像 (测试)")]
    [InlineData("Ä ß é e\u0301")]
    [InlineData("हिन्दी")]
    [InlineData(Rare)]
    public void Names_of_letters_digits_and_some_marks_are_accepted(string name) => Assert.Equal(name, ImageRules.CheckName(name));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(" a")]
    [InlineData("a ")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a*b")]
    [InlineData("a?b")]
    [InlineData("a\"b")]
    [InlineData("a<b")]
    [InlineData("a>b")]
    [InlineData("a|b")]
    [InlineData("a;b")]
    [InlineData("a\nb")]
    [InlineData("a\tb")]
    [InlineData("a\0b")]
    [InlineData("a\u00a0b")]
    [InlineData("a\u200bb")]
    [InlineData("a\u202eb")]
    [InlineData("a,b")]
    [InlineData("a'b")]
    [InlineData("a%b")]
    [InlineData("a" + Duck)]
    [InlineData("a\ud800")]
    public void Other_names_are_refused_and_the_field_is_named(string? name) =>
        Assert.Equal("name", Assert.Throws<InvalidFieldException>(() => ImageRules.CheckName(name)).Field);

    // Characters are counted, not the units or bytes that encode them.
    [Theory]
    [InlineData("a", 1, true)]
    [InlineData("a", 128, true)]
    [InlineData("a", 129, false)]
    [InlineData("镜", 128, true)]
    [InlineData("镜", 129, false)]
    [InlineData(Rare, 128, true)]
    [InlineData(Rare, 129, false)]
    public void A_name_has_at_most_128_characters(string character, int times, bool accepted)
    {
        var name = string.Concat(Enumerable.Repeat(character, times));
        Assert.Equal(accepted ? null : typeof(InvalidFieldException), Record.Exception(() => ImageRules.CheckName(name))?.GetType());
    }

    [Fact]
    public void A_name_that_is_accepted_is_short_and_free_of_what_is_forbidden() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNull<string>>(),
        text =>
        {
            var accepted = Record.Exception(() => ImageRules.CheckName(text.Get)) is null;
            var runes = text.Get.EnumerateRunes().ToList();
            var allowed = runes.Count is >= 1 and <= 128 && text.Get[0] != ' ' && text.Get[^1] != ' '
                && !text.Get.Any(c => char.IsControl(c) || "/\\*?\"<>|;\0".Contains(c, StringComparison.Ordinal));
            return allowed || !accepted;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(null, true)]
    [InlineData("", true)]
    [InlineData(" a/b*\n ", true)]
    [InlineData("a\0b", false)]
    [InlineData("a\ud800", false)]
    public void Other_faces_take_any_text_for_a_name(string? name, bool accepted)
    {
        var refusal = Record.Exception(() => ImageRules.CheckLooseName(name));
        Assert.Equal(accepted ? null : typeof(InvalidFieldException), refusal?.GetType());
    }

    [Fact]
    public void Other_faces_take_255_characters_of_any_kind()
    {
        Assert.NotNull(ImageRules.CheckLooseName(string.Concat(Enumerable.Repeat(Duck, 255))));
        Assert.Throws<InvalidFieldException>(() => ImageRules.CheckLooseName(new string('a', 256)));
    }

    [Theory]
    [InlineData(ImageKind.System, DiskFormat.Iso,   true)]
    [InlineData(ImageKind.System, DiskFormat.Qcow2, true)]
    [InlineData(ImageKind.System, null,             true)]
    [InlineData(ImageKind.Volume, DiskFormat.Qcow2, true)]
    [InlineData(ImageKind.Volume, null,             true)]
    [InlineData(ImageKind.Volume, DiskFormat.Iso,   false)]
    [InlineData(ImageKind.Iso,    DiskFormat.Iso,   true)]
    [InlineData(ImageKind.Iso,    null,             true)]
    [InlineData(ImageKind.Iso,    DiskFormat.Raw,   false)]
    public void A_kind_goes_with_its_formats(ImageKind kind, DiskFormat? format, bool accepted) =>
        AssertRefused(accepted ? null : "format", Image() with { Kind = kind, DiskFormat = format });

    [Theory]
    [InlineData(CpuArchitecture.Aarch64,     Firmware.Legacy, "firmware")]
    [InlineData(CpuArchitecture.Mips64El,    Firmware.Legacy, "firmware")]
    [InlineData(CpuArchitecture.LoongArch64, Firmware.Legacy, "firmware")]
    [InlineData(CpuArchitecture.RiscV64,     Firmware.Legacy, "firmware")]
    [InlineData(CpuArchitecture.Aarch64,     Firmware.Uefi,   null)]
    [InlineData(CpuArchitecture.Mips64El,    Firmware.Uefi,   null)]
    [InlineData(CpuArchitecture.Aarch64,     null,            null)]
    [InlineData(CpuArchitecture.X86_64,      Firmware.Legacy, null)]
    [InlineData(CpuArchitecture.X86_64,      Firmware.Uefi,   null)]
    [InlineData(CpuArchitecture.I686,        Firmware.Legacy, null)]
    [InlineData(CpuArchitecture.S390X,       Firmware.Legacy, null)]
    [InlineData(null,                        Firmware.Legacy, null)]
    public void Some_architectures_boot_by_uefi_only(CpuArchitecture? architecture, Firmware? firmware, string? refused) =>
        AssertRefused(refused, With(new HardwareProfile { Architecture = architecture, Firmware = firmware }));

    [Theory]
    [InlineData(null,                        null,            false, Firmware.Legacy)]
    [InlineData(CpuArchitecture.X86_64,      null,            false, Firmware.Legacy)]
    [InlineData(CpuArchitecture.X86_64,      Firmware.Uefi,   false, Firmware.Uefi)]
    [InlineData(CpuArchitecture.X86_64,      null,            true,  Firmware.Uefi)]
    [InlineData(CpuArchitecture.Aarch64,     null,            false, Firmware.Uefi)]
    [InlineData(CpuArchitecture.Mips64El,    null,            false, Firmware.Uefi)]
    public void Where_nobody_says_the_firmware_it_follows(CpuArchitecture? architecture, Firmware? said, bool bareMetal, Firmware expected) =>
        Assert.Equal(expected, ImageRules.FirmwareOf(new HardwareProfile { Architecture = architecture, Firmware = said, BareMetal = bareMetal }));

    // Refused names a field; warned is allowed but likely wrong.
    [Theory]
    [InlineData("windows11",     Firmware.Uefi,   false, null,  false)]
    [InlineData("windows10",     Firmware.Uefi,   false, null,  false)]
    [InlineData("windows8",      Firmware.Uefi,   false, null,  false)]
    [InlineData("windows2012",   Firmware.Uefi,   false, null,  false)]
    [InlineData("windows7",      Firmware.Uefi,   false, "csm", false)]
    [InlineData("windows7",      Firmware.Uefi,   true,  null,  false)]
    [InlineData("windows7",      Firmware.Legacy, false, null,  false)]
    [InlineData("windows2008r2", Firmware.Uefi,   false, "csm", false)]
    [InlineData("windows2008r2", Firmware.Uefi,   true,  null,  false)]
    [InlineData("windowsxp",     Firmware.Uefi,   false, null,  true)]
    [InlineData("windowsxp",     Firmware.Uefi,   true,  null,  true)]
    [InlineData("windows10",     Firmware.Uefi,   true,  "csm", false)]
    [InlineData("centos7.4",     Firmware.Uefi,   true,  "csm", false)]
    [InlineData("centos7.2",     Firmware.Uefi,   false, null,  false)]
    [InlineData("centos7.3",     Firmware.Uefi,   false, null,  false)]
    [InlineData("centos7.4",     Firmware.Uefi,   false, null,  false)]
    [InlineData("centos7.1",     Firmware.Uefi,   false, null,  true)]
    [InlineData("centos7.0",     Firmware.Uefi,   false, null,  true)]
    [InlineData("centos6",       Firmware.Uefi,   false, null,  true)]
    [InlineData("centos6",       Firmware.Uefi,   true,  null,  true)]
    [InlineData("centos5",       Firmware.Uefi,   false, null,  true)]
    [InlineData("centos5",       Firmware.Legacy, false, null,  false)]
    [InlineData(null,            Firmware.Legacy, true,  "csm", false)]
    [InlineData(null,            null,            true,  "csm", false)]
    [InlineData(null,            Firmware.Uefi,   true,  null,  false)]
    public void Uefi_and_its_support_module_go_with_the_system(string? os, Firmware? firmware, bool csm, string? refused, bool warned)
    {
        var image = With(new HardwareProfile { Os = os, Firmware = firmware, Csm = csm });
        AssertRefused(refused, image);
        Assert.Equal(warned, ImageRules.WarningsFor(image).Any(w => w.Contains("UEFI", StringComparison.Ordinal)));
    }

    [Fact]
    public void Bare_metal_boots_by_uefi_and_who_wants_otherwise_is_sent_to_support()
    {
        AssertRefused(null, With(new HardwareProfile { BareMetal = true }));
        AssertRefused(null, With(new HardwareProfile { BareMetal = true, Firmware = Firmware.Uefi }));
        var refusal = Assert.Throws<InvalidFieldException>(
            () => ImageRules.Check(With(new HardwareProfile { BareMetal = true, Firmware = Firmware.Legacy })));
        Assert.Equal("firmware", refusal.Field);
        Assert.Contains("support", refusal.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_system_that_nobody_knows_is_refused_and_the_known_ones_are_listed()
    {
        var refusal = Assert.Throws<InvalidFieldException>(() => ImageRules.Check(With(new HardwareProfile { Os = "plan9" })));
        Assert.Equal("os", refusal.Field);
        Assert.All(GuestOs.All, os => Assert.Contains(os.Id, refusal.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_known_system_can_be_registered_under_legacy_firmware() => Assert.All(
        GuestOs.All,
        os => AssertRefused(null, With(new HardwareProfile { Os = os.Id, Platform = os.Platform, Firmware = Firmware.Legacy })));

    [Theory]
    [InlineData("windows11", Platform.Linux,   1)]
    [InlineData("windows11", Platform.Windows, 0)]
    [InlineData("debian12",  Platform.Linux,   0)]
    [InlineData("debian12",  Platform.Windows, 1)]
    [InlineData("debian12",  null,             0)]
    [InlineData(null,        Platform.Windows, 0)]
    public void A_platform_that_is_not_the_systems_is_warned_of(string? os, Platform? platform, int warnings) =>
        Assert.Equal(warnings, ImageRules.WarningsFor(With(new HardwareProfile { Os = os, Platform = platform })).Count);

    [Theory]
    [InlineData(-1, 0,  "minDisk")]
    [InlineData(0,  -1, "minMemory")]
    [InlineData(0,  0,  null)]
    [InlineData(int.MaxValue, int.MaxValue, null)]
    public void Sizes_are_not_negative(int disk, int memory, string? refused) =>
        AssertRefused(refused, With(new HardwareProfile { MinDisk = disk, MinMemory = memory }));

    [Fact]
    public void A_description_has_at_most_4096_characters()
    {
        AssertRefused(null, Image() with { Description = string.Concat(Enumerable.Repeat(Duck, 4096)) });
        AssertRefused("description", Image() with { Description = new string('a', 4097) });
        AssertRefused("description", Image() with { Description = "a\0" });
    }

    [Fact]
    public void There_are_at_most_128_tags_of_at_most_255_characters()
    {
        AssertRefused(null, Image() with { Tags = Many(128) });
        AssertRefused(null, Image() with { Tags = [new string('a', 255)] });
        AssertRefused("tags", Image() with { Tags = [new string('a', 256)] });
        Assert.Throws<LimitExceededException>(() => ImageRules.Check(Image() with { Tags = Many(129) }));
    }

    [Fact]
    public void There_are_at_most_128_properties_with_names_and_values_of_bounded_length()
    {
        AssertRefused(null, Image() with { Properties = Many(128).ToImmutableSortedDictionary(n => n, n => n) });
        AssertRefused(null, Property(new string('a', 255), new string('b', 65_535)));
        AssertRefused("properties", Property(new string('a', 256), ""));
        AssertRefused("properties", Property("", "value"));
        AssertRefused("properties.a", Property("a", new string('b', 65_536)));
        Assert.Throws<LimitExceededException>(
            () => ImageRules.Check(Image() with { Properties = Many(129).ToImmutableSortedDictionary(n => n, n => n) }));
    }

    private static void AssertRefused(string? field, Image image)
    {
        var refusal = Record.Exception(() => ImageRules.Check(image));
        Assert.Equal(field, (refusal as InvalidFieldException)?.Field ?? refusal?.GetType().Name);
    }

    private static Image With(HardwareProfile hardware) => Image() with { Hardware = hardware };

    private static Image Property(string name, string value) =>
        Image() with { Properties = ImmutableSortedDictionary<string, string>.Empty.Add(name, value) };

    private static ImmutableSortedSet<string> Many(int count) => [.. Enumerable.Range(0, count).Select(i => $"label-{i}")];

    private static Image Image() => new()
    {
        Id = ImageId.New(), Owner = ProjectId.New(), CreatedAt = DateTimeOffset.UnixEpoch, UpdatedAt = DateTimeOffset.UnixEpoch,
    };
}
