using Vitrine.Content;

namespace Vitrine.Formats.Iso9660;

/// <summary>Why a volume is refused, besides ending before its own structures do.</summary>
internal static class IsoRefusal
{
    public static UnsafeContentException BadGeometry(string what) => new("iso-bad-geometry", $"the ISO image cannot be right: {what}.");

    public static UnsafeContentException BadName() => new("iso-bad-name", "the ISO image has a name in it that would lead elsewhere.");

    public static UnsafeContentException Loop() => new("iso-directory-loop", "the ISO image has a directory in two places.");

    public static UnsafeContentException TooMuch(string what) => new("iso-too-large", $"the ISO image has {what} than any that is known.");
}
