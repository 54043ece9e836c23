using System.Globalization;
using System.Text;

namespace Vitrine.Formats.Ova;

/// <summary>What a pax header says of the next member: lines of "LENGTH KEY=VALUE", where the length is that of the whole line.</summary>
internal readonly record struct TarAttributes(string? Name, long? Size)
{
    /// <returns>Null where it cannot be right, or says what changes the member's place or kind.</returns>
    public static TarAttributes? TryRead(ReadOnlySpan<byte> lines)
    {
        var read = default(TarAttributes);
        while (!lines.IsEmpty)
        {
            var space = lines.IndexOf((byte)' ');
            if (space < 0 || !int.TryParse(lines[..space], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= space + 1 || length > lines.Length || lines[length - 1] != '\n')
                return null;

            var line = Encoding.UTF8.GetString(lines[(space + 1)..(length - 1)]);
            if (read.With(line) is not { } more)
                return null;

            read = more;
            lines = lines[length..];
        }

        return read;
    }

    private TarAttributes? With(string line)
    {
        var equals = line.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
            return null;

        var value = line[(equals + 1)..];
        return line[..equals] switch
        {
            "path" => Name is null ? this with { Name = value } : null,
            "size" => Size is null && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
                && size <= Refusal.MaxVirtualSize ? this with { Size = size } : null,
            "atime" or "ctime" or "mtime" or "uid" or "gid" or "uname" or "gname" or "comment" or "charset" or "hdrcharset" => this,
            _ => null,
        };
    }
}
