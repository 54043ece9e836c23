using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.UnitTests.Content;

public sealed class ContentRulesTests
{
    private static readonly byte[] Bytes = [1, 2, 3];

    private static readonly Image Described = new()
    {
        Id = ImageId.New(),
        Owner = ProjectId.New(),
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };

    [Fact]
    public void What_fits_is_accepted_with_all_its_facts()
    {
        var facts = ContentRules.Accept(Result(DiskFormat.Qcow2, virtualSize: 4096), Described, announced: 3, Checksum.Parse(Sum('a')));
        Assert.Equal(new ContentFacts(Digest.Of(Bytes), 3, new string('5', 32), Sum('f', 128), DiskFormat.Qcow2, 4096), facts);
    }

    [Fact]
    public void Raw_content_is_as_long_as_its_disk() =>
        Assert.Equal(3, ContentRules.Accept(Result(DiskFormat.Raw), Described, announced: null, expected: null).VirtualSize);

    [Fact]
    public void Content_without_a_byte_is_refused() => Assert.Throws<ContentEmptyException>(
        () => ContentRules.Accept(Result(DiskFormat.Raw) with { Verdict = null, Length = 0 }, Described, announced: 0, expected: null));

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Another_length_than_announced_is_refused(long announced)
    {
        var refusal = Assert.Throws<ContentLengthException>(
            () => ContentRules.Accept(Result(DiskFormat.Raw), Described, announced, expected: null));
        Assert.Equal((announced, 3), (refusal.Expected, refusal.Actual));
    }

    [Fact]
    public void Another_sum_than_expected_is_refused()
    {
        var refusal = Assert.Throws<ContentMismatchException>(
            () => ContentRules.Accept(Result(DiskFormat.Raw), Described, announced: 3, Checksum.Parse(Sum('b'))));
        Assert.Equal((Sum('b'), Sum('a')), (refusal.Expected.Hex, refusal.Actual));
    }

    [Theory]
    [InlineData(ImageKind.System, null, null, DiskFormat.Iso, true)]
    [InlineData(ImageKind.System, DiskFormat.Raw, null, DiskFormat.Raw, true)]
    [InlineData(ImageKind.System, DiskFormat.Qcow2, ContainerFormat.Bare, DiskFormat.Qcow2, true)]
    [InlineData(ImageKind.System, DiskFormat.Qcow2, ContainerFormat.Bare, DiskFormat.Raw, false)]
    [InlineData(ImageKind.System, DiskFormat.Raw, ContainerFormat.Bare, DiskFormat.Qcow2, false)]
    [InlineData(ImageKind.System, DiskFormat.Raw, null, DiskFormat.Vmdk, false)]
    [InlineData(ImageKind.System, DiskFormat.Ami, ContainerFormat.Ami, DiskFormat.Raw, true)]
    [InlineData(ImageKind.System, DiskFormat.Ari, ContainerFormat.Ari, DiskFormat.Raw, true)]
    [InlineData(ImageKind.System, DiskFormat.Aki, ContainerFormat.Aki, DiskFormat.Raw, true)]
    [InlineData(ImageKind.System, DiskFormat.Aki, ContainerFormat.Aki, DiskFormat.Qcow2, false)]
    [InlineData(ImageKind.System, DiskFormat.Ploop, ContainerFormat.Bare, DiskFormat.Ploop, true)]
    [InlineData(ImageKind.System, DiskFormat.Ploop, ContainerFormat.Bare, DiskFormat.Raw, true)]
    [InlineData(ImageKind.System, DiskFormat.Vmdk, ContainerFormat.Ova, DiskFormat.Raw, false)]
    [InlineData(ImageKind.System, DiskFormat.Qcow2, ContainerFormat.Docker, DiskFormat.Raw, true)]
    [InlineData(ImageKind.Volume, null, null, DiskFormat.Raw, true)]
    [InlineData(ImageKind.Volume, null, null, DiskFormat.Iso, false)]
    [InlineData(ImageKind.Iso, DiskFormat.Iso, null, DiskFormat.Iso, true)]
    [InlineData(ImageKind.Iso, DiskFormat.Iso, null, DiskFormat.Raw, false)]
    [InlineData(ImageKind.Iso, null, ContainerFormat.Bare, DiskFormat.Qcow2, false)]
    public void The_bytes_are_held_against_what_the_image_says_of_itself(
        ImageKind kind, DiskFormat? claimed, ContainerFormat? container, DiskFormat found, bool accepted)
    {
        var image = Described with { Kind = kind, DiskFormat = claimed, ContainerFormat = container };
        var refusal = Record.Exception(() => ContentRules.Accept(Result(found), image, announced: null, expected: null));
        Assert.Equal(accepted ? null : typeof(FormatMismatchException), refusal?.GetType());
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(ContainerFormat.Ova, true)]
    [InlineData(ContainerFormat.Bare, false)]
    public void An_archive_with_a_disk_is_what_it_is_called(ContainerFormat? claimed, bool accepted)
    {
        var ova = Result(DiskFormat.Vmdk) with { Verdict = new FormatVerdict(DiskFormat.Vmdk, 4096, Container: ContainerFormat.Ova) };
        var image = Described with { DiskFormat = null, ContainerFormat = claimed };
        if (accepted)
            Assert.Equal(ContainerFormat.Ova, ContentRules.Accept(ova, image, announced: null, expected: null).Container);
        else
            Assert.Throws<FormatMismatchException>(() => ContentRules.Accept(ova, image, announced: null, expected: null));
    }

    [Theory]
    [InlineData(null, null, true)]
    [InlineData(DiskFormat.Qcow2, ContainerFormat.Bare, true)]
    [InlineData(DiskFormat.Ami, ContainerFormat.Ami, true)]
    [InlineData(DiskFormat.Vmdk, ContainerFormat.Ova, true)]
    [InlineData(DiskFormat.Qcow2, ContainerFormat.Compressed, false)]
    [InlineData(DiskFormat.Ari, ContainerFormat.Bare, false)]
    [InlineData(null, ContainerFormat.Aki, false)]
    public void A_wrapper_is_opened_unless_it_is_what_the_image_is(DiskFormat? claimed, ContainerFormat? container, bool isOpened)
    {
        var image = Described with { DiskFormat = claimed, ContainerFormat = container };
        Assert.Equal(isOpened ? Wrapper.Xz : null, ContentRules.WrapperToOpen(Packed(Wrapper.Xz), image));
        Assert.Null(ContentRules.WrapperToOpen(Result(DiskFormat.Raw), image));
    }

    [Fact]
    public void A_wrapper_that_is_kept_is_no_disk() =>
        Assert.Null(ContentRules.Accept(Packed(Wrapper.Gzip), Described, announced: null, expected: null).VirtualSize);

    [Fact]
    public void What_was_unpacked_has_the_facts_of_both()
    {
        var source = ContentRules.AcceptSource(Packed(Wrapper.Zip), Wrapper.Zip, announced: 3, Checksum.Parse(Sum('a')));
        Assert.Equal(new SourceFile(Digest.Of(Bytes), 3, Wrapper.Zip), source);

        var facts = ContentRules.AcceptUnpacked(Result(DiskFormat.Qcow2, virtualSize: 4096), Described, source with { Size = 2 });
        Assert.Equal((source with { Size = 2 }, 3, 2), (facts.Source, facts.Size, facts.SourceSize));
    }

    [Fact]
    public void A_packed_file_is_held_against_its_announcement()
    {
        Assert.Throws<ContentLengthException>(() => ContentRules.AcceptSource(Packed(Wrapper.Xz), Wrapper.Xz, announced: 4, expected: null));
        Assert.Throws<ContentMismatchException>(() => ContentRules.AcceptSource(Packed(Wrapper.Xz), Wrapper.Xz, null, Checksum.Parse(Sum('b'))));
    }

    [Fact]
    public void What_was_converted_has_the_facts_of_both()
    {
        var arrived = ContentRules.Accept(Result(DiskFormat.Vmdk, virtualSize: 4096), Described, announced: null, expected: null);
        var facts = ContentRules.AcceptConverted(Result(DiskFormat.Raw) with { Length = 4096 }, arrived, DiskFormat.Raw);
        Assert.Equal((DiskFormat.Raw, 4096, 4096), (facts.Format, facts.Size, facts.VirtualSize));
        Assert.Equal(new SourceFile(arrived.Digest, arrived.Size, Wrapper: null, DiskFormat.Vmdk), facts.Source);

        var packed = arrived with { Source = new SourceFile(Digest.Of(Bytes), 3, Wrapper.Xz) };
        Assert.Equal(packed.Source with { Format = DiskFormat.Vmdk }, ContentRules.AcceptConverted(Result(DiskFormat.Raw), packed, DiskFormat.Raw).Source);
    }

    [Fact]
    public void What_was_converted_and_looks_like_something_else_is_refused()
    {
        var arrived = ContentRules.Accept(Result(DiskFormat.Vmdk, virtualSize: 4096), Described, announced: null, expected: null);
        foreach (var mistakable in new[] { Result(DiskFormat.Qcow2, virtualSize: 4096), Result(DiskFormat.Iso), Packed(Wrapper.Gzip) })
            Assert.Equal("disk-mistakable", Assert.Throws<UnsafeContentException>(() => ContentRules.AcceptConverted(mistakable, arrived, DiskFormat.Raw)).Feature);
    }

    [Fact]
    public void What_was_unpacked_is_judged_like_all_content()
    {
        var source = new SourceFile(Digest.Of(Bytes), 3, Wrapper.Gzip);
        Assert.Equal(
            "wrapper-nested", Assert.Throws<UnsafeContentException>(() => ContentRules.AcceptUnpacked(Packed(Wrapper.Xz), Described, source)).Feature);
        Assert.Throws<ContentEmptyException>(
            () => ContentRules.AcceptUnpacked(Result(DiskFormat.Raw) with { Verdict = null, Length = 0 }, Described, source));
        Assert.Throws<FormatMismatchException>(
            () => ContentRules.AcceptUnpacked(Result(DiskFormat.Raw), Described with { DiskFormat = DiskFormat.Qcow2 }, source));
    }

    private static IngestResult Packed(Wrapper wrapper) => Result(DiskFormat.Raw) with { Verdict = new FormatVerdict(DiskFormat.Raw, null, Wrapper: wrapper) };

    private static IngestResult Result(DiskFormat found, long? virtualSize = null) => new(
        Digest.Of(Bytes), Bytes.Length,
        new Dictionary<ChecksumAlgorithm, string>
        {
            [ChecksumAlgorithm.Md5] = new('5', 32),
            [ChecksumAlgorithm.Sha256] = Sum('a'),
            [ChecksumAlgorithm.Sha512] = Sum('f', 128),
        },
        new FormatVerdict(found, virtualSize));

    private static string Sum(char digit, int length = 64) => new(digit, length);
}
