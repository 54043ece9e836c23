using Vitrine.Content;

namespace Vitrine.Formats.Ova;

/// <summary>A file in an OVA.</summary>
/// <param name="Start">Of its bytes in the archive.</param>
internal readonly record struct OvaMember(string Name, long Start, long Length)
{
    private const int MostNameLength = 255;

    /// <summary>Whether it names a file beside the description: no path, no address, nothing that a shell or a log could mistake.</summary>
    public static bool IsPlainName(string name) =>
        name.Length is > 0 and <= MostNameLength
        && name is not ("." or "..")
        && name.AsSpan().IndexOfAny(['/', '\\', ':']) < 0
        && !name.Any(char.IsControl);

    /// <summary>A name as archives have it that were made of <c>./machine.ovf</c> or of a whole directory.</summary>
    public static string WithoutPrefix(string name) => name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;

    public static UnsafeContentException BadName() =>
        new("ova-bad-name", "the OVA names a file that is not beside its description.");
}
