using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Vitrine.Sources.Buckets;

/// <summary>Signs the address of an object, so that whoever has it may read the object for a while.</summary>
/// <remarks>
/// AWS Signature Version 4 with the signature in the query. What is signed is
/// <code>
/// GET                                  the method
/// /key                                 the path, each part of it percent-encoded
/// X-Amz-Algorithm=…&amp;X-Amz-Cred…    the query, but for the signature
/// host:bucket.s3.amazonaws.com         the headers that count, which is this one
///
/// host                                 their names
/// UNSIGNED-PAYLOAD                     there is no body
/// </code>
/// hashed, dated, and bound to the day, the region and the service by a key made from these.
/// </remarks>
internal static class S3Signature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string Service = "s3";
    private const string End = "aws4_request";

    /// <param name="host">As the header of the request has it, with a port where that is not the usual one.</param>
    /// <param name="path">Percent-encoded, from its first slash on.</param>
    /// <returns>The query, without a question mark.</returns>
    public static string QueryFor(S3Credential credential, string host, string path, DateTimeOffset now, TimeSpan lifetime)
    {
        var date = now.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var moment = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{date}/{credential.Region}/{Service}/{End}";
        var query = $"X-Amz-Algorithm={Algorithm}&X-Amz-Credential={Uri.EscapeDataString($"{credential.AccessKey}/{scope}")}"
            + $"&X-Amz-Date={moment}&X-Amz-Expires={(long)lifetime.TotalSeconds}&X-Amz-SignedHeaders=host";
        var request = $"GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD";
        var text = $"{Algorithm}\n{moment}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(request)))}";

        var key = Encoding.UTF8.GetBytes($"AWS4{credential.SecretKey}");
        foreach (var part in (string[])[date, credential.Region, Service, End, text])
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));

        return $"{query}&X-Amz-Signature={Convert.ToHexStringLower(key)}";
    }
}
