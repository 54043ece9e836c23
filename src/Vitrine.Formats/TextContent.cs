using System.Text;
using Vitrine.Content;

namespace Vitrine.Formats;

/// <summary>Tells what servers send in place of a file, such as login and error pages, from disks.</summary>
internal static class TextContent
{
    private static readonly (string Beginning, string Found)[] Documents =
    [
        ("<!doctype html", "a web page"),
        ("<html",          "a web page"),
        ("<head",          "a web page"),
        ("<body",          "a web page"),
        ("<?xml",          "an XML document"),
        ("<error",         "an XML document"),
    ];

    /// <param name="start">The content's first bytes.</param>
    /// <exception cref="NotAnImageException">They begin such a document.</exception>
    public static void Refuse(ReadOnlySpan<byte> start)
    {
        var text = SkipSpace(SkipByteOrderMark(start));
        foreach (var (beginning, found) in Documents)
        {
            if (BeginsWith(text, beginning))
                throw new NotAnImageException(found);
        }

        if (IsJsonObject(text))
            throw new NotAnImageException("a JSON document");
    }

    private static bool BeginsWith(ReadOnlySpan<byte> text, string beginning) =>
        text.Length >= beginning.Length && Ascii.EqualsIgnoreCase(text[..beginning.Length], beginning);

    private static bool IsJsonObject(ReadOnlySpan<byte> text) => text is [(byte)'{', .. var members] && SkipSpace(members) is [(byte)'"', ..];

    private static ReadOnlySpan<byte> SkipByteOrderMark(ReadOnlySpan<byte> text) => text is [0xef, 0xbb, 0xbf, .. var rest] ? rest : text;

    private static ReadOnlySpan<byte> SkipSpace(ReadOnlySpan<byte> text) => text.TrimStart(" \t\r\n"u8);
}
