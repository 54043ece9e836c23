using Vitrine.Formats;
using Vitrine.Images;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Inspection;

/// <summary>Content that can be read anywhere is judged as passing content is.</summary>
public sealed class InspectionAtRestTests
{
    [Fact]
    public async Task Both_ways_come_to_the_same_judgement()
    {
        foreach (var content in Samples)
            Assert.Equal(Judgement.Of(content).Words, (await JudgeAsync(content)).Words);
    }

    [Fact]
    public async Task What_is_kept_as_it_came_is_not_unsafe()
    {
        var parallels = SampleImages.Valid.Single(i => i.Format is DiskFormat.Ploop);
        var report = await DiskReport.MakeAsync(new MemoryContent(parallels.Bytes), TestContext.Current.CancellationToken);
        Assert.Equal((DiskSafety.Unknown, (string?)null, parallels.VirtualSize), (report.Safety, report.Feature, report.DiskSize));
    }

    [Fact]
    public async Task Both_ways_come_to_the_same_judgement_of_what_was_cut_or_altered()
    {
        var random = new Random(4);
        foreach (var sample in Samples)
        {
            for (var i = 0; i < 40; i++)
            {
                var content = i % 2 == 0 ? sample[..random.Next(Math.Min(sample.Length, 400_000) + 1)] : sample.ToArray();
                for (var count = random.Next(4); count > 0 && content.Length > 0; count--)
                    content[random.Next(Math.Min(content.Length, count < 2 ? 40_000 : 512))] ^= (byte)(1 << random.Next(8));

                Assert.Equal(Judgement.Of(content).Words, (await JudgeAsync(content)).Words);
            }
        }
    }

    [Fact]
    public async Task A_header_may_lie_in_the_tail()
    {
        foreach (var length in (int[])[4096, 4097, 5000, 32_768, 32_769, 34_000, 36_865, 38_912, 38_913, 40_000])
        {
            var content = SampleImages.Iso()[..length];
            Assert.Equal(Judgement.Of(content).Words, (await JudgeAsync(content)).Words);
        }
    }

    [Fact]
    public async Task Little_is_read_of_a_long_content()
    {
        foreach (var sample in Samples)
        {
            var content = new MemoryContent((byte[])[.. sample, .. new byte[1024 * 1024]]);
            try
            {
                await FormatInspector.InspectAsync(content, TestContext.Current.CancellationToken);
            }
            catch (LibraryException)
            {
                // A refusal need not read more than a verdict does.
            }

            Assert.InRange(content.BytesRead, 0, 512 * 1024);
        }
    }

    private static IEnumerable<byte[]> Samples =>
        [[], .. SampleImages.Valid.Select(i => i.Bytes), .. SampleImages.Hostile.Select(i => i.Bytes), SampleImages.WebPage()];

    private static async Task<Judgement> JudgeAsync(byte[] content)
    {
        try
        {
            return new Judgement(await FormatInspector.InspectAsync(new MemoryContent(content), TestContext.Current.CancellationToken), null);
        }
        catch (LibraryException refusal)
        {
            return new Judgement(null, refusal);
        }
    }
}
