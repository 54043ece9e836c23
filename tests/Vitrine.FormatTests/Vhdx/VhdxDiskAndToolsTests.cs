using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Vhdx;

/// <summary>Images as qemu-img writes them, seen as it sees them.</summary>
public sealed class VhdxDiskAndToolsTests : IDisposable
{
    private readonly QemuComparison _qemu = new();

    public void Dispose() => _qemu.Dispose();

    [TheoryWithTool("qemu-img")]
    [InlineData("subformat=dynamic", QemuMap.Nothing)]
    [InlineData("subformat=dynamic,block_size=1M", QemuMap.Nothing)]
    [InlineData("subformat=dynamic,block_size=2M,block_state_zero=off", QemuMap.Nothing)]
    [InlineData("subformat=dynamic,block_size=256M,log_size=2M", QemuMap.Nothing)]
    [InlineData("subformat=fixed,block_size=1M", QemuMap.Nothing)]
    public Task A_disk_is_what_qemu_sees(string options, QemuMap meaning) =>
        _qemu.CompareAsync("vhdx", options, DiskFormat.Vhdx, meaning, TestContext.Current.CancellationToken);

    [TheoryWithTool("qemu-img")]
    [InlineData("subformat=dynamic", 2048)]
    public Task A_huge_disk_is_seen_without_reading_all_of_it(string options, long gibibytes) =>
        _qemu.CompareHugeAsync("vhdx", options, DiskFormat.Vhdx, gibibytes << 30, TestContext.Current.CancellationToken);
}
