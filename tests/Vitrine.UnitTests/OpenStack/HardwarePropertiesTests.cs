using System.Text.Json;
using Vitrine.Access;
using Vitrine.Images;
using Vitrine.OpenStack.Images;

namespace Vitrine.UnitTests.OpenStack;

public sealed class HardwarePropertiesTests
{
    private static readonly Image Blank = new()
    {
        Id = ImageId.New(),
        Owner = ProjectId.New(),
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };

    public static TheoryData<string> EveryArchitecture => [.. Enum.GetValues<CpuArchitecture>().Select(a => a.Name())];

    [Theory, MemberData(nameof(EveryArchitecture))]
    public void Every_architecture_is_kept_as_hardware_and_shown_as_given(string name)
    {
        var image = Set(Blank, "architecture", name);

        Assert.Equal(CpuArchitectures.Parse(name), image.Hardware.Architecture);
        Assert.Empty(image.Properties);
        Assert.Equal([("architecture", name)], ImageAttributes.PropertiesOf(image));
    }

    [Theory]
    [InlineData("hw_firmware_type", "bios")]
    [InlineData("hw_firmware_type", "uefi")]
    [InlineData("os_type", "linux")]
    [InlineData("os_type", "windows")]
    public void A_canonical_word_is_kept_as_hardware_and_shown_as_given(string name, string value)
    {
        var image = Set(Blank, name, value);

        Assert.NotEqual(Blank.Hardware, image.Hardware);
        Assert.Empty(image.Properties);
        Assert.Equal([(name, value)], ImageAttributes.PropertiesOf(image));
        Assert.Equal(Blank.Hardware, ImageAttributes.Remove(image, name).Hardware);
    }

    [Theory]
    [InlineData("architecture", "amd64")]
    [InlineData("architecture", "mips64")]
    [InlineData("architecture", "X86_64")]
    [InlineData("hw_firmware_type", "legacy")]
    [InlineData("os_type", "other")]
    [InlineData("os_type", "")]
    public void Any_other_value_stays_a_plain_property(string name, string value)
    {
        var image = Set(Blank, name, value);

        Assert.Equal(Blank.Hardware, image.Hardware);
        Assert.Equal([(name, value)], ImageAttributes.PropertiesOf(image));
    }

    [Fact]
    public void A_property_moves_between_the_two_places_and_is_never_in_both()
    {
        var plain = Set(Set(Blank, "architecture", "x86_64"), "architecture", "amd64");
        Assert.Null(plain.Hardware.Architecture);
        Assert.Equal([("architecture", "amd64")], ImageAttributes.PropertiesOf(plain));

        var field = Set(plain, "architecture", "aarch64");
        Assert.Equal(CpuArchitecture.Aarch64, field.Hardware.Architecture);
        Assert.Equal([("architecture", "aarch64")], ImageAttributes.PropertiesOf(field));
    }

    [Fact]
    public void Properties_of_other_faces_do_not_hide_Glances_own_attributes()
    {
        var image = Blank with { Properties = Blank.Properties.Add("size", "7").Add("os_glance_x", "y").Add("color", "red") };
        Assert.Equal([("color", "red")], ImageAttributes.PropertiesOf(image));
    }

    private static Image Set(Image image, string name, string value) =>
        ImageAttributes.Set(image, name, JsonSerializer.SerializeToElement(value));
}
