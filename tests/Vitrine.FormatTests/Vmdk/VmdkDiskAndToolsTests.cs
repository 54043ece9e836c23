using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Vmdk;

/// <summary>Images as qemu-img writes them, seen as it sees them.</summary>
public sealed class VmdkDiskAndToolsTests : IDisposable
{
    private readonly QemuComparison _qemu = new();

    public void Dispose() => _qemu.Dispose();

    [TheoryWithTool("qemu-img")]
    [InlineData("subformat=monolithicSparse", QemuMap.Blocks)]
    [InlineData("subformat=monolithicSparse,zeroed_grain=on", QemuMap.Blocks)]
    [InlineData("subformat=streamOptimized", QemuMap.Blocks)]
    public Task A_disk_is_what_qemu_sees(string options, QemuMap meaning) =>
        _qemu.CompareAsync("vmdk", options, DiskFormat.Vmdk, meaning, TestContext.Current.CancellationToken);

    [TheoryWithTool("qemu-img")]
    [InlineData("subformat=monolithicSparse", 2048)]
    [InlineData("subformat=streamOptimized", 2048)]
    public Task A_huge_disk_is_seen_without_reading_all_of_it(string options, long gibibytes) =>
        _qemu.CompareHugeAsync("vmdk", options, DiskFormat.Vmdk, gibibytes << 30, TestContext.Current.CancellationToken);
}
