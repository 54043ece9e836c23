using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Inspection;

public sealed class FormatInspectorTests
{
    public static TheoryData<ValidImage> Valid => [.. SampleImages.Valid];

    public static TheoryData<HostileImage> Hostile => [.. SampleImages.Hostile];

    [Theory, MemberData(nameof(Valid))]
    public void A_valid_image_is_recognised(ValidImage image)
    {
        var verdict = Judgement.Of(image.Bytes).Verdict;
        Assert.Equal((image.Format, image.VirtualSize), (verdict?.Format, verdict?.VirtualSize));
    }

    [Theory, MemberData(nameof(Hostile))]
    public void A_hostile_image_is_refused_by_the_name_of_what_is_wrong(HostileImage image)
    {
        var refusal = Assert.IsType<UnsafeContentException>(Judgement.Of(image.Bytes).Refusal);
        Assert.Equal(image.Feature, refusal.Feature);
    }

    [Fact]
    public void A_refusal_does_not_repeat_names_from_inside_the_image()
    {
        Assert.DoesNotContain(SampleImages.Hostile, i => Judgement.Of(i.Bytes).Refusal!.Message.Contains("passwd", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("<!DOCTYPE html><html>", "a web page")]
    [InlineData("\ufeff\r\n  <HTML lang=en>", "a web page")]
    [InlineData("<?xml version=\"1.0\"?><Error/>", "an XML document")]
    [InlineData("<Error><Code>AccessDenied</Code></Error>", "an XML document")]
    [InlineData("{ \"error\": \"not found\" }", "a JSON document")]
    public void What_servers_send_in_place_of_a_file_is_no_image(string text, string found)
    {
        var refusal = Judgement.Of(System.Text.Encoding.UTF8.GetBytes(text)).Refusal;
        Assert.Equal(found, Assert.IsType<NotAnImageException>(refusal).Found);
    }

    [Theory]
    [InlineData("{ not JSON")]
    [InlineData("#!/bin/sh\necho hello\n")]
    [InlineData("<htm")]
    [InlineData("conecti")]
    public void Other_text_is_raw(string text)
    {
        Assert.Equal(DiskFormat.Raw, Judgement.Of(System.Text.Encoding.UTF8.GetBytes(text)).Verdict!.Format);
    }

    [Fact]
    public void No_bytes_at_all_are_raw() => Assert.Equal(new FormatVerdict(DiskFormat.Raw, null), Judgement.Of([]).Verdict);

    [Fact]
    public void A_web_page_is_refused_before_the_rest_of_it_has_come()
    {
        var page = SampleImages.Patch(new byte[4096], 0, SampleImages.WebPage());
        var inspection = new FormatInspector().Begin();
        Assert.Throws<NotAnImageException>(() => inspection.Observe(page));
    }

    [Fact]
    public void A_backing_file_is_refused_before_the_rest_of_the_image_has_come()
    {
        var inspection = new FormatInspector().Begin();
        Assert.Throws<UnsafeContentException>(() => inspection.Observe(SampleImages.Qcow2WithBackingFile("x").AsSpan(0, 4096)));
    }

    [Fact]
    public void Extensions_may_fill_the_first_cluster_to_its_end()
    {
        var image = SampleImages.Qcow2(clusterBits: 9, virtualSize: 512 * 64);
        // 112 bytes of header, then one extension whose data end where the cluster does.
        SampleImages.Patch(image, 112, [0xe2, 0x79, 0x2a, 0xca, 0, 0, 0x01, 0x88]);
        Assert.Equal(DiskFormat.Qcow2, Judgement.Of(image).Verdict!.Format);
    }

    [Fact]
    public void A_long_content_is_judged_in_little_memory()
    {
        var block = new byte[1024 * 1024];
        var inspection = new FormatInspector().Begin();
        inspection.Observe(SampleImages.Vmdk());

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 256; i++)
            inspection.Observe(block);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
        Assert.Equal(DiskFormat.Vmdk, inspection.Complete().Format);
    }
}
