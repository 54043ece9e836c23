using Vitrine.Content;
using Vitrine.Testing;

namespace Vitrine.FormatTests.Inspection;

/// <summary>Promises that hold for every content, tried on very many.</summary>
/// <remarks>The random numbers are the same in each run, so that a failure can be repeated.</remarks>
public sealed class FormatInspectorPropertyTests
{
    public static TheoryData<ValidImage> Valid => [.. SampleImages.Valid];

    [Fact]
    public void The_judgement_does_not_depend_on_how_the_bytes_are_cut()
    {
        var random = new Random(1);
        foreach (var content in SampleImages.Valid.Select(i => i.Bytes).Concat(SampleImages.Hostile.Select(i => i.Bytes)))
        {
            var whole = Judgement.Of(content).Words;
            Assert.Equal(whole, Judgement.Of(content, at => at < 40_000 ? random.Next(1, 700) : random.Next(1, 100_000)).Words);
            Assert.Equal(whole, Judgement.Of(content, at => at < 10_000 || at > content.Length - 2_000 ? 1 : 65_536).Words);
        }
    }

    [Theory, MemberData(nameof(Valid))]
    public void A_mutated_image_is_judged_or_refused_and_nothing_else(ValidImage image)
    {
        var random = new Random(image.Name.Length);
        var marks = Marks(image.Bytes);
        var content = image.Bytes.ToArray();
        var rounds = content.Length > 1024 * 1024 ? 1_500 : 30_000;
        for (var i = 0; i < rounds; i++)
        {
            Mutate(content, marks, random);

            // Anything but a failure of the domain passes through here and fails the test.
            var judgement = Judgement.Of(content);
            Assert.True(judgement.Refusal is null or UnsafeContentException or NotAnImageException);
            Assert.True(judgement.Verdict is null || judgement.Verdict.VirtualSize is null or (> 0 and <= 1L << 60) or 0);
            foreach (var mark in marks)
                content[mark] = image.Bytes[mark];
        }
    }

    [Theory, MemberData(nameof(Valid))]
    public void An_image_that_is_cut_short_is_judged_or_refused_and_nothing_else(ValidImage image)
    {
        var random = new Random(2);
        for (var i = 0; i < 500; i++)
        {
            var length = i < 250 ? Math.Min(i * 4, image.Bytes.Length) : random.Next(image.Bytes.Length);
            var judgement = Judgement.Of(image.Bytes[..length]);
            Assert.True(judgement.Refusal is null or UnsafeContentException or NotAnImageException);
        }
    }

    // Where an image says something, and a little around it: a flipped bit in the middle of zeros tells nothing.
    private static int[] Marks(byte[] content) =>
    [
        .. Enumerable.Range(0, content.Length).Where(i => content[i] != 0)
            .SelectMany(i => Enumerable.Range(i - 4, 9)).Where(i => i >= 0 && i < content.Length)
            .Concat(Enumerable.Range(0, Math.Min(512, content.Length)))
            .Distinct(),
    ];

    private static void Mutate(byte[] content, int[] marks, Random random)
    {
        for (var count = random.Next(1, 5); count > 0; count--)
        {
            ref var target = ref content[marks[random.Next(marks.Length)]];
            target = random.Next(4) switch
            {
                0 => (byte)(target ^ 1 << random.Next(8)),
                1 => 0,
                2 => 0xff,
                _ => (byte)random.Next(256),
            };
        }
    }
}
