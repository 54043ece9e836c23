namespace Vitrine.Testing.Sources;

/// <summary>A request as it arrived.</summary>
/// <param name="Connection">The how manieth connection it came over, from 1.</param>
/// <param name="Target">As the client spelt it: a path, a whole address (to a proxy) or an authority (CONNECT).</param>
/// <param name="Headers">By any casing; several of one name are joined by a comma.</param>
public sealed record SeenRequest(int Connection, string Method, string Target, IReadOnlyDictionary<string, string> Headers)
{
    private const int MaxHead = 64 * 1024;

    /// <summary>The target without query, scheme and host.</summary>
    public string Path
    {
        get
        {
            var path = Target.Contains("://") ? new Uri(Target).AbsolutePath : Target;
            var query = path.IndexOf('?');
            return query < 0 ? path : path[..query];
        }
    }

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <returns>Null where the client went away before it had asked.</returns>
    internal static async Task<SeenRequest?> ReadAsync(Stream stream, int connection, CancellationToken cancellationToken)
    {
        var head = new byte[MaxHead];
        var length = 0;
        while (!head.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            if (length == head.Length || await stream.ReadAsync(head.AsMemory(length, 1), cancellationToken) == 0)
                return null;
            length++;
        }

        return Parse(System.Text.Encoding.Latin1.GetString(head, 0, length), connection);
    }

    private static SeenRequest Parse(string head, int connection)
    {
        var lines = head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var first = lines[0].Split(' ');
        var headers = lines.Skip(1)
            .Select(line => line.Split(':', 2))
            .GroupBy(pair => pair[0], pair => pair[^1].Trim(), StringComparer.OrdinalIgnoreCase)
            .ToDictionary(group => group.Key, group => string.Join(", ", group), StringComparer.OrdinalIgnoreCase);
        return new SeenRequest(connection, first[0], first.ElementAtOrDefault(1) ?? "", headers);
    }
}
