using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Vitrine.OpenStack.Images;

/// <summary>The query of a listing, name by name in its order, letter case kept.</summary>
internal sealed class GlanceQuery
{
    private const int DefaultLimit = 25;
    private const int MaxLimit = 1000;

    private GlanceQuery(IReadOnlyList<(string Name, string Value)> parameters) => Parameters = parameters;

    public IReadOnlyList<(string Name, string Value)> Parameters { get; }

    /// <summary>The id after which the page begins; null for the first page.</summary>
    public string? Marker => Last("marker");

    public static GlanceQuery Of(HttpRequest request) => Read(request.QueryString.Value);

    public static GlanceQuery Read(string? queryString)
    {
        var parameters = new List<(string, string)>();
        foreach (var pair in new QueryStringEnumerable(queryString))
            parameters.Add((pair.DecodeName().ToString(), pair.DecodeValue().ToString()));
        return new GlanceQuery(parameters);
    }

    /// <summary>The value of a name; the last where it is repeated.</summary>
    public string? Last(string name) => All(name).LastOrDefault();

    public IEnumerable<string> All(string name) => Parameters.Where(p => p.Name == name).Select(p => p.Value);

    /// <summary>How long a page is: what is asked for, up to what one answer may hold.</summary>
    /// <exception cref="GlanceRefusalException">It is no number, or a negative one.</exception>
    public int Limit() => Last("limit") switch
    {
        null => DefaultLimit,
        { Length: > 0 } text when text.All(char.IsAsciiDigit) => int.TryParse(text, out var limit) ? Math.Min(limit, MaxLimit) : MaxLimit,
        var text => throw GlanceRefusalException.BadRequest($"limit: '{text}' is not a number from 0 on."),
    };

    /// <summary>The path of a page with the same question, from its beginning or after a marker.</summary>
    public string LinkTo(string path, string? marker)
    {
        var link = new StringBuilder(path);
        var separator = '?';
        foreach (var (name, value) in Parameters.Where(p => p.Name != "marker").Concat(marker is null ? [] : [("marker", marker)]))
        {
            link.Append(separator).Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }

        return link.ToString();
    }
}
