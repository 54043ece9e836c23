using Vitrine.Content;
using Vitrine.Formats;

namespace Vitrine.FormatTests.Inspection;

/// <summary>What became of an inspection: a verdict or a refusal.</summary>
internal sealed record Judgement(FormatVerdict? Verdict, LibraryException? Refusal)
{
    public static Judgement Of(byte[] content) => Of(content, _ => int.MaxValue);

    /// <param name="step">How many bytes the next call gets at most, after so many have been given.</param>
    public static Judgement Of(byte[] content, Func<int, int> step)
    {
        var inspection = new FormatInspector().Begin();
        try
        {
            for (var at = 0; at < content.Length;)
            {
                var count = Math.Min(step(at), content.Length - at);
                inspection.Observe(content.AsSpan(at, count));
                at += count;
            }

            return new Judgement(inspection.Complete(), null);
        }
        catch (LibraryException refusal)
        {
            return new Judgement(null, refusal);
        }
    }

    /// <summary>The same for two inspections that came to the same end.</summary>
    public string Words => Verdict?.ToString() ?? $"{Refusal!.Code}: {Refusal.Message}";
}
