using System.Globalization;
using Vitrine.Content;
using Vitrine.Formats.Iso9660;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Iso9660;

/// <summary>Media that no honest tool makes.</summary>
public sealed class HostileIsoTests
{
    private const int Primary = 16 * 2048;
    private const int Boot = 17 * 2048;
    private const int RootRecord = Primary + 156;

    // From the first byte of a directory record.
    private const int SectorField = 2;
    private const int LengthField = 10;
    private const int UnitSizeField = 26;
    private const int NameField = 33;

    [Theory]
    [InlineData("no primary descriptor", "iso-bad-geometry")]
    [InlineData("sectors of 512 bytes", "iso-bad-geometry")]
    [InlineData("no root", "iso-bad-geometry")]
    [InlineData("root outside", "truncated")]
    [InlineData("catalogue without checksum", "iso-bad-boot-catalogue")]
    [InlineData("catalogue outside", "iso-bad-boot-catalogue")]
    [InlineData("directory in itself", "iso-directory-loop")]
    [InlineData("directory of 4 GiB", "iso-too-large")]
    [InlineData("directory outside", "truncated")]
    [InlineData("record that is too short", "iso-bad-geometry")]
    [InlineData("record without a name", "iso-bad-geometry")]
    [InlineData("file outside", "truncated")]
    [InlineData("file that is too long", "truncated")]
    [InlineData("file mixed with others", "iso-interleaved")]
    [InlineData("name with a slash", "iso-bad-name")]
    [InlineData("name of two dots", "iso-bad-name")]
    [InlineData("name with a zero", "iso-bad-name")]
    [InlineData("field that is too long", "iso-bad-rock-ridge")]
    [InlineData("field of no length", "iso-bad-rock-ridge")]
    [InlineData("fields that go on for ever", "iso-bad-rock-ridge")]
    [InlineData("fields beyond their sector", "iso-bad-rock-ridge")]
    public async Task A_hostile_medium_is_refused_by_the_name_of_what_is_wrong(string fault, string feature)
    {
        var medium = await MakeAsync();
        var file = medium.AsSpan().IndexOf("VICTIM.TXT"u8) - NameField;
        // The path tables come first and have the name too.
        var directory = medium.AsSpan()[..file].LastIndexOf("FOLDER"u8) - NameField;
        var name = medium.AsSpan().IndexOf("victim.txt"u8);
        var continuation = medium.AsSpan().LastIndexOf("CE\u001c\u0001"u8);
        var catalogue = BitConverter.ToInt32(medium, Boot + 71) * 2048;
        switch (fault)
        {
            case "no primary descriptor": medium[Primary] = 3; break;
            case "sectors of 512 bytes": Put(Primary + 128, 512); break;
            case "no root": medium[RootRecord] = 0; break;
            case "root outside": Put(RootRecord + SectorField, 1_000_000); break;
            case "catalogue without checksum": medium[catalogue + 5] ^= 1; break;
            case "catalogue outside": Put(Boot + 71, uint.MaxValue); break;
            case "directory in itself": Put(directory + SectorField, BitConverter.ToUInt32(medium, RootRecord + SectorField)); break;
            case "directory of 4 GiB": Put(directory + LengthField, uint.MaxValue); break;
            case "directory outside": Put(directory + SectorField, uint.MaxValue); break;
            case "record that is too short": medium[file] = 20; break;
            case "record without a name": medium[file + NameField - 1] = 0; break;
            case "file outside": Put(file + SectorField, uint.MaxValue); break;
            case "file that is too long": Put(file + LengthField, uint.MaxValue); break;
            case "file mixed with others": medium[file + UnitSizeField] = 1; break;
            case "name with a slash": medium[name + 2] = (byte)'/'; break;
            case "name of two dots": (medium[name - 3], medium[name], medium[name + 1]) = (7, (byte)'.', (byte)'.'); medium.AsSpan(name + 2, 8).Clear(); break;
            case "name with a zero": medium[name + 2] = 0; break;
            case "field that is too long": medium[name - 3] = 200; break;
            case "field of no length": medium[name - 3] = 0; break;
            case "fields that go on for ever": PointAtItself(); break;
            case "fields beyond their sector": Put(continuation + 12, 2000); Put(continuation + 20, 100); break;
            default: throw new ArgumentOutOfRangeException(nameof(fault));
        }

        Assert.Equal(feature, (await Assert.ThrowsAsync<UnsafeContentException>(() => IsoSample.ReadAsync(new MemoryContent(medium)))).Feature);

        void Put(int at, uint value) => BitConverter.TryWriteBytes(medium.AsSpan(at), value);

        void PointAtItself()
        {
            Put(continuation + 4, (uint)(continuation / 2048));
            Put(continuation + 12, (uint)(continuation % 2048));
            Put(continuation + 20, 28);
        }
    }

    [FactWithTool("xorriso")]
    public async Task Directories_beyond_all_use_are_refused()
    {
        var directory = Directory.CreateTempSubdirectory("vitrine-iso-");
        try
        {
            directory.CreateSubdirectory("tree/" + string.Join('/', Enumerable.Range(0, 80).Select(i => i.ToString(CultureInfo.InvariantCulture))));
            var path = Path.Combine(directory.FullName, "deep.iso");
            await Tool.RunAsync("xorriso", ["-as", "mkisofs", "-quiet", "-R", "-o", path, Path.Combine(directory.FullName, "tree")], Stop);

            var medium = new MemoryContent(await File.ReadAllBytesAsync(path, Stop));
            Assert.Equal("iso-too-large", (await Assert.ThrowsAsync<UnsafeContentException>(() => IsoSample.ReadAsync(medium))).Feature);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_medium_that_is_cut_short_is_read_or_refused_and_nothing_else()
    {
        var medium = await MakeAsync();
        for (var length = 0; length < medium.Length; length += 512)
            await ReadAllAsync(medium[..length]);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static Task<byte[]> MakeAsync() => new IsoBuilder("hostile", IsoSample.Noon)
        .AddFile("folder/inner/file", IsoSample.Text("inner"))
        .AddFile("victim.txt", IsoSample.Text("victim"))
        .AddFile(new string('n', 200), IsoSample.Text("long"))
        .AddFile("boot.img", new byte[4096])
        .AddLink("second", "boot.img")
        .BootByBios("boot.img")
        .BootByUefi("second")
        .ToArrayAsync();

    private static async Task ReadAllAsync(byte[] medium)
    {
        var content = new MemoryContent(medium);
        foreach (var naming in Enum.GetValues<IsoNaming>())
        {
            try
            {
                var volume = await IsoVolume.OpenAsync(content, Stop, naming);
                await foreach (var entry in volume.ListAsync(Stop))
                {
                    Assert.True(entry.Extents.All(e => e.Start >= 0 && e.Length > 0 && e.End <= medium.Length));
                    Assert.DoesNotContain("..", entry.Path.Split('/'));
                }
            }
            catch (UnsafeContentException)
            {
                // Nothing else may come of it.
            }
        }
    }
}
