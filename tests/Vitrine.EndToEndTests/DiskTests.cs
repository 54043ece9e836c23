using System.Security.Cryptography;
using System.Text.Json;
using Vitrine.Client;
using Vitrine.Testing;

namespace Vitrine.EndToEndTests;

/// <summary>The disk in an image, by the ways that users have to it, held against qemu-img and libnbd.</summary>
public sealed class DiskTests : IAsyncLifetime
{
    private const int DiskSize = 24 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("vitrine-disks-").FullName;
    private ServerProcess _server = null!;
    private string _digest = "";

    public async ValueTask InitializeAsync()
    {
        _server = await ServerProcess.StartAsync();
        await using var raw = File.Create(InFolder("disk.raw"));
        raw.SetLength(DiskSize);
        foreach (var offset in new[] { 0, 3 << 20, (7 << 20) + 512, DiskSize - 4096 })
        {
            raw.Position = offset;
            await raw.WriteAsync(RandomNumberGenerator.GetBytes(Math.Min(200_000, DiskSize - offset)), Stop);
        }

        raw.Position = 0;
        _digest = Convert.ToHexStringLower(await SHA256.HashDataAsync(raw, Stop));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    public static TheoryData<string, string[]> Containers => new()
    {
        { "qcow2", [] },
        { "qcow2", ["-c"] },
        { "vmdk", ["-o", "subformat=streamOptimized"] },
        { "vmdk", ["-o", "subformat=monolithicSparse"] },
        { "vpc", ["-o", "force_size=on"] },
        { "vhdx", [] },
        { "vdi", [] },
        { "raw", [] },
    };

    [Theory]
    [MemberData(nameof(Containers))]
    public async Task A_disk_is_the_same_whatever_holds_it(string format, string[] options)
    {
        var file = InFolder("upload." + format);
        await Tool.RunAsync("qemu-img", ["convert", "-O", format, .. options, InFolder("disk.raw"), file], Stop);
        var image = await PushAsync(file);

        using var client = _server.NewClient();
        using var http = await AuthorizedAsync(client);
        var sum = JsonDocument.Parse(await http.GetStringAsync(new Uri($"{_server.Url}/api/v1/images/{image}/disk/digest"), Stop)).RootElement;
        Assert.Equal((DiskSize, _digest), (sum.GetProperty("size").GetInt64(), sum.GetProperty("sha256").GetString()));

        using var ranged = new HttpRequestMessage(HttpMethod.Get, $"{_server.Url}/api/v1/images/{image}/disk");
        ranged.Headers.Range = new(3 << 20, (3 << 20) + 99_999);
        using var part = await http.SendAsync(ranged, Stop);
        var raw = await File.ReadAllBytesAsync(InFolder("disk.raw"), Stop);
        Assert.Equal(raw[(3 << 20)..((3 << 20) + 100_000)], await part.Content.ReadAsByteArrayAsync(Stop));

        var address = (await VitrineAsync("image", "export", image, "-q")).Split('\n')[0];
        await Tool.RunAsync("nbdcopy", [address, InFolder("copy.raw")], Stop);
        Assert.Equal(raw, await File.ReadAllBytesAsync(InFolder("copy.raw"), Stop));
    }

    [Theory]
    [InlineData("raw", "raw")]
    [InlineData("qcow2", "qcow2")]
    [InlineData("qcow2 --compress", "qcow2")]
    [InlineData("vmdk", "vmdk")]
    [InlineData("vhd", "vpc")]
    [InlineData("vhd --variant fixed", "vpc")]
    [InlineData("vhdx", "vhdx")]
    public async Task A_pull_in_another_format_is_the_same_disk(string asked, string known)
    {
        var upload = InFolder("upload.vdi");
        await Tool.RunAsync("qemu-img", ["convert", "-O", "vdi", InFolder("disk.raw"), upload], Stop);
        var image = await PushAsync(upload);

        await VitrineAsync(["image", "pull", image, "--output", InFolder("pulled"), "--format", .. asked.Split(' ')]);
        await Tool.RunAsync("qemu-img", ["compare", "-f", "raw", "-F", known, InFolder("disk.raw"), InFolder("pulled")], Stop);

        // Made from the file by the command alone: the same bytes as those that the library made.
        await VitrineAsync(["convert", upload, InFolder("converted"), "--format", .. asked.Split(' ')]);
        Assert.Equal(await File.ReadAllBytesAsync(InFolder("pulled"), Stop), await File.ReadAllBytesAsync(InFolder("converted"), Stop));
        var inspected = JsonDocument.Parse(await VitrineAnyAsync("inspect", InFolder("converted"), "--digest", "--json")).RootElement;
        Assert.Equal(_digest, inspected.GetProperty("diskSha256").GetString());
    }

    [Fact]
    public async Task What_is_not_safe_is_named_by_the_command_and_refused_by_the_library()
    {
        var file = InFolder("based.qcow2");
        await Tool.RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", InFolder("disk.raw"), file], Stop);

        var inspected = await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), ["inspect", file], _server.VitrineEnvironment);
        var converted = await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), ["convert", file, InFolder("out.raw")], _server.VitrineEnvironment);
        var pushed = await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), ["image", "push", file, "--name", "based"], _server.VitrineEnvironment);

        Assert.Equal((2, 6), (inspected.ExitCode, converted.ExitCode));
        Assert.Contains("qcow2-backing-file", inspected.Output, StringComparison.Ordinal);
        Assert.NotEqual(0, pushed.ExitCode);
        Assert.False(File.Exists(InFolder("out.raw")));
    }

    [Fact]
    public async Task Conversions_to_one_name_at_once_do_not_mix()
    {
        var (one, two) = (InFolder("one.raw"), InFolder("two.raw"));
        foreach (var file in new[] { one, two })
            await File.WriteAllBytesAsync(file, RandomNumberGenerator.GetBytes(8 << 20), Stop);
        await Task.WhenAll(VitrineAsync("convert", one, InFolder("both.qcow2"), "--force"), VitrineAsync("convert", two, InFolder("both.qcow2"), "--force"));

        var digest = JsonDocument.Parse(await VitrineAnyAsync("inspect", InFolder("both.qcow2"), "--digest", "--json")).RootElement.GetProperty("diskSha256").GetString();
        Assert.Contains(digest, new[] { one, two }.Select(f => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f)))));
        Assert.Empty(Directory.GetFiles(_folder, "*.part"));
    }

    [Fact]
    public async Task An_archive_gives_its_disk_where_a_disk_is_asked_for()
    {
        await Tool.RunAsync("qemu-img", ["convert", "-O", "vmdk", "-o", "subformat=streamOptimized", InFolder("disk.raw"), InFolder("disk.vmdk")], Stop);
        await File.WriteAllTextAsync(InFolder("machine.ovf"), """
            <?xml version="1.0" encoding="UTF-8"?>
            <Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
              <References><File ovf:id="file1" ovf:href="disk.vmdk"/></References>
              <DiskSection><Info>Disks</Info><Disk ovf:capacity="1" ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection>
            </Envelope>
            """, Stop);
        await Tool.RunAsync("tar", ["-C", _folder, "--format=ustar", "-cf", InFolder("machine.ova"), "machine.ovf", "disk.vmdk"], Stop);
        var image = await PushAsync(InFolder("machine.ova"));

        await VitrineAsync("image", "pull", image, "--output", InFolder("pulled.vmdk"), "--format", "vmdk");

        await Tool.RunAsync("qemu-img", ["compare", "-f", "raw", "-F", "vmdk", InFolder("disk.raw"), InFolder("pulled.vmdk")], Stop);
    }

    [Fact]
    public async Task Inspect_ends_with_three_where_nothing_says_what_a_file_is()
    {
        await File.WriteAllBytesAsync(InFolder("noise"), RandomNumberGenerator.GetBytes(100_000), Stop);
        var inspected = await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), ["inspect", InFolder("noise")]);
        Assert.Equal(3, inspected.ExitCode);
    }

    [Fact]
    public async Task A_ticket_ends_with_its_image()
    {
        var image = await PushAsync(InFolder("disk.raw"));
        var address = (await VitrineAsync("image", "export", image, "-q")).Split('\n')[0];
        await Tool.RunAsync("nbdinfo", ["--size", address], Stop);
        await VitrineAsync("image", "disable", image);

        await Assert.ThrowsAsync<InvalidOperationException>(() => Tool.RunAsync("nbdinfo", ["--size", address], Stop));
    }

    private async Task<string> PushAsync(string file) =>
        JsonDocument.Parse(await VitrineAsync("image", "push", file, "--name", $"disk {Guid.NewGuid():N}", "--json")).RootElement.GetProperty("id").GetString()!;

    private async Task<string> VitrineAsync(params string[] arguments) =>
        (await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), arguments, _server.VitrineEnvironment)).Succeeded();

    private async Task<string> VitrineAnyAsync(params string[] arguments) =>
        (await Command.RunAsync(Checkout.Program("Vitrine.Cli", "vitrine"), arguments, _server.VitrineEnvironment)).Output;

    private async Task<HttpClient> AuthorizedAsync(LibraryClient client)
    {
        var login = await client.LogInAsync(new TokenRequest { User = "admin", Password = _server.OpenStackEnvironment["OS_PASSWORD"], Project = "admin" }, Stop);
        var http = new HttpClient(new SocketsHttpHandler());
        http.DefaultRequestHeaders.Authorization = new("Bearer", login.Token);
        return http;
    }

    private string InFolder(string name) => Path.Combine(_folder, name);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
