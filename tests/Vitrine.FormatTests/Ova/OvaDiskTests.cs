using System.Formats.Tar;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.FormatTests.Inspection;
using Vitrine.FormatTests.Vmdk;
using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Ova;

public sealed class OvaDiskTests
{
    private const int GuestLength = 200_704;

    private const string Link = """<File ovf:id="file1" ovf:href="disk.vmdk"/>""";
    private const string Disk = """<Disk ovf:diskId="d" ovf:fileRef="file1"/>""";

    public static TheoryData<HostileDisk> Hostile => [.. Faults];

    private static HostileDisk[] Faults =>
    [
        new("as it should be",                     HostileDisk.Nothing,     () => OvaFile.Of(Stream())),
        new("two disks",                           "ova-many-disks",        () => With(OvaFile.Ovf(disks: Disk + Disk))),
        new("no disk",                             "ova-no-disk",           () => With(OvaFile.Ovf(disks: ""))),
        new("a blank disk",                        "ova-no-disk",           () => With(OvaFile.Ovf(disks: """<Disk ovf:diskId="d" ovf:capacity="9"/>"""))),
        new("a disk with a parent",                "ova-parent",            () => With(OvaFile.Ovf(disks: """<Disk ovf:diskId="d" ovf:fileRef="file1" ovf:parentRef="e"/>"""))),
        new("a disk in no file",                   "ova-bad-descriptor",    () => With(OvaFile.Ovf(disks: Disk.Replace("file1", "file9")))),
        new("a file without a name",               "ova-bad-descriptor",    () => With(OvaFile.Ovf("""<File ovf:id="file1"/>"""))),
        new("an id twice",                         "ova-bad-descriptor",    () => With(OvaFile.Ovf(Link + Link))),
        new("a name twice",                        "ova-bad-descriptor",    () => With(OvaFile.Ovf("""<File ovf:id="file1" ovf:href="disk.vmdk" href="other.vmdk"/>"""))),
        new("a file of the host",                  "ova-bad-name",          () => With(OvaFile.Ovf(Link.Replace("disk.vmdk", "/etc/passwd")))),
        new("a file above",                        "ova-bad-name",          () => With(OvaFile.Ovf(Link.Replace("disk.vmdk", "../disk.vmdk")))),
        new("a directory above",                   "ova-bad-name",          () => With(OvaFile.Ovf(Link.Replace("disk.vmdk", "..")))),
        new("an address",                          "ova-bad-name",          () => With(OvaFile.Ovf(Link.Replace("disk.vmdk", "http://localhost/disk.vmdk")))),
        new("another drive",                       "ova-bad-name",          () => With(OvaFile.Ovf(Link.Replace("disk.vmdk", "c:disk.vmdk")))),
        new("a compressed file",                   "ova-compressed",        () => With(OvaFile.Ovf(Link.Replace("/>", " ovf:compression=\"gzip\"/>")))),
        new("a file in pieces",                    "ova-chunked",           () => With(OvaFile.Ovf(Link.Replace("/>", " ovf:chunkSize=\"9\"/>")))),
        new("a file that is not there",            "ova-missing-member",    () => OvaFile.Of([("a.ovf", Text(OvaFile.Ovf())), ("other.vmdk", Stream())])),
        new("no file but the description",         "ova-missing-member",    () => OvaFile.Of([("a.ovf", Text(OvaFile.Ovf()))])),
        new("a description that is no XML",        "ova-bad-descriptor",    () => With("a description")),
        new("a description that does not end",     "ova-bad-descriptor",    () => With("<Envelope><References>")),
        new("an empty description",                "ova-bad-descriptor",    () => With("")),
        new("a description of 2 MiB",              "ova-bad-descriptor",    () => With(OvaFile.Ovf() + new string(' ', 2 << 20))),
        new("a description that nests",            "ova-bad-descriptor",    () => With(string.Concat(Enumerable.Repeat("<a>", 100_000)))),
        new("a document type",                     "ova-bad-descriptor",    () => With(OvaFile.Ovf(before: "<!DOCTYPE Envelope>"))),
        new("a foreign entity",                    "ova-bad-descriptor",    () => With(OvaFile.Ovf(Link.Replace("disk", "&x;"), before: "<!DOCTYPE Envelope [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"))),
        new("entities of entities",                "ova-bad-descriptor",    () => With(OvaFile.Ovf(before: "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>"))),
        new("two descriptions",                    "ova-bad-archive",       () => OvaFile.Of([("a.ovf", Text(OvaFile.Ovf())), ("b.ovf", Text(OvaFile.Ovf())), ("disk.vmdk", Stream())])),
        new("a disk twice",                        "ova-bad-archive",       () => OvaFile.Of([("a.ovf", Text(OvaFile.Ovf())), ("disk.vmdk", Stream()), ("disk.vmdk", Stream())])),
        new("a disk twice but for case",           "ova-bad-archive",       () => OvaFile.Of([("a.ovf", Text(OvaFile.Ovf())), ("disk.vmdk", Stream()), ("DISK.vmdk", Stream())])),
        new("a symbolic link as its disk",         "ova-link",              () => Links(TarEntryType.SymbolicLink)),
        new("a hard link as its disk",             "ova-link",              () => Links(TarEntryType.HardLink)),
        new("a directory",                         "ova-bad-member",        () => OvaFile.Of((TarEntry[])[Description(), new UstarTarEntry(TarEntryType.Directory, "dir")])),
        new("a device",                            "ova-bad-member",        () => OvaFile.Of((TarEntry[])[Description(), new UstarTarEntry(TarEntryType.BlockDevice, "sda")])),
        new("a member of the host",                "ova-bad-name",          () => OvaFile.Of([("a.ovf", Text(OvaFile.Ovf())), ("/etc/passwd", Stream())])),
        new("a member above",                      "ova-bad-name",          () => OvaFile.Of([("a.ovf", Text(OvaFile.Ovf())), ("../disk.vmdk", Stream())])),
        new("a member with attributes of its own", "ova-bad-archive",       () => OvaFile.Of((TarEntry[])[Description(), new PaxTarEntry(TarEntryType.RegularFile, "disk.vmdk", [new("GNU.sparse.major", "1")])], TarEntryFormat.Pax)),
        new("a size for all members",              "ova-bad-archive",       () => OvaFile.Of((TarEntry[])[Description(), new PaxGlobalExtendedAttributesTarEntry([new("size", "1")])], TarEntryFormat.Pax)),
        new("100 members",                         "ova-too-many-members",  () => OvaFile.Of([("a.ovf", Text(OvaFile.Ovf())), .. Enumerable.Range(0, 100).Select(i => ($"{i}", Text("x")))])),
        new("a header that is damaged",            "ova-bad-archive",       () => Changed(OvaFile.Of(Stream()), 512 + 1024 + 10)),
        new("an archive without an end",           "truncated",             () => OvaFile.Of(Stream())[..^1024]),
        new("an archive that goes on",             "ova-bad-archive",       () => Changed(OvaFile.Of(Stream()), OvaFile.Of(Stream()).Length - 1)),
        new("an archive cut in its disk",          "truncated",             () => OvaFile.Of(Stream())[..50_000]),
        new("a disk that is no VMDK",              "wrong-format",          () => OvaFile.Of(new byte[100_000])),
        new("a disk that is too short",            "truncated",             () => OvaFile.Of(Stream()[..2048])),
        new("a flat disk of another file",         "vmdk-foreign-extent",   () => Flat("RW 8 FLAT \"/etc/passwd\" 0")),
        new("a flat disk of a file above",         "vmdk-foreign-extent",   () => Flat("RW 8 FLAT \"..\\flat.vmdk\" 0")),
        new("a flat disk of a device",             "vmdk-foreign-extent",   () => Flat("RW 8 VMFSRDM \"flat.vmdk\" 0")),
        new("a flat disk of a sparse file",        "vmdk-foreign-extent",   () => Flat("RW 8 SPARSE \"flat.vmdk\"")),
        new("a flat disk of no name",              "vmdk-foreign-extent",   () => Flat("RW 8 FLAT")),
        new("a flat disk in a file that is not there", "ova-missing-member", () => Flat("RW 8 FLAT \"other.vmdk\" 0")),
        new("a flat disk longer than its file",    "truncated",             () => Flat("RW 393 FLAT \"flat.vmdk\" 0")),
        new("a flat disk behind its file's end",   "truncated",             () => Flat("RW 8 FLAT \"flat.vmdk\" 999999")),
        new("a flat disk at no offset",            "vmdk-bad-descriptor",   () => Flat("RW 8 FLAT \"flat.vmdk\" -8")),
        new("a flat disk of 8 EiB",                "vmdk-bad-descriptor",   () => Flat("RW 9223372036854775807 FLAT \"flat.vmdk\" 0")),
        new("a flat disk of many large parts",     "vmdk-bad-descriptor",   () => Flat(string.Concat(Enumerable.Repeat("RW 1125899906842624 ZERO\n", 100)))),
        new("a flat disk of 1000 parts",           "vmdk-bad-descriptor",   () => Flat(string.Concat(Enumerable.Repeat("RW 8 ZERO\n", 1000)))),
        new("a flat disk of nothing",              "vmdk-bad-descriptor",   () => Flat("RW 0 FLAT \"flat.vmdk\" 0")),
        new("a flat disk without parts",           "vmdk-bad-descriptor",   () => Flat("")),
        new("a flat disk with a file twice",       "vmdk-bad-descriptor",   () => Flat("RW 8 FLAT \"flat.vmdk\" 0\nRW 8 FLAT \"flat.vmdk\" 8")),
        new("a flat disk with a parent",           "vmdk-parent",           () => Patched(Flat("RW 8 FLAT \"flat.vmdk\" 0"), "parentCID=ffffffff", "parentCID=01234567")),
        new("a flat disk whose text is too long",  "wrong-format",          () => Flat("RW 8 FLAT \"flat.vmdk\" 0" + new string(' ', 100_000))),
        new("a disk with a parent's id",           "vmdk-parent",           () => OvaFile.Of(Patched(Stream(), "parentCID=ffffffff", "parentCID=01234567"))),
        new("a disk without its footer",           "truncated",             () => OvaFile.Of(Stream()[..^512])),
    ];

    [Theory]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Gnu)]
    [InlineData(TarEntryFormat.Pax)]
    public async Task The_disk_of_an_OVA_keeps_the_contract(TarEntryFormat format)
    {
        var guest = GuestBytes.Sparse(GuestLength);
        foreach (var vmdk in new[] { VmdkFile.Stream(guest), VmdkFile.Sparse(guest) })
        {
            var ova = OvaFile.Of(vmdk, format);
            Assert.Equal(new FormatVerdict(DiskFormat.Vmdk, GuestLength, Container: ContainerFormat.Ova), Judgement.Of(ova).Verdict);
            await using var disk = await new DiskFormats().OpenAsync(new MemoryContent(ova), DiskFormat.Vmdk, ContainerFormat.Ova, Stop);
            await DiskContract.HoldAsync(disk, guest, Stop);
        }
    }

    [Fact]
    public async Task The_flat_disk_of_an_OVA_keeps_the_contract()
    {
        var guest = GuestBytes.Sparse(GuestLength);
        byte[] zeros = new byte[4096];
        foreach (var (extents, disk) in new[]
        {
            ("RW 392 FLAT \"flat.vmdk\" 0", guest),
            ("RW 392 VMFS \"flat.vmdk\"", guest),
            ("RW 384 FLAT \"flat.vmdk\" 8\nRW 8 ZERO\nRDONLY 2 FLAT \"more flat.vmdk\" 1", [.. guest[4096..], .. zeros, .. guest[512..1536]]),
        })
        {
            var ova = Flat(extents, guest, "twoGbMaxExtentFlat");
            Assert.Equal(new FormatVerdict(DiskFormat.Vmdk, disk.Length, Container: ContainerFormat.Ova), Judgement.Of(ova).Verdict);
            Assert.Equal(Judgement.Of(ova).Words, Judgement.Of(ova, _ => 333).Words);
            await using var opened = await new DiskFormats().OpenAsync(new MemoryContent(ova), DiskFormat.Vmdk, ContainerFormat.Ova, Stop);
            await DiskContract.HoldAsync(opened, disk, Stop);
        }
    }

    [Theory]
    [InlineData("monolithicFlat")]
    [InlineData("twoGbMaxExtentFlat")]
    public async Task A_flat_disk_that_qemu_img_made_is_read(string kind)
    {
        var directory = Directory.CreateTempSubdirectory("vitrine-ova-");
        try
        {
            string At(string name) => Path.Combine(directory.FullName, name);
            var guest = GuestBytes.Sparse(GuestLength);
            await File.WriteAllBytesAsync(At("raw"), guest, Stop);
            await File.WriteAllTextAsync(At("a.ovf"), OvaFile.Ovf(), Stop);
            await Tool.RunAsync("qemu-img", ["convert", "-f", "raw", "-O", "vmdk", "-o", $"subformat={kind}", At("raw"), At("disk.vmdk")], Stop);
            var files = Directory.GetFiles(directory.FullName, "disk-f*").Select(f => Path.GetFileName(f)!);
            await Tool.RunAsync("tar", ["-C", directory.FullName, "-cf", At("ova"), "a.ovf", "disk.vmdk", .. files], Stop);

            var ova = await File.ReadAllBytesAsync(At("ova"), Stop);
            Assert.Equal(HostileDisk.Nothing, await Handling.HandleAsync(ova, DiskFormat.Vmdk, Stop, ContainerFormat.Ova));
            Assert.Equal(new FormatVerdict(DiskFormat.Vmdk, GuestLength, Container: ContainerFormat.Ova), Judgement.Of(ova).Verdict);
            await using var disk = await new DiskFormats().OpenAsync(new MemoryContent(ova), DiskFormat.Vmdk, ContainerFormat.Ova, Stop);
            await DiskContract.HoldAsync(disk, guest, Stop);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_judgement_of_an_OVA_does_not_depend_on_how_the_bytes_are_cut()
    {
        var ova = OvaFile.Of(Stream(), TarEntryFormat.Pax);
        var random = new Random(5);
        foreach (var most in new[] { 600, 5_000, 100_000 })
            Assert.Equal(Judgement.Of(ova).Words, Judgement.Of(ova, _ => random.Next(1, most)).Words);
    }

    [Fact]
    public async Task A_long_name_is_read_as_each_kind_of_archive_writes_it()
    {
        var name = new string('d', 200) + ".vmdk";
        var guest = GuestBytes.Sparse(GuestLength);
        foreach (var format in new[] { TarEntryFormat.Gnu, TarEntryFormat.Pax })
        {
            var ova = OvaFile.Of([("a.ovf", Text(OvaFile.Ovf(Link.Replace("disk.vmdk", name)))), (name, VmdkFile.Stream(guest))], format);
            await using var disk = await new DiskFormats().OpenAsync(new MemoryContent(ova), DiskFormat.Vmdk, ContainerFormat.Ova, Stop);
            await DiskContract.HoldAsync(disk, guest, Stop);
        }
    }

    [Fact]
    public void Every_other_archive_is_just_bytes()
    {
        Assert.Equal(new FormatVerdict(DiskFormat.Raw, null), Judgement.Of(OvaFile.Of([("readme", Text("x")), ("disk.vmdk", Stream())])).Verdict);
    }

    [Fact]
    public void An_OVA_that_is_something_else_too_is_refused()
    {
        var named = OvaFile.Of([("KDMV.ovf", Text(OvaFile.Ovf())), ("disk.vmdk", Stream())]);
        Assert.Equal("polyglot", Assert.IsType<UnsafeContentException>(Judgement.Of(named).Refusal).Feature);
    }

    [Theory, MemberData(nameof(Hostile))]
    public async Task What_is_wrong_has_a_name_at_rest(HostileDisk disk)
    {
        Assert.Equal(disk.Feature, await Handling.HandleAsync(disk.Bytes(), DiskFormat.Vmdk, Stop, ContainerFormat.Ova));
    }

    [Theory]
    [InlineData("a.ovf ./disk.vmdk")]
    [InlineData("./a.ovf ./disk.vmdk")]
    [InlineData(".")]
    public async Task An_archive_of_plain_names_behind_a_dot_is_read(string what)
    {
        var directory = Directory.CreateTempSubdirectory("vitrine-ova-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "a.ovf"), OvaFile.Ovf(), Stop);
            await File.WriteAllBytesAsync(Path.Combine(directory.FullName, "disk.vmdk"), Stream(), Stop);
            var path = Path.Combine(directory.FullName, "..", $"{directory.Name}.ova");
            await Tool.RunAsync("tar", ["--sort=name", "-C", directory.FullName, "-cf", path, .. what.Split(' ')], Stop);
            var ova = await File.ReadAllBytesAsync(path, Stop);
            File.Delete(path);
            Assert.Equal(HostileDisk.Nothing, await Handling.HandleAsync(ova, DiskFormat.Vmdk, Stop, ContainerFormat.Ova));
            Assert.Equal(ContainerFormat.Ova, Judgement.Of(ova).Verdict?.Container);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("SHA256(disk.vmdk)= {0}", HostileDisk.Nothing)]
    [InlineData("SHA1 (disk.vmdk) = {1}", HostileDisk.Nothing)]
    [InlineData("SHA256(disk.vmdk)= {2}", "ova-manifest-mismatch")]
    [InlineData("SHA1(a.ovf)= {1}", "ova-manifest-mismatch")]
    [InlineData("SHA256(other.vmdk)= {0}", HostileDisk.Nothing)]
    [InlineData("SHA256(../disk.vmdk)= {0}", "ova-bad-name")]
    [InlineData("MD5(disk.vmdk)= {0}", "ova-bad-manifest")]
    [InlineData("disk.vmdk", "ova-bad-manifest")]
    [InlineData("SHA256(disk.vmdk)= {0}\nSHA1(disk.vmdk)= {1}", "ova-bad-manifest")]
    public void A_manifest_is_held_against_the_bytes_that_pass(string lines, string feature)
    {
        var disk = Stream();
        var text = Text(string.Format(
            CultureInfo.InvariantCulture, lines, Convert.ToHexString(SHA256.HashData(disk)), Convert.ToHexStringLower(SHA1.HashData(disk)), new string('0', 64)));
        (string, byte[]) description = ("a.ovf", Text(OvaFile.Ovf()));
        foreach (var ova in new[] { OvaFile.Of([description, ("a.mf", text), ("disk.vmdk", disk)]), OvaFile.Of([description, ("disk.vmdk", disk), ("a.mf", text)]) })
        {
            foreach (var step in new[] { int.MaxValue, 700 })
            {
                var judgement = Judgement.Of(ova, _ => step);
                Assert.Equal(feature, judgement.Refusal is null ? HostileDisk.Nothing : Assert.IsType<UnsafeContentException>(judgement.Refusal).Feature);
            }
        }
    }

    [Fact]
    public void An_archive_in_the_wrong_order_says_so_and_every_other_archive_is_bytes()
    {
        var late = OvaFile.Of([("disk.vmdk", Stream()), ("a.ovf", Text(OvaFile.Ovf()))]);
        Assert.Equal("ova-bad-order", Assert.IsType<UnsafeContentException>(Judgement.Of(late).Refusal).Feature);
        Assert.Equal(DiskFormat.Raw, Judgement.Of(OvaFile.Of([("notes.txt", Text("notes")), ("a.ovf", Text(OvaFile.Ovf()))])).Verdict?.Format);
    }

    [Theory, MemberData(nameof(Hostile))]
    public void What_is_wrong_has_the_same_name_while_it_arrives(HostileDisk disk)
    {
        var judgement = Judgement.Of(disk.Bytes());
        Assert.Equal(disk.Feature, judgement.Refusal is null ? HostileDisk.Nothing : Assert.IsType<UnsafeContentException>(judgement.Refusal).Feature);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static byte[] Stream() => VmdkFile.Stream(GuestBytes.Sparse(GuestLength));

    private static byte[] Flat(string extents, byte[]? guest = null, string kind = "monolithicFlat") =>
        OvaFile.Flat(extents, guest ?? GuestBytes.Sparse(GuestLength), kind);

    private static byte[] With(string ovf) => OvaFile.Of([("a.ovf", Text(ovf)), ("disk.vmdk", Stream())]);

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static UstarTarEntry Description() => (UstarTarEntry)OvaFile.File("a.ovf", Text(OvaFile.Ovf()));

    private static byte[] Links(TarEntryType type) =>
        OvaFile.Of((TarEntry[])[Description(), new UstarTarEntry(type, "disk.vmdk") { LinkName = "/etc/passwd" }]);

    private static byte[] Changed(byte[] ova, int at)
    {
        ova[at] ^= 1;
        return ova;
    }

    private static byte[] Patched(byte[] image, string old, string text)
    {
        Text(text).CopyTo(image.AsSpan(image.AsSpan().IndexOf(Text(old))));
        return image;
    }
}
