using System.Text;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.UnitTests.Images;

/// <summary>Descriptions of images, as stores keep them.</summary>
public sealed class ImageDescriptionTests
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 17, 12, 0, 0, TimeSpan.Zero);

    private static readonly ImageDescription Sample = ImageDescription.Of(
        new Image
        {
            Id = ImageId.New(),
            Owner = ProjectId.New(),
            Name = "Debian 12",
            Status = ImageStatus.Active,
            AllZones = true,
            Content = new ContentFacts(Digest.Of([1]), 1, new string('a', 32), new string('b', 128), DiskFormat.Raw, VirtualSize: 1),
            CreatedAt = Noon,
            UpdatedAt = Noon,
        },
        []);

    [Fact]
    public void A_description_is_read_back_and_so_is_one_without_a_sum()
    {
        var written = Sample.Write();
        var text = Encoding.UTF8.GetString(written);
        var without = text[..text.IndexOf(",\"sum\"", StringComparison.Ordinal)] + "}";
        Assert.Equal(written, ImageDescription.TryRead(written)!.Write());
        Assert.Equal(written, ImageDescription.TryRead(Encoding.UTF8.GetBytes(without))!.Write());
    }

    [Fact]
    public void A_flipped_bit_is_never_taken_for_what_was_said_of_the_image()
    {
        var written = Sample.Write();
        var found = 0;
        for (var bit = 0; bit < 8 * written.Length; bit++)
        {
            byte[] flipped = [.. written];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            if (ImageDescription.TryRead(flipped) is { } read)
                Assert.Equal(written, read.Write());
            else
                found++;
        }

        Assert.InRange(found, 8 * written.Length * 9 / 10, 8 * written.Length);
    }
}
