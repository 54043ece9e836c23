using System.Globalization;
using System.Text;

namespace Vitrine.Formats.Iso9660;

/// <summary>The name of a volume, by which guests look for it.</summary>
internal static class VolumeLabel
{
    /// <returns>Null where nothing of it can be shown.</returns>
    public static string? Read(ReadOnlySpan<byte> field, bool isUcs2)
    {
        var text = isUcs2 ? Encoding.BigEndianUnicode.GetString(field) : IsoText.Decode(field);
        var shown = new string([.. text.Where(c => !char.IsControl(c) && char.GetUnicodeCategory(c) is not UnicodeCategory.Format)]).Trim();
        return shown.Length == 0 ? null : shown;
    }

    /// <summary>Joliet's has its case and its letters, but room for 16 characters only, where the primary one has 32.</summary>
    public static string? Choose(string? primary, string? joliet) =>
        joliet is not null && joliet.Length >= (primary?.Length ?? 0) ? joliet : primary;
}
