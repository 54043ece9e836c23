using Vitrine.Images;

namespace Vitrine.FormatTests;

/// <summary>Changes a sound image again and again, and looks that nothing but a refusal comes of it.</summary>
/// <remarks>
/// VITRINE_FUZZ is how many times as many mutants are tried as usual. The random numbers are the same in each run, so that a
/// failure can be repeated.
/// </remarks>
internal static class MutationRun
{
    private const int Usual = 1_000;

    private static readonly int Times = int.TryParse(Environment.GetEnvironmentVariable("VITRINE_FUZZ"), out var times) ? times : 1;

    /// <param name="ranges">Where the image has its tables and headers; mutants differ there.</param>
    /// <param name="repair">Makes checksums right again in every other mutant, as they would keep the rest from being read.</param>
    /// <returns>How many mutants were accepted.</returns>
    public static async Task<int> OfAsync(
        byte[] image, DiskFormat format, (int Start, int Length)[] ranges, Action<byte[]>? repair, CancellationToken cancellationToken,
        ContainerFormat container = ContainerFormat.Bare)
    {
        var random = new Random(image.Length);
        var accepted = 0;
        var mutant = image.ToArray();
        for (var round = 0; round < Usual * Times; round++)
        {
            for (var count = random.Next(1, 6); count > 0; count--)
                Mutate(mutant, ranges[random.Next(ranges.Length)], random);
            if (round % 2 == 0)
                repair?.Invoke(mutant);

            var content = round % 10 == 9 ? mutant.AsMemory(0, random.Next(mutant.Length)) : mutant;
            accepted += await Handling.HandleUncheckedAsync(content, format, cancellationToken, container) ? 1 : 0;
            foreach (var (start, length) in ranges)
                image.AsSpan(start, length).CopyTo(mutant.AsSpan(start));
        }

        return accepted;
    }

    private static void Mutate(byte[] mutant, (int Start, int Length) range, Random random)
    {
        var target = mutant.AsSpan(range.Start, range.Length);
        var at = random.Next(range.Length);
        switch (random.Next(6))
        {
            case 0:
                target[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                target[at] = (byte)random.Next(256);
                break;
            case 2:
                target.Slice(at, Math.Min(8, range.Length - at)).Fill(random.Next(2) == 0 ? (byte)0 : (byte)0xff);
                break;
            case 3:
                // An entry of a table that is another's.
                var (from, to) = (random.Next(range.Length / 4) * 4, at / 4 * 4);
                target.Slice(from, Math.Min(4, range.Length - from)).CopyTo(target[Math.Min(to, range.Length - 4)..]);
                break;
            case 4:
                target[at]++;
                break;
            default:
                target[at / 4 * 4] = (byte)random.Next(4);
                break;
        }
    }
}
