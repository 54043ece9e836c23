using Vitrine.Disks;
using Vitrine.Images;

namespace Vitrine.UnitTests.Disks;

public sealed class BootModesTests
{
    [Theory]
    [InlineData(Firmware.Legacy, false, false, null)]
    [InlineData(Firmware.Legacy, true, false, null)]
    [InlineData(Firmware.Legacy, true, true, null)]
    [InlineData(Firmware.Legacy, false, true, "made for UEFI")]
    [InlineData(Firmware.Uefi, false, false, null)]
    [InlineData(Firmware.Uefi, false, true, null)]
    [InlineData(Firmware.Uefi, true, true, null)]
    [InlineData(Firmware.Uefi, true, false, "made for a BIOS")]
    public void A_disk_that_was_made_for_the_other_firmware_is_warned_of(Firmware firmware, bool bios, bool uefi, string? words)
    {
        var warning = new BootModes(bios, uefi).WarningFor(firmware);
        if (words is null)
            Assert.Null(warning);
        else
            Assert.Contains(words, warning, StringComparison.Ordinal);
    }
}
