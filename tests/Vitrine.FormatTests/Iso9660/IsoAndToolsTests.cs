using System.Globalization;
using System.Text.RegularExpressions;
using Vitrine.Formats;
using Vitrine.Formats.Iso9660;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Iso9660;

/// <summary>What the field's tools say of our media, and what we say of theirs.</summary>
public sealed partial class IsoAndToolsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-iso-");

    public void Dispose() => _directory.Delete(recursive: true);

    [FactWithTool("xorriso")]
    public async Task What_xorriso_extracts_is_what_was_put_in()
    {
        var files = Enumerable.Range(0, 1000).ToDictionary(i => $"many/{i}_{new string('n', i % 245)}", i => $"content {i}");
        files["naïve/日本語 𝄞.txt"] = "unicode";
        files["openstack/latest/user_data"] = "#cloud-config";
        files["empty"] = "";
        files[string.Join('/', Enumerable.Range(1, 20)) + "/deep"] = "deep";
        files[$"{new string('l', 255)}/{new string('f', 255)}"] = "long";
        var builder = new IsoBuilder("config-2", IsoSample.Noon).AddDirectory("nothing/in/it");
        foreach (var (path, text) in files)
            builder.AddFile(path, IsoSample.Text(text));

        var extracted = Path.Combine(_directory.FullName, "extracted");
        await Tool.RunAsync("xorriso", ["-osirrox", "on", "-abort_on", "WARNING", "-indev", await WriteAsync(builder), "-extract", "/", extracted], Stop);
        // What is extracted may not be written to, as the medium says, and is to be removed.
        await Tool.RunAsync("chmod", ["-R", "u+w", extracted], Stop);
        Assert.Equal(
            files.Keys.Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(extracted, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(extracted, f)).Order(StringComparer.Ordinal));
        foreach (var (path, text) in files)
            Assert.Equal(text, await File.ReadAllTextAsync(Path.Combine(extracted, path), Stop));
        Assert.True(Directory.Exists(Path.Combine(extracted, "nothing/in/it")));
    }

    [FactWithTool("xorriso")]
    public async Task Symbolic_links_lead_where_they_were_to()
    {
        var targets = new Dictionary<string, string>
        {
            ["link"] = "file",
            ["folder/up"] = "../file",
            ["folder/absolute"] = "/etc/./passwd",
            ["root"] = "/",
            ["long"] = string.Join('/', Enumerable.Repeat(new string('p', 255), 4))[..1023],
            ["many"] = string.Join('/', Enumerable.Repeat("a", 512))[..1023],
            [new string('n', 255)] = "日本語/" + new string('x', 200),
        };
        var builder = new IsoBuilder("links", IsoSample.Noon).AddFile("file", IsoSample.Text("text"));
        foreach (var (path, target) in targets)
            builder.AddSymbolicLink(path, target);

        var medium = await WriteAsync(builder);
        var extracted = Path.Combine(_directory.FullName, "extracted");
        await Tool.RunAsync("xorriso", ["-osirrox", "on", "-abort_on", "WARNING", "-indev", medium, "-extract", "/", extracted], Stop);
        await Tool.RunAsync("chmod", ["-R", "u+w", extracted], Stop);
        foreach (var (path, target) in targets)
            Assert.Equal(target, new FileInfo(Path.Combine(extracted, path)).LinkTarget);

        Assert.Contains("up -> ../file", await Tool.RunAsync("isoinfo", ["-i", medium, "-R", "-l"], Stop), StringComparison.Ordinal);
        var volume = await IsoVolume.OpenAsync(new FileContent(medium), Stop);
        Assert.Equal(
            targets.Keys.Order(StringComparer.Ordinal),
            (await volume.ListAsync(Stop).ToListAsync(Stop)).Where(e => e.Kind is IsoEntryKind.SymbolicLink).Select(e => e.Path).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("link", await Tool.RunAsync("isoinfo", ["-i", medium, "-J", "-f"], Stop), StringComparison.Ordinal);
    }

    [FactWithTool("xorriso")]
    public async Task A_file_beyond_4_GiB_has_several_extents()
    {
        const long length = (4L << 30) + 5_000_000;
        var path = Path.Combine(_directory.FullName, "large.iso");
        var image = new IsoBuilder("large", IsoSample.Noon)
            .AddFile("large", length, _ => Task.FromResult<Stream>(new Zeros(length)))
            .AddFile("next", IsoSample.Text("behind it"))
            .Build();
        await using (var file = new Holes(File.Create(path)))
            await image.CopyToAsync(file, Stop);

        var listed = await Tool.RunAsync("xorriso", ["-abort_on", "WARNING", "-indev", path, "-lsl", "/", "--", "-find", "/", "-name", "large", "-exec", "report_lba", "--"], Stop);
        Assert.Contains($" {length} ", listed, StringComparison.Ordinal);
        Assert.Equal(2, FileDataPattern().Count(listed));
        Assert.Equal("behind it", await Tool.RunAsync("isoinfo", ["-i", path, "-R", "-x", "/next"], Stop));
        var volume = await IsoVolume.OpenAsync(new FileContent(path), Stop);
        var large = (await volume.ListAsync(Stop).ToListAsync(Stop)).Single(e => e.Path == "large");
        Assert.Equal(length, large.Length);
        Assert.Equal(large.Extents[0].End, large.Extents[1].Start);
    }

    [FactWithTool("xorriso")]
    public async Task A_boot_file_is_told_where_it_lies()
    {
        var loader = GuestBytes.Random(5_001);
        var medium = await WriteAsync(new IsoBuilder("boot", IsoSample.Noon)
            .AddFile("isolinux/isolinux.bin", loader).BootByBios("isolinux/isolinux.bin", hasInfoTable: true));
        var report = await Tool.RunAsync("xorriso", ["-abort_on", "WARNING", "-indev", medium, "-report_el_torito", "plain"], Stop);
        Assert.Contains("boot-info-table", report, StringComparison.Ordinal);

        var volume = await IsoVolume.OpenAsync(new FileContent(medium), Stop);
        var file = (await volume.ListAsync(Stop).ToListAsync(Stop)).Single(e => e.Kind is IsoEntryKind.File).Extents[0];
        var bytes = (await File.ReadAllBytesAsync(medium, Stop)).AsMemory((int)file.Start, (int)file.Length).ToArray();
        Assert.Equal((16, file.Start / 2048, loader.Length), (BitConverter.ToInt32(bytes, 8), BitConverter.ToInt32(bytes, 12), BitConverter.ToInt32(bytes, 16)));
        Assert.Equal(loader[64..], bytes[64..]);
        Assert.Throws<ArgumentException>(() => new IsoBuilder("boot", IsoSample.Noon).AddFile("a", new byte[63]).BootByBios("a", hasInfoTable: true));
    }

    [FactWithTool("xorriso")]
    public async Task xorriso_finds_the_label_and_two_names_at_one_place()
    {
        var path = await WriteAsync(IsoSample.ConfigDrive());
        var report = await Tool.RunAsync(
            "xorriso", ["-abort_on", "WARNING", "-indev", path, "-pvd_info", "-find", "/", "-type", "f", "-exec", "report_lba", "--"], Stop);
        Assert.Contains("Volume Id    : config-2", report, StringComparison.Ordinal);
        Assert.Contains("Publisher Id : Vitrine", report, StringComparison.Ordinal);

        var places = FileDataPattern().Matches(report).ToDictionary(m => m.Groups["path"].Value, m => m.Groups["lba"].Value);
        Assert.Equal(7, places.Count);
        Assert.Equal(places["/cloudstack/user_data/user_data.txt"], places["/openstack/latest/user_data"]);
    }

    [FactWithTool("isoinfo")]
    public async Task isoinfo_reads_each_kind_of_names()
    {
        var path = await WriteAsync(IsoSample.ConfigDrive());
        Assert.Contains("/OPENSTACK/LATEST/META_DATA.JSON;1", await ListAsync([]), StringComparison.Ordinal);
        Assert.Contains("/openstack/latest/meta_data.json\n", await ListAsync(["-R"]), StringComparison.Ordinal);
        Assert.Contains("/openstack/latest/meta_data.json\n", await ListAsync(["-J"]), StringComparison.Ordinal);

        var facts = await Tool.RunAsync("isoinfo", ["-d", "-i", path], Stop);
        Assert.Contains("Volume id: config-2", facts, StringComparison.Ordinal);
        Assert.Contains("System id: LINUX", facts, StringComparison.Ordinal);
        Assert.Contains("Joliet with UCS level 3 found", facts, StringComparison.Ordinal);
        Assert.Contains("Rock Ridge signatures version 1 found", facts, StringComparison.Ordinal);

        var content = await Tool.RunAsync("isoinfo", ["-R", "-i", path, "-x", "/openstack/latest/user_data"], Stop);
        Assert.Equal("#cloud-config\n", content);

        Task<string> ListAsync(string[] options) => Tool.RunAsync("isoinfo", [.. options, "-f", "-i", path], Stop);
    }

    [FactWithTool("isoinfo")]
    public async Task isoinfo_finds_modes_links_times_and_places()
    {
        var listing = await Tool.RunAsync("isoinfo", ["-R", "-l", "-i", await WriteAsync(IsoSample.ConfigDrive())], Stop);
        var user = UserDataPattern().Matches(listing);
        Assert.Equal(2, user.Count);
        Assert.Equal(user[0].Groups["sector"].Value, user[1].Groups["sector"].Value);
        Assert.Matches(@"(?m)^dr-xr-xr-x\s+4\s+0\s+0\s+2048 Mar  4 2025", listing);
    }

    [FactWithTool("isoinfo")]
    public async Task The_descriptor_says_what_that_of_genisoimage_says()
    {
        // As OpenStack's own builder calls it.
        await MakeTreeAsync();
        var reference = Path.Combine(_directory.FullName, "reference.iso");
        await Tool.RunAsync(
            "genisoimage",
            ["-o", reference, "-ldots", "-allow-lowercase", "-allow-multidot", "-l", "-publisher", "Vitrine", "-quiet", "-J", "-r", "-V", "config-2", Tree],
            Stop);
        var ours = await WriteAsync(IsoSample.ConfigDrive());

        string[] facts = ["System id", "Volume id", "Volume set id", "Publisher id", "Volume set size", "Volume set sequence", "Logical block size"];
        Assert.Equal(await FactsAsync(reference), await FactsAsync(ours));

        async Task<string[]> FactsAsync(string path) =>
            [.. (await Tool.RunAsync("isoinfo", ["-d", "-i", path], Stop)).Split('\n').Where(line => facts.Any(f => line.StartsWith(f, StringComparison.Ordinal)))];
    }

    [FactWithTool("xorriso")]
    public async Task xorriso_finds_what_boots()
    {
        var path = await WriteAsync(new IsoBuilder("boot", IsoSample.Noon)
            .AddFile("bios.img", new byte[4096]).AddFile("efi.img", new byte[8192]).BootByBios("bios.img").BootByUefi("efi.img"));
        var report = await Tool.RunAsync("xorriso", ["-abort_on", "WARNING", "-indev", path, "-report_el_torito", "plain"], Stop);
        Assert.Matches(@"El Torito boot img :\s+1\s+BIOS\s+y\s+none", report);
        Assert.Matches(@"El Torito boot img :\s+2\s+UEFI\s+y\s+none", report);
        Assert.Matches(@"El Torito img path :\s+1\s+/bios.img", report);
        Assert.Matches(@"El Torito img path :\s+2\s+/efi.img", report);
    }

    [TheoryWithTool("genisoimage")]
    [InlineData("xorriso", "-J -R", nameof(IsoNaming.RockRidge))]
    [InlineData("xorriso", "-J", nameof(IsoNaming.RockRidge))] // it writes Rock Ridge whatever it is told
    [InlineData("genisoimage", "-J -R", nameof(IsoNaming.RockRidge))]
    [InlineData("genisoimage", "-R", nameof(IsoNaming.RockRidge))]
    [InlineData("genisoimage", "-J", nameof(IsoNaming.Joliet))]
    [InlineData("genisoimage", "-J -R -D", nameof(IsoNaming.RockRidge))]
    [InlineData("genisoimage", "-l", nameof(IsoNaming.Plain))]
    public async Task What_the_tools_write_is_read(string tool, string options, string names)
    {
        var naming = Enum.Parse<IsoNaming>(names);
        var files = await MakeTreeAsync();
        var path = Path.Combine(_directory.FullName, "theirs.iso");
        string[] emulation = tool is "xorriso" ? ["-as", "mkisofs"] : [];
        await Tool.RunAsync(tool, [.. emulation, "-quiet", "-V", "config-2", "-o", path, .. options.Split(' '), Tree], Stop);

        await using var content = new FileContent(path);
        var volume = await IsoVolume.OpenAsync(content, Stop);
        Assert.Equal(naming, volume.Naming);
        Assert.Equal("config-2", volume.Label);
        var found = await IsoSample.ReadAsync(content);
        if (naming is IsoNaming.Plain)
            Assert.Equal("{}", found["OPENSTACK/LATEST/META_DATA.JSON"]);
        else
            Assert.Equal(files, found.Where(f => f.Value.Length > 0).ToDictionary());
    }

    [FactWithTool("genisoimage")]
    public async Task Links_and_directories_that_were_moved_up_are_where_they_belong()
    {
        var deep = string.Join('/', Enumerable.Range(1, 12));
        Directory.CreateDirectory(Path.Combine(Tree, deep));
        await File.WriteAllTextAsync(Path.Combine(Tree, deep, "file"), "deep", Stop);
        File.CreateSymbolicLink(Path.Combine(Tree, "link"), "1/2");
        var path = Path.Combine(_directory.FullName, "moved.iso");
        await Tool.RunAsync("genisoimage", ["-quiet", "-R", "-o", path, Tree], Stop);

        await using var content = new FileContent(path);
        Assert.Equal("deep", (await IsoSample.ReadAsync(content))[$"{deep}/file"]);
        var volume = await IsoVolume.OpenAsync(content, Stop);
        var link = await volume.ListAsync(Stop).SingleAsync(e => e.Path == "link", Stop);
        Assert.Equal((IsoEntryKind.SymbolicLink, 0), (link.Kind, link.Length));
    }

    [FactWithTool("xorriso")]
    public async Task The_rescue_disc_of_GRUB_is_read()
    {
        await using var content = new FileContent("/usr/lib/grub-rescue/grub-rescue-cdrom.iso");
        var volume = await IsoVolume.OpenAsync(content, Stop);
        Assert.Equal(BootPlatform.Bios, Assert.Single(volume.BootEntries).Platform);
        Assert.Contains("boot/grub/i386-pc/eltorito.img", (await IsoSample.ReadAsync(content)).Keys);
    }

    [FactWithTool("isoinfo")]
    public async Task The_disc_of_iPXE_is_read()
    {
        await using var content = new FileContent("/usr/lib/ipxe/ipxe.iso");
        var volume = await IsoVolume.OpenAsync(content, Stop);
        Assert.True(volume.BootEntries[0] is { Platform: BootPlatform.Bios, IsBootable: true });
        Assert.Contains("isolinux.bin", (await IsoSample.ReadAsync(content)).Keys);
    }

    private string Tree => Path.Combine(_directory.FullName, "tree");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [GeneratedRegex(@"^File data lba:\s+\d+ ,\s+(?<lba>\d+) ,\s+\d+ ,\s+\d+ , '(?<path>[^']+)'", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FileDataPattern();

    [GeneratedRegex(
        @"^-r--r--r--\s+2\s+0\s+0\s+14 Mar  4 2025 \[\s*(?<sector>\d+) 00\]\s+user_data(\.txt)?\s*$",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex UserDataPattern();

    /// <summary>Makes a small tree on disk.</summary>
    /// <returns>Its files, by path.</returns>
    private async Task<Dictionary<string, string>> MakeTreeAsync()
    {
        var files = new Dictionary<string, string>
        {
            ["openstack/latest/meta_data.json"] = "{}",
            ["openstack/latest/user_data"] = "#cloud-config",
            ["a long name, with spaces and a dot.text"] = "long",
            ["Mixed.tar.gz"] = "mixed",
        };
        for (var i = 0; i < 100; i++)
            files[$"many/file number {i.ToString(CultureInfo.InvariantCulture)} of a hundred"] = $"{i}";
        foreach (var (path, text) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Tree, path))!);
            await File.WriteAllTextAsync(Path.Combine(Tree, path), text, Stop);
        }

        return files;
    }

    private async Task<string> WriteAsync(IsoBuilder builder)
    {
        var path = Path.Combine(_directory.FullName, "ours.iso");
        await using var file = File.Create(path);
        await builder.Build().CopyToAsync(file, Stop);
        return path;
    }
}
