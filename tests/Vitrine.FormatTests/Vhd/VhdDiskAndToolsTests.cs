using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Vhd;

/// <summary>Images as qemu-img writes them, seen as it sees them.</summary>
public sealed class VhdDiskAndToolsTests : IDisposable
{
    private readonly QemuComparison _qemu = new();

    public void Dispose() => _qemu.Dispose();

    [TheoryWithTool("qemu-img")]
    [InlineData("subformat=dynamic", QemuMap.Blocks)]
    [InlineData("subformat=dynamic,force_size=on", QemuMap.Blocks)]
    [InlineData("subformat=fixed", QemuMap.Holes)]
    [InlineData("subformat=fixed,force_size=on", QemuMap.Holes)]
    public Task A_disk_is_what_qemu_sees(string options, QemuMap meaning) =>
        _qemu.CompareAsync("vpc", options, DiskFormat.Vhd, meaning, TestContext.Current.CancellationToken);

    [TheoryWithTool("qemu-img")]
    [InlineData("subformat=dynamic,force_size=on", 2040)]
    public Task A_huge_disk_is_seen_without_reading_all_of_it(string options, long gibibytes) =>
        _qemu.CompareHugeAsync("vpc", options, DiskFormat.Vhd, gibibytes << 30, TestContext.Current.CancellationToken);
}
