using Vitrine.Images;

namespace Vitrine.Server.Rest;

/// <summary>Formats of disks by the names that media types have for them, as the desktop's shared database of types does.</summary>
internal static class DiskMediaTypes
{
    private static readonly (DiskFormat Format, string Type)[] Types =
    [
        (DiskFormat.Raw, "application/x-raw-disk-image"),
        (DiskFormat.Qcow2, "application/x-qemu-disk"),
        (DiskFormat.Vmdk, "application/x-vmdk-disk"),
        (DiskFormat.Vhd, "application/x-vhd-disk"),
        (DiskFormat.Vhdx, "application/x-vhdx-disk"),
        (DiskFormat.Iso, "application/x-iso9660-image"),
    ];

    private static readonly DiskFormat[] Written = [DiskFormat.Raw, DiskFormat.Qcow2, DiskFormat.Vmdk, DiskFormat.Vhd, DiskFormat.Vhdx];

    public static string Of(DiskFormat format) => Types.FirstOrDefault(t => t.Format == format).Type ?? "application/octet-stream";

    /// <summary>The format that a request asks for by its query, or by the first media type in Accept that is one; null for the content's own.</summary>
    /// <exception cref="InvalidFieldException">The query names none.</exception>
    public static DiskFormat? Asked(string? query, HttpRequest request)
    {
        if (query is not null)
            return EnumWords.TryParse<DiskFormat>(query, out var named) ? named
                : throw new InvalidFieldException("format", $"must be one of {string.Join(", ", Written.Select(f => f.Word()))}, or the image's own");

        foreach (var accepted in request.GetTypedHeaders().Accept.OrderByDescending(a => a.Quality ?? 1))
        {
            if (Types.FirstOrDefault(t => accepted.MediaType.Equals(t.Type, StringComparison.OrdinalIgnoreCase)) is { Type: not null } known)
                return known.Format;
        }

        return null;
    }
}
