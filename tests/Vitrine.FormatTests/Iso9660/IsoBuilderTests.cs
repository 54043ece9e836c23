using Vitrine.Formats.Iso9660;

namespace Vitrine.FormatTests.Iso9660;

/// <summary>What the builder promises, as our own reader sees it; the next class asks the field's tools.</summary>
public sealed class IsoBuilderTests
{
    private static readonly string LongName = new('x', 251);

    [Fact]
    public async Task A_config_drive_is_read_back()
    {
        var found = await IsoSample.ReadAsync(new MemoryContent(await IsoSample.ConfigDrive().ToArrayAsync()));
        Assert.Equal(
            [
                "cloudstack/", "cloudstack/metadata/", "cloudstack/metadata/empty.txt", "cloudstack/password/",
                "cloudstack/password/vm_password.txt", "cloudstack/user_data/", "cloudstack/user_data/user_data.txt", "openstack/",
                "openstack/latest/", "openstack/latest/meta_data.json", "openstack/latest/network_data.json",
                "openstack/latest/user_data", "openstack/latest/vendor_data.json",
            ],
            found.Keys);
        Assert.Equal("""{"uuid":"6c9d2b7e"}""", found["openstack/latest/meta_data.json"]);
        Assert.Equal("", found["cloudstack/metadata/empty.txt"]);
    }

    [Fact]
    public async Task Two_names_of_one_file_share_one_extent()
    {
        var volume = await IsoVolume.OpenAsync(new MemoryContent(await IsoSample.ConfigDrive().ToArrayAsync()), Stop);
        var files = await volume.ListAsync(Stop).ToDictionaryAsync(e => e.Path, e => e.Extents, cancellationToken: Stop);
        Assert.Equal(files["cloudstack/user_data/user_data.txt"], files["openstack/latest/user_data"]);
        Assert.NotEqual(files["openstack/latest/network_data.json"], files["openstack/latest/vendor_data.json"]);
    }

    [Fact]
    public async Task Equal_files_and_times_give_equal_bytes_in_whatever_order_they_are_added()
    {
        var one = new IsoBuilder("a", IsoSample.Noon).AddFile("b/c", IsoSample.Text("1")).AddFile("a", IsoSample.Text("2")).AddDirectory("d");
        var other = new IsoBuilder("a", IsoSample.Noon.ToOffset(TimeSpan.FromHours(5)))
            .AddDirectory("d").AddFile("a", IsoSample.Text("2")).AddFile("b/c", IsoSample.Text("1"));
        Assert.Equal(await one.ToArrayAsync(), await other.ToArrayAsync());
        Assert.Equal(await one.ToArrayAsync(), await one.ToArrayAsync());
    }

    [Fact]
    public async Task Another_time_gives_other_bytes()
    {
        var one = await new IsoBuilder("a", IsoSample.Noon).ToArrayAsync();
        Assert.NotEqual(one, await new IsoBuilder("a", IsoSample.Noon.AddSeconds(1)).ToArrayAsync());
    }

    [Fact]
    public async Task The_length_is_known_before_a_byte_is_written()
    {
        var image = IsoSample.ConfigDrive().Build();
        using var output = new MemoryStream();
        await image.CopyToAsync(output, Stop);
        Assert.Equal(image.Length, output.Length);
        Assert.Equal(output.ToArray(), await image.ToArrayAsync(Stop));
    }

    [Fact]
    public async Task A_file_may_come_as_a_stream()
    {
        var bytes = new byte[200_001];
        new Random(1).NextBytes(bytes);
        var streamed = await new IsoBuilder("a", IsoSample.Noon)
            .AddFile("big", bytes.Length, _ => Task.FromResult<Stream>(new MemoryStream(bytes))).ToArrayAsync();
        Assert.Equal(await new IsoBuilder("a", IsoSample.Noon).AddFile("big", bytes).ToArrayAsync(), streamed);
    }

    [Fact]
    public async Task A_stream_that_ends_early_fails()
    {
        var image = new IsoBuilder("a", IsoSample.Noon).AddFile("big", 10, _ => Task.FromResult<Stream>(new MemoryStream(new byte[9]))).Build();
        await Assert.ThrowsAsync<EndOfStreamException>(() => image.ToArrayAsync(Stop));
    }

    [Theory]
    [InlineData(nameof(IsoNaming.RockRidge))]
    [InlineData(nameof(IsoNaming.Joliet))]
    public async Task Names_are_kept(string names)
    {
        var naming = Enum.Parse<IsoNaming>(names);
        string[] paths = ["user_data", ".hidden", "Mixed.Case.tar.gz", "a b", "naïve-日本語.txt", "UPPER", "upper", "x;1", "dot."];
        var builder = new IsoBuilder("a", IsoSample.Noon);
        foreach (var path in paths)
            builder.AddFile(path, IsoSample.Text(path));

        var expected = naming is IsoNaming.Joliet ? paths.Select(n => n.Replace(';', '_')) : paths;
        var found = await IsoSample.ReadAsync(new MemoryContent(await builder.ToArrayAsync()), naming);
        Assert.Equal(expected.Order(StringComparer.Ordinal), found.Keys);
    }

    [Fact]
    public async Task Long_names_are_kept_by_Rock_Ridge_and_cut_by_Joliet()
    {
        var builder = new IsoBuilder("a", IsoSample.Noon);
        string[] names = [$"{LongName}.txt", $"{LongName}.tx2", $"{new string('日', 85)}", new('y', 64), new('z', 65)];
        foreach (var name in names)
            builder.AddFile(name, IsoSample.Text(name));

        var medium = new MemoryContent(await builder.ToArrayAsync());
        Assert.Equal(names.Order(StringComparer.Ordinal), (await IsoSample.ReadAsync(medium)).Keys);
        Assert.Equal(
            new[] { $"{LongName[..60]}.txt", $"{LongName[..60]}.tx2", new string('日', 64), new string('y', 64), new string('z', 64) }.Order(StringComparer.Ordinal),
            (await IsoSample.ReadAsync(medium, IsoNaming.Joliet)).Keys);
    }

    [Theory]
    [InlineData(nameof(IsoNaming.Plain))]
    [InlineData(nameof(IsoNaming.Joliet))]
    public async Task Names_that_would_be_cut_to_the_same_are_numbered(string names)
    {
        var naming = Enum.Parse<IsoNaming>(names);
        var builder = new IsoBuilder("a", IsoSample.Noon).AddDirectory($"{LongName}d");
        for (var i = 0; i < 12; i++)
            builder.AddFile($"{LongName}{i:D2}", default);

        var found = await IsoSample.ReadAsync(new MemoryContent(await builder.ToArrayAsync()), naming);
        Assert.Equal(13, found.Count);
        Assert.Contains(new string(naming is IsoNaming.Plain ? 'X' : 'x', naming is IsoNaming.Plain ? 28 : 62) + "12", found.Keys.Select(n => n.TrimEnd('/')));
    }

    [Fact]
    public async Task Plain_names_are_what_the_standard_allows_and_tell_files_from_directories()
    {
        var builder = new IsoBuilder("a", IsoSample.Noon).AddDirectory("same").AddFile("SAME", default).AddFile("we-ird name.tar.gz", default).AddFile(".rc", default);
        Assert.Equal(["SAME", "SAME1/", "WE_IRD_NAME_TAR.GZ", "_RC"], (await IsoSample.ReadAsync(new MemoryContent(await builder.ToArrayAsync()), IsoNaming.Plain)).Keys);
    }

    [Theory]
    [InlineData("config-2")]
    [InlineData("cidata")]
    [InlineData("A label of thirty-two characters")]
    public async Task The_label_is_kept_in_its_case(string label)
    {
        Assert.Equal(label, (await IsoVolume.OpenAsync(new MemoryContent(await IsoSample.ConfigDrive(label).ToArrayAsync()), Stop)).Label);
    }

    [Fact]
    public async Task A_thousand_files_and_deep_directories_are_read_back()
    {
        var deep = string.Join('/', Enumerable.Range(1, 31).Select(i => $"level-{i}"));
        var builder = new IsoBuilder("a", IsoSample.Noon).AddFile($"{deep}/file", IsoSample.Text("deep"));
        for (var i = 0; i < 1000; i++)
            builder.AddFile($"many/file-{i}-{new string('n', i % 200)}", IsoSample.Text($"{i}"));

        foreach (var naming in Enum.GetValues<IsoNaming>())
        {
            var found = await IsoSample.ReadAsync(new MemoryContent(await builder.ToArrayAsync()), naming);
            Assert.Equal(31 + 1 + 1001, found.Count);
            Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{i}").Append("deep").Order(), found.Values.Where(v => v.Length > 0).Order());
        }
    }

    [Fact]
    public async Task A_medium_says_what_boots()
    {
        var medium = await new IsoBuilder("boot", IsoSample.Noon)
            .AddFile("boot/bios.img", new byte[5000]).AddFile("boot/efi.img", new byte[100_000])
            .BootByUefi("boot/efi.img").BootByBios("boot/bios.img").ToArrayAsync();
        var volume = await IsoVolume.OpenAsync(new MemoryContent(medium), Stop);
        var files = await volume.ListAsync(Stop).ToDictionaryAsync(e => e.Path, e => e.Extents, cancellationToken: Stop);
        Assert.Equal(
            [
                new BootEntry(BootPlatform.Bios, true, 0, 4, (uint)(files["boot/bios.img"][0].Start / 2048)),
                new BootEntry(BootPlatform.Uefi, true, 0, 196, (uint)(files["boot/efi.img"][0].Start / 2048)),
            ],
            volume.BootEntries);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("../a")]
    [InlineData("a/./b")]
    [InlineData("a\0b")]
    [InlineData("taken")]
    [InlineData("taken/below")]
    public void A_path_that_leads_nowhere_is_refused(string path)
    {
        var builder = new IsoBuilder("a", IsoSample.Noon).AddFile("taken", default);
        Assert.ThrowsAny<ArgumentException>(() => builder.AddFile(path, default));
        Assert.ThrowsAny<ArgumentException>(() => builder.AddLink(path, "taken"));
    }

    [Fact]
    public void A_name_that_is_no_text_is_refused() =>
        Assert.ThrowsAny<ArgumentException>(() => new IsoBuilder("a", IsoSample.Noon).AddFile("half a pair \ud800", default));

    [Fact]
    public void A_name_of_256_bytes_is_refused()
    {
        var builder = new IsoBuilder("a", IsoSample.Noon);
        builder.AddFile(new string('x', 255), default);
        Assert.Throws<ArgumentException>(() => builder.AddFile(new string('y', 256), default));
        Assert.Throws<ArgumentException>(() => builder.AddFile(new string('é', 128), default));
    }

    [Theory]
    [InlineData("")]
    [InlineData("ü")]
    [InlineData("a label of thirty-three characters")]
    public void A_label_that_no_medium_has_is_refused(string label) =>
        Assert.Throws<ArgumentException>(() => new IsoBuilder(label, IsoSample.Noon));

    [Fact]
    public void A_link_to_nothing_is_refused()
    {
        var builder = new IsoBuilder("a", IsoSample.Noon).AddDirectory("b");
        Assert.Throws<ArgumentException>(() => builder.AddLink("c", "missing"));
        Assert.Throws<ArgumentException>(() => builder.AddLink("c", "b"));
        Assert.Throws<ArgumentException>(() => builder.BootByBios("b"));
    }

    [Fact]
    public async Task An_empty_medium_is_one()
    {
        Assert.Empty(await IsoSample.ReadAsync(new MemoryContent(await new IsoBuilder("a", IsoSample.Noon).ToArrayAsync())));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
