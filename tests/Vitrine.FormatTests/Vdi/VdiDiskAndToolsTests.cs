using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Vdi;

/// <summary>Images as qemu-img writes them, seen as it sees them.</summary>
public sealed class VdiDiskAndToolsTests : IDisposable
{
    private readonly QemuComparison _qemu = new();

    public void Dispose() => _qemu.Dispose();

    [TheoryWithTool("qemu-img")]
    [InlineData("static=off", QemuMap.Blocks)]
    [InlineData("static=on", QemuMap.Holes)]
    public Task A_disk_is_what_qemu_sees(string options, QemuMap meaning) =>
        _qemu.CompareAsync("vdi", options, DiskFormat.Vdi, meaning, TestContext.Current.CancellationToken);

    [TheoryWithTool("qemu-img")]
    [InlineData("static=off", 2048)]
    public Task A_huge_disk_is_seen_without_reading_all_of_it(string options, long gibibytes) =>
        _qemu.CompareHugeAsync("vdi", options, DiskFormat.Vdi, gibibytes << 30, TestContext.Current.CancellationToken);
}
