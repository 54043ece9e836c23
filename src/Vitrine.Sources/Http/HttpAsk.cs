using System.Net.Http.Headers;

namespace Vitrine.Sources.Http;

/// <summary>What is asked of an address, on every hop of its redirects alike.</summary>
/// <param name="Range">What follows <c>bytes=</c>; null for the whole.</param>
/// <param name="IfRange">Gives the range only of the version that this validator marks (RFC 9110 section 13.1.5).</param>
internal sealed record HttpAsk(HttpMethod Method, string? Range = null, string? IfRange = null)
{
    /// <summary>For the host of the address alone. It is sent in place of a login in the address.</summary>
    public HttpLogin? Login { get; init; }

    /// <summary>What is sent, as JSON. It goes nowhere but to the address itself, so redirects are not followed.</summary>
    public string? Json { get; init; }

    public static readonly HttpAsk Whole = new(HttpMethod.Get);
    public static readonly HttpAsk Head = new(HttpMethod.Head);
    public static readonly HttpAsk FirstByte = new(HttpMethod.Get, "0-0");

    public static HttpAsk From(long offset, string? ifRange) => new(HttpMethod.Get, $"{offset}-", ifRange);

    /// <summary>So many bytes from an offset on.</summary>
    public static HttpAsk Stretch(long offset, int count, string? ifRange) => new(HttpMethod.Get, $"{offset}-{offset + count - 1}", ifRange);

    public static HttpAsk Post(string json) => new(HttpMethod.Post) { Json = json };

    // The default would print the secrets.
    public override string ToString() => $"{Method} {Range}";

    public void WriteTo(HttpRequestHeaders headers)
    {
        if (Range is not null)
            headers.TryAddWithoutValidation("Range", $"bytes={Range}");
        if (IfRange is not null)
            headers.TryAddWithoutValidation("If-Range", IfRange);
    }
}
