using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.UnitTests.Content;

public sealed class ContentRulesTests
{
    private static readonly byte[] Bytes = [1, 2, 3];

    private static readonly Image Described = new()
    {
        Id = ImageId.New(), Owner = ProjectId.New(), CreatedAt = DateTimeOffset.UnixEpoch, UpdatedAt = DateTimeOffset.UnixEpoch,
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
    [InlineData(ImageKind.System, null,              null,                      DiskFormat.Iso,   true)]
    [InlineData(ImageKind.System, DiskFormat.Raw,    null,                      DiskFormat.Raw,   true)]
    [InlineData(ImageKind.System, DiskFormat.Qcow2,  ContainerFormat.Bare,      DiskFormat.Qcow2, true)]
    [InlineData(ImageKind.System, DiskFormat.Qcow2,  ContainerFormat.Bare,      DiskFormat.Raw,   false)]
    [InlineData(ImageKind.System, DiskFormat.Raw,    ContainerFormat.Bare,      DiskFormat.Qcow2, false)]
    [InlineData(ImageKind.System, DiskFormat.Raw,    null,                      DiskFormat.Vmdk,  false)]
    [InlineData(ImageKind.System, DiskFormat.Ami,    ContainerFormat.Ami,       DiskFormat.Raw,   true)]
    [InlineData(ImageKind.System, DiskFormat.Ari,    ContainerFormat.Ari,       DiskFormat.Raw,   true)]
    [InlineData(ImageKind.System, DiskFormat.Aki,    ContainerFormat.Aki,       DiskFormat.Raw,   true)]
    [InlineData(ImageKind.System, DiskFormat.Aki,    ContainerFormat.Aki,       DiskFormat.Qcow2, false)]
    [InlineData(ImageKind.System, DiskFormat.Ploop,  ContainerFormat.Bare,      DiskFormat.Ploop, true)]
    [InlineData(ImageKind.System, DiskFormat.Ploop,  ContainerFormat.Bare,      DiskFormat.Raw,   true)]
    [InlineData(ImageKind.System, DiskFormat.Vmdk,   ContainerFormat.Ova,       DiskFormat.Raw,   true)]
    [InlineData(ImageKind.System, DiskFormat.Qcow2,  ContainerFormat.Docker,    DiskFormat.Raw,   true)]
    [InlineData(ImageKind.Volume, null,              null,                      DiskFormat.Raw,   true)]
    [InlineData(ImageKind.Volume, null,              null,                      DiskFormat.Iso,   false)]
    [InlineData(ImageKind.Iso,    DiskFormat.Iso,    null,                      DiskFormat.Iso,   true)]
    [InlineData(ImageKind.Iso,    DiskFormat.Iso,    null,                      DiskFormat.Raw,   false)]
    [InlineData(ImageKind.Iso,    null,              ContainerFormat.Bare,      DiskFormat.Qcow2, false)]
    public void The_bytes_are_held_against_what_the_image_says_of_itself(
        ImageKind kind, DiskFormat? claimed, ContainerFormat? container, DiskFormat found, bool accepted)
    {
        var image = Described with { Kind = kind, DiskFormat = claimed, ContainerFormat = container };
        var refusal = Record.Exception(() => ContentRules.Accept(Result(found), image, announced: null, expected: null));
        Assert.Equal(accepted ? null : typeof(FormatMismatchException), refusal?.GetType());
    }

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
