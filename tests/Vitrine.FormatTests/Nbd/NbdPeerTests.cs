using System.Text.Json;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Nbd;

/// <summary>The clients that people use.</summary>
public sealed class NbdPeerTests : IAsyncDisposable
{
    private const int Size = 5_000_192; // whole sectors: qemu rounds other disks up

    private readonly NbdHost _host = new(() => new PatternDisk(Size));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [FactWithTool("nbdinfo")]
    public async Task Nbdinfo_sees_all_that_the_export_can()
    {
        foreach (var uri in new[] { _host.UnixUri, _host.TcpUri })
        {
            using var told = JsonDocument.Parse(await Tool.RunAsync("nbdinfo", ["--json", uri], Stop));
            Assert.Equal("newstyle-fixed", told.RootElement.GetProperty("protocol").GetString());
            Assert.True(told.RootElement.GetProperty("structured").GetBoolean());
            Assert.False(told.RootElement.GetProperty("TLS").GetBoolean());

            var export = told.RootElement.GetProperty("exports")[0];
            Assert.Equal("disk", export.GetProperty("export-name").GetString());
            Assert.Equal(NbdHost.Description, export.GetProperty("description").GetString());
            Assert.Equal(["base:allocation"], export.GetProperty("contexts").EnumerateArray().Select(c => c.GetString()));
            Assert.Equal(Size, export.GetProperty("export-size").GetInt64());
            Assert.Equal([1, 4096, 32 << 20], new[] { "minimum", "preferred", "maximum" }.Select(w => export.GetProperty($"block_size_{w}").GetInt32()));
            string[] can = ["is_read_only", "can_df", "can_flush", "can_multi_conn"];
            string[] cannot = ["can_cache", "can_fast_zero", "can_fua", "can_trim", "can_zero", "is_rotational"];
            Assert.All(can, ability => Assert.True(export.GetProperty(ability).GetBoolean(), ability));
            Assert.All(cannot, ability => Assert.False(export.GetProperty(ability).GetBoolean(), ability));
        }
    }

    [FactWithTool("nbdinfo")]
    public async Task Nbdinfo_lists_what_is_offered()
    {
        using var told = JsonDocument.Parse(await Tool.RunAsync("nbdinfo", ["--list", "--json", $"nbd+unix:///?socket={_host.SocketPath}"], Stop));
        Assert.Equal(["disk", "other"], told.RootElement.GetProperty("exports").EnumerateArray().Select(e => e.GetProperty("export-name").GetString()));
    }

    [FactWithTool("nbdinfo")]
    public async Task Nbdinfo_maps_the_disk()
    {
        using var map = JsonDocument.Parse(await Tool.RunAsync("nbdinfo", ["--map", "--json", _host.UnixUri], Stop));
        var end = 0L;
        foreach (var extent in map.RootElement.EnumerateArray())
        {
            Assert.Equal(end, extent.GetProperty("offset").GetInt64());
            Assert.Equal(new[] { 0, 2, 3 }[end / PatternDisk.Stripe % 3], extent.GetProperty("type").GetInt32());
            end += extent.GetProperty("length").GetInt64();
        }

        Assert.Equal(Size, end);
    }

    [TheoryWithTool("nbdcopy")]
    [InlineData("one connection", "--connections=1", "--synchronous")]
    [InlineData("many connections", "--connections=4", "--threads=4")]
    [InlineData("long requests", "--request-size=4194304", "--no-extents")]
    public async Task Nbdcopy_makes_an_equal_file(string what, params string[] options)
    {
        Assert.NotEmpty(what);
        var copy = Path.Combine(_host.Root, "copy");
        foreach (var uri in new[] { _host.UnixUri, _host.TcpUri })
        {
            await Tool.RunAsync("nbdcopy", [.. options, uri, copy], Stop);
            PatternDisk.AssertHas(0, Size, await File.ReadAllBytesAsync(copy, Stop));
        }
    }

    [FactWithTool("qemu-img")]
    public async Task Qemu_compares_converts_and_maps()
    {
        var (expected, qcow2) = (Path.Combine(_host.Root, "expected"), Path.Combine(_host.Root, "copy.qcow2"));
        await File.WriteAllBytesAsync(expected, PatternDisk.Bytes(0, Size), Stop);
        foreach (var uri in new[] { _host.UnixUri, _host.TcpUri })
        {
            using var info = JsonDocument.Parse(await Tool.RunAsync("qemu-img", ["info", "--output=json", "-f", "raw", uri], Stop));
            Assert.Equal(Size, info.RootElement.GetProperty("virtual-size").GetInt64());
            await Tool.RunAsync("qemu-img", ["compare", "-f", "raw", "-F", "raw", uri, expected], Stop);
            await Tool.RunAsync("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", "-W", "-m", "4", uri, qcow2], Stop);
            await Tool.RunAsync("qemu-img", ["compare", "-f", "qcow2", "-F", "raw", qcow2, expected], Stop);
        }

        using var map = JsonDocument.Parse(await Tool.RunAsync("qemu-img", ["map", "--output=json", "-f", "raw", _host.UnixUri], Stop));
        foreach (var extent in map.RootElement.EnumerateArray())
            Assert.Equal(extent.GetProperty("start").GetInt64() / PatternDisk.Stripe % 3 != 0, extent.GetProperty("zero").GetBoolean());
    }

    [FactWithTool("qemu-io")]
    public async Task Qemu_reads_single_sectors_and_may_not_write()
    {
        Assert.Contains("read 512/512", await Tool.RunAsync("qemu-io", ["-r", "-f", "raw", "-c", "read -P 0 66048 512", "-c", "flush", _host.UnixUri], Stop));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Tool.RunAsync("qemu-io", ["-f", "raw", "-c", "write 0 512", _host.UnixUri], Stop));
    }

    [FactWithTool("nbdcopy")]
    public async Task A_file_is_served_through_its_format()
    {
        var (file, copy) = (Path.Combine(_host.Root, "file"), Path.Combine(_host.Root, "copy"));
        await File.WriteAllBytesAsync(file, PatternDisk.Bytes(0, Size), Stop);
        await using var disk = await new DiskFormats().OpenAsync(new FileContent(file), DiskFormat.Raw, Stop);
        await using var host = new NbdHost(() => new SharedDisk(disk));
        await Tool.RunAsync("nbdcopy", [host.UnixUri, copy], Stop);
        PatternDisk.AssertHas(0, Size, await File.ReadAllBytesAsync(copy, Stop));
    }

    /// <summary>A disk that stays open when one of those who have it closes it.</summary>
    private sealed class SharedDisk(Disk disk) : Disk
    {
        public override long Length => disk.Length;

        public override ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
            disk.ReadAsync(offset, buffer, cancellationToken);

        public override IAsyncEnumerable<Extent> ListExtentsAsync(long start, long length, CancellationToken cancellationToken) =>
            disk.ListExtentsAsync(start, length, cancellationToken);

        public override Task CheckAsync(CancellationToken cancellationToken) => disk.CheckAsync(cancellationToken);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
