using System.Diagnostics.CodeAnalysis;

namespace Vitrine.Images;

/// <summary>Names an image for ever: an id is made here or by its creator, and never used again for another.</summary>
public readonly record struct ImageId(Guid Value)
{
    public static ImageId New() => new(Guid.CreateVersion7());

    /// <summary>Takes the 36-character form only, in either letter case.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ImageId id)
    {
        var parsed = Guid.TryParseExact(text, "D", out var value);
        id = new ImageId(value);
        return parsed;
    }

    /// <exception cref="FormatException">The text is no id.</exception>
    public static ImageId Parse(string text) => new(Guid.ParseExact(text, "D"));

    public override string ToString() => Value.ToString("D");
}
