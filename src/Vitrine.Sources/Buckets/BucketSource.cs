using System.Text.RegularExpressions;
using Vitrine.Sources.Http;
using Vitrine.Transfers;

namespace Vitrine.Sources.Buckets;

/// <summary>Objects of S3 and its kin, by the credentials that the operator named: read by HTTP, at an address that is signed for each connection.</summary>
internal sealed partial class BucketSource(HttpSource http, SourceOptions options, TimeProvider time) : ISource
{
    private const string Scheme = "s3";
    private const string DefaultName = "default";

    // It bounds when a connection may begin, not how long it may last.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    public IReadOnlyCollection<string> Schemes { get; } = [Scheme];

    public void Check(Uri address) => http.Check(Sign(address));

    public async Task<SourceReading> OpenAsync(Uri address, long from, string? validator, CancellationToken cancellationToken)
    {
        var reading = await http.OpenAsync(Sign(address), from, validator, cancellationToken);
        if (reading is not { CanResume: true, Length: { } length } || length - reading.Offset <= StretchedBody.StretchLength
            || VersionMark.TryParse(reading.Validator) is not { IfRange: not null } mark)
            return reading;

        var body = new StretchedBody(reading, length, (start, bytes, token) => http.ReadStretchAsync(Sign(address), start, bytes, mark, token));
        return new SourceReading(body, reading.Offset, length, reading.Validator, canResume: true, body);
    }

    public Task<SourceProbe> ProbeAsync(Uri address, CancellationToken cancellationToken) => http.ProbeAsync(Sign(address), cancellationToken);

    private Uri Sign(Uri address)
    {
        var match = Form.Match(address.OriginalString);
        if (!match.Success || address.OriginalString.Length > SourceAddress.MaxLength)
            throw Malformed("The address of an object is s3://bucket/key or s3://credential@bucket/key, with no ? and no # in it.");

        var key = Uri.UnescapeDataString(match.Groups["key"].Value);
        if (key.Any(char.IsControl) || key.Split('/').Any(part => part is "." or ".."))
            throw Malformed("The key of the object has a dot for a part, or a control character in it.");

        var name = match.Groups["name"] is { Success: true, Value: var named } ? named : DefaultName;
        var credential = options.S3Credentials.FirstOrDefault(c => c.Name == name)
            ?? throw new SourceException(
                SourceFault.Login, $"The operator set up no credential for buckets that is named {name} ({SourceOptions.Section}:S3Credentials).", mayPass: false);

        return Sign(credential, match.Groups["bucket"].Value, string.Join('/', key.Split('/').Select(Uri.EscapeDataString)));
    }

    private Uri Sign(S3Credential credential, string bucket, string key)
    {
        var endpoint = new Uri(credential.Endpoint);
        var host = credential.PathStyle ? endpoint.Authority : $"{bucket}.{endpoint.Authority}";
        var path = credential.PathStyle ? $"/{bucket}/{key}" : $"/{key}";
        return new Uri($"{endpoint.Scheme}://{host}{path}?{S3Signature.QueryFor(credential, host, path, time.GetUtcNow(), Lifetime)}");
    }

    private static SourceException Malformed(string message) => new(SourceFault.MalformedUrl, message, mayPass: false);

    // The names of buckets as AWS has them, and the underscores that others allow.
    [GeneratedRegex(
        @"^s3://((?<name>[A-Za-z0-9.-]{1,64})@)?(?<bucket>[a-z0-9][a-z0-9._-]{1,61}[a-z0-9])/(?<key>[^?#\\]*[^?#\\/])$",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Form { get; }
}
