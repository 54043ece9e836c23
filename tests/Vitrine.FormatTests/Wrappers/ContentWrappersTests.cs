using Vitrine.Content;
using Vitrine.FormatTests.Inspection;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Wrappers;

/// <summary>Files as the field's own tools pack them, and what becomes of them on a bad way.</summary>
public sealed class ContentWrappersTests : IDisposable
{
    private const string ByPython = "python3 -c \"import zipfile,sys; ";

    private readonly Packing _packing = new();

    public void Dispose() => _packing.Dispose();

    [TheoryWithTool("zstd")]
    [InlineData(Wrapper.Gzip, "gzip -c disk")]
    [InlineData(Wrapper.Gzip, "gzip -1c < disk")]
    [InlineData(Wrapper.Gzip, "python3 -c \"import gzip,sys; sys.stdout.buffer.write(gzip.compress(open('disk','rb').read()))\"")]
    [InlineData(Wrapper.Bzip2, "bzip2 -1c disk")]
    [InlineData(Wrapper.Bzip2, "bzip2 -9c disk")]
    [InlineData(Wrapper.Xz, "xz -0c disk")]
    [InlineData(Wrapper.Xz, "xz -9c disk")]
    [InlineData(Wrapper.Xz, "xz -c --check=none disk")]
    [InlineData(Wrapper.Xz, "xz -c --check=crc32 disk")]
    [InlineData(Wrapper.Xz, "xz -c --check=sha256 disk")]
    [InlineData(Wrapper.Xz, "xz -c -T2 --block-size=65536 disk")]
    [InlineData(Wrapper.Xz, "xz -c --x86 --lzma2 disk")]
    [InlineData(Wrapper.Zstd, "zstd -qc disk")]
    [InlineData(Wrapper.Zstd, "zstd -q -19 -c < disk")]
    [InlineData(Wrapper.Zstd, "zstd -q --long=27 -c < disk")]
    [InlineData(Wrapper.Zstd, "zstd -q --no-check -c disk")]
    [InlineData(Wrapper.Zip, "zip -q x.zip disk && cat x.zip")]
    [InlineData(Wrapper.Zip, "zip -q -0 x.zip disk && cat x.zip")]
    [InlineData(Wrapper.Zip, "zip -q - disk | cat")]
    [InlineData(Wrapper.Zip, "cat disk | zip -q - - | cat")]
    [InlineData(Wrapper.Zip, "zip -q -fz x.zip disk && cat x.zip")]
    [InlineData(Wrapper.Zip, "zip -q x.zip disk && echo a comment | zip -qz x.zip && cat x.zip")]
    [InlineData(Wrapper.Zip, ByPython + "z=zipfile.ZipFile(sys.stdout.buffer,'w',8); z.write('disk','a/deep/näme.img'); z.close()\" | cat")]
    public async Task What_a_tool_packs_is_recognised_and_unpacked(Wrapper wrapper, string script)
    {
        foreach (var length in new[] { 1, 4096, 400_000 })
        {
            var disk = Packing.Disk(length);
            var packed = await _packing.PackAsync(disk, script);
            Assert.Equal(wrapper, Judgement.Of(packed).Verdict?.Wrapper);
            Assert.Equal(disk, await Packing.UnpackAsync(packed, wrapper));
            Assert.Equal(disk, await Packing.UnpackAsync(packed, wrapper, mostRead: length < 10_000 ? 1 : 7777));
        }
    }

    [TheoryWithTool("zstd")]
    [InlineData(Wrapper.Gzip, "gzip -c disk; gzip -c < /dev/null; gzip -c disk")]
    [InlineData(Wrapper.Bzip2, "bzip2 -c disk; bzip2 -c < /dev/null; bzip2 -c disk")]
    [InlineData(Wrapper.Xz, "xz -c disk; printf '\\0\\0\\0\\0'; xz -c < /dev/null; xz -c disk; printf '\\0\\0\\0\\0\\0\\0\\0\\0'")]
    [InlineData(Wrapper.Zstd, "zstd -qc disk; printf '\\120\\52\\115\\30\\5\\0\\0\\0abcde'; zstd -qc < /dev/null; zstd -qc disk; printf '\\137\\52\\115\\30\\0\\0\\0\\0'")]
    [InlineData(Wrapper.Zstd, "printf '\\120\\52\\115\\30\\4\\0\\0\\0abcd'; zstd -qc disk disk")]
    public async Task Files_one_behind_the_other_are_one_as_the_tools_have_it(Wrapper wrapper, string script)
    {
        foreach (var length in new[] { 5, 700_000 })
        {
            var disk = Packing.Disk(length);
            var packed = await _packing.PackAsync(disk, script);
            Assert.Equal(wrapper, Judgement.Of(packed).Verdict?.Wrapper);
            byte[] twice = [.. disk, .. disk];
            Assert.Equal(twice, await Packing.UnpackAsync(packed, wrapper, mostRead: length < 10 ? 1 : int.MaxValue));
        }
    }

    [TheoryWithTool("zstd")]
    [MemberData(nameof(Plain))]
    public async Task What_was_cut_off_is_refused_wherever_it_was_cut(Wrapper wrapper, string script)
    {
        var packed = await _packing.PackAsync(Packing.Disk(9000), script);
        for (var length = 0; length < packed.Length; length += length < 100 || length > packed.Length - 150 ? 1 : 97)
        {
            var refusal = await Packing.RefusalAsync(packed[..length], wrapper);
            Assert.True(refusal is "truncated" || (refusal is "wrapper-damaged" && length < 10), $"{length} of {packed.Length}: {refusal}");
        }
    }

    [TheoryWithTool("zstd")]
    [MemberData(nameof(Plain))]
    public async Task What_follows_the_end_is_refused(Wrapper wrapper, string script)
    {
        var packed = await _packing.PackAsync(Packing.Disk(9000), script);
        foreach (var garbage in new byte[][] { [0], [1], [0x1f], new byte[21], new byte[200_001], [.. "PK\x05\x06"u8], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] })
            Assert.NotNull(await Packing.RefusalAsync([.. packed, .. garbage], wrapper));
    }

    [TheoryWithTool("zstd")]
    [MemberData(nameof(Plain))]
    public async Task A_bit_that_flips_is_noticed_or_changes_nothing(Wrapper wrapper, string script)
    {
        var disk = Packing.Disk(60, seed: 3);
        var packed = await _packing.PackAsync(disk, script);
        for (var bit = 0; bit < 8 * packed.Length; bit++)
        {
            packed[bit / 8] ^= (byte)(1 << bit % 8);
            await AssertRefusedOrAsync(disk, packed, wrapper, $"bit {bit}");
            packed[bit / 8] ^= (byte)(1 << bit % 8);
        }
    }

    [TheoryWithTool("zstd")]
    [MemberData(nameof(Plain))]
    public async Task What_is_spoilt_in_any_way_is_refused_or_the_same(Wrapper wrapper, string script)
    {
        var disk = Packing.Disk(20_000, seed: 4);
        var packed = await _packing.PackAsync(disk, script);
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var spoilt = packed.ToArray().ToList();
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                var at = random.Next(random.Next(2) is 0 ? 60 : spoilt.Count);
                var count = Math.Min(random.Next(1, 12), spoilt.Count - at);
                if (random.Next(4) is 0)
                    spoilt.RemoveRange(at, count);
                else if (random.Next(3) is 0)
                    spoilt.InsertRange(at, spoilt.GetRange(random.Next(spoilt.Count - count), count));
                else
                    spoilt[at] = random.Next(3) is 0 ? (byte)random.Next() : random.Next(2) is 0 ? (byte)0xff : (byte)0;
            }

            await AssertRefusedOrAsync(disk, [.. spoilt], wrapper, $"seed {seed}");
        }
    }

    [TheoryWithTool("zstd")]
    [InlineData(Wrapper.Xz, "wrapper-memory", "xz -c --lzma2=dict=256MiB disk")]
    [InlineData(Wrapper.Zstd, "wrapper-memory", "cat disk | zstd -q --long=28 -c")]
    [InlineData(Wrapper.Zstd, "wrapper-memory", "cat disk | zstd -qc; cat disk | zstd -q --ultra --long=30 -c")]
    [InlineData(Wrapper.Zip, "zip-many-members", "cp disk other && zip -q x.zip disk other && cat x.zip")]
    [InlineData(Wrapper.Zip, "zip-many-members", "mkdir -p d && cp disk d && zip -qr x.zip d && cat x.zip")]
    [InlineData(Wrapper.Zip, "zip-many-members", ByPython + "zipfile.ZipFile(sys.stdout.buffer,'w').close()\"")]
    [InlineData(Wrapper.Zip, "zip-encrypted", "zip -q -P secret x.zip disk && cat x.zip")]
    [InlineData(Wrapper.Zip, "wrapper-unsupported", "zip -q -Z bzip2 x.zip disk && cat x.zip")]
    [InlineData(Wrapper.Zip, "wrapper-unsupported", ByPython + "z=zipfile.ZipFile('x.zip','w',14); z.write('disk'); z.close()\" && cat x.zip")]
    [InlineData(Wrapper.Zip, "wrapper-damaged", "zip -q x.zip disk && printf 'PK\\3\\4' && cat x.zip")]
    public async Task What_cannot_be_unpacked_is_refused_by_its_name(Wrapper wrapper, string feature, string script)
    {
        var packed = await _packing.PackAsync(Packing.Disk(100_000), script);
        Assert.Equal(wrapper, Judgement.Of(packed).Verdict?.Wrapper);
        Assert.Equal(feature, await Packing.RefusalAsync(packed, wrapper));
    }

    [FactWithTool("zstd")]
    public async Task A_dictionary_is_not_here()
    {
        const string Script = "for i in $(seq 300); do echo \"line $i of some text $(($i * 7919))\" > s$i; done; zstd -q --train s* -o dict --maxdict=4096 2>/dev/null; zstd -q -D dict -c disk";
        Assert.Equal("wrapper-unsupported", await Packing.RefusalAsync(await _packing.PackAsync(Packing.Disk(10_000), Script), Wrapper.Zstd));
    }

    [FactWithTool("xz")]
    public async Task A_disk_of_nothing_is_unpacked_however_small_its_file_is()
    {
        var packed = await _packing.PackAsync([], "head -c 50000000 /dev/zero | xz -0 -T1 -c");
        Assert.InRange(packed.Length, 1, 50_000);
        Assert.Equal(50_000_000, (await Packing.UnpackAsync(packed, Wrapper.Xz)).Length);
    }

    [Fact]
    public void A_file_that_is_a_wrapper_and_a_disk_is_refused()
    {
        var iso = SampleImages.Iso();
        foreach (var magic in new byte[][] { [0x1f, 0x8b, 8], [0xfd, .. "7zXZ"u8, 0], [0x28, 0xb5, 0x2f, 0xfd], [.. "BZh91AY&SY"u8], [.. "PK\x03\x04"u8] })
        {
            Assert.Equal("polyglot", FeatureOf(Overlaid(iso, magic)));
            Assert.Equal("polyglot", FeatureOf(Overlaid(SampleImages.Vdi(), magic)));
            Assert.Equal("polyglot", FeatureOf(Overlaid(SampleImages.VhdFixed(), magic)));
        }
    }

    public static TheoryData<Wrapper, string> Plain => new()
    {
        { Wrapper.Gzip, "gzip -c disk" },
        { Wrapper.Bzip2, "bzip2 -c disk" },
        { Wrapper.Xz, "xz -c disk" },
        { Wrapper.Zstd, "zstd -q --check -c disk" },
        { Wrapper.Zip, "zip -q x.zip disk && cat x.zip" },
        { Wrapper.Zip, "cat disk | zip -q - - | cat" },
    };

    private static async Task AssertRefusedOrAsync(byte[] disk, byte[] packed, Wrapper wrapper, string what)
    {
        try
        {
            Assert.Equal(disk, await Packing.UnpackAsync(packed, wrapper));
        }
        catch (UnsafeContentException)
        {
            // As it should be.
        }
        catch (Exception failure) when (failure is not Xunit.Sdk.XunitException)
        {
            Assert.Fail($"{wrapper}, {what}: {failure}");
        }
    }

    private static string? FeatureOf(byte[] bytes) => Assert.IsType<UnsafeContentException>(Judgement.Of(bytes).Refusal).Feature;

    private static byte[] Overlaid(byte[] content, byte[] start)
    {
        start.CopyTo(content, 0);
        return content;
    }
}
