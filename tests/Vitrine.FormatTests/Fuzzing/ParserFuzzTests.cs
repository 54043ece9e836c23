using System.Diagnostics;
using System.Globalization;

namespace Vitrine.FormatTests.Fuzzing;

/// <summary>Changes sound images again and again, and looks that nothing but an answer or a refusal comes of it.</summary>
/// <remarks>
/// Executions are numbered and always the same. VITRINE_FUZZ is how many are done for each parser, VITRINE_FUZZ_FROM the number of
/// the first: what failed is repeated by its number and a count of 1.
/// </remarks>
public sealed class ParserFuzzTests(ITestOutputHelper output)
{
    private const ulong Usual = 10_000;

    public static TheoryData<string> Parsers => [.. FuzzedParser.All.Keys];

    [Theory, MemberData(nameof(Parsers))]
    public async Task A_mutant_is_answered_or_refused_and_nothing_else(string name)
    {
        var parser = FuzzedParser.All[name]();
        var (first, count) = (Setting("VITRINE_FUZZ_FROM", 0), Setting("VITRINE_FUZZ", Usual));
        var (slowest, slowestNumber) = (TimeSpan.Zero, 0UL);
        var begun = Stopwatch.GetTimestamp();
        for (var number = first; number < first + count; number++)
        {
            var start = Stopwatch.GetTimestamp();
            var dice = new Dice(number);
            var mutant = parser.Seeds[dice.Next(parser.Seeds.Length)].Mutate(ref dice);
            try
            {
                await parser.TryAsync(mutant, number);
            }
            catch (Exception failure)
            {
                Assert.Fail($"{name}, execution {number}: {failure}");
            }

            var taken = Stopwatch.GetElapsedTime(start);
            if (taken > slowest)
                (slowest, slowestNumber) = (taken, number);
        }

        var rate = count / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {count} executions from {first}, {rate:F0} a second, the longest {slowest.TotalMilliseconds:F1} ms ({slowestNumber})"));
    }

    private static ulong Setting(string variable, ulong usual) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var value) ? value : usual;
}
