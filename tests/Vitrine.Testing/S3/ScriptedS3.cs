using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vitrine.Stores.Objects.S3;

namespace Vitrine.Testing.S3;

/// <summary>A server of objects in this process that fails as a test tells it to. It knows what all of the real ones know, and no more.</summary>
/// <remarks>
/// It looks for the access key but does not check signatures, which the real servers do. It holds bodies against the SHA-256 that was signed, and
/// refuses those that are signed in chunks, as Swift has it.
/// </remarks>
public sealed class ScriptedS3 : IAsyncDisposable
{
    private const string Bucket = "scripted";
    private const string AccessKey = "scripted-access";
    private const int ShortestPart = 5 * 1024 * 1024;
    private static readonly XNamespace Xml = "http://s3.amazonaws.com/doc/2006-03-01/";

    private readonly WebApplication _server;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Stored> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Upload> _uploads = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<(S3Call Call, S3Fault Fault)> _faults = new();
    private readonly ConcurrentQueue<SeenCall> _calls = new();

    private ScriptedS3(WebApplication server) => _server = server;

    /// <summary>The secret that clients sign with, for tests that look for it where it must not be.</summary>
    public static string SecretKey => "scripted-secret";

    /// <summary>In the order of their arrival.</summary>
    public IReadOnlyList<SeenCall> Calls => [.. _calls];

    /// <summary>In the order of their bytes.</summary>
    public IReadOnlyList<string> Keys
    {
        get
        {
            lock (_lock)
                return [.. _objects.Keys];
        }
    }

    /// <summary>How many uploads in parts were begun and not ended.</summary>
    public int OpenUploads
    {
        get
        {
            lock (_lock)
                return _uploads.Count;
        }
    }

    public static async Task<ScriptedS3> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
        });
        var app = builder.Build();
        var server = new ScriptedS3(app);
        app.Run(server.ServeAsync);
        await app.StartAsync();
        return server;
    }

    /// <returns>How to come to a place in its bucket that no other test uses.</returns>
    public S3StoreOptions CreatePlace() => new()
    {
        Endpoint = _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single(),
        AccessKey = AccessKey,
        SecretKey = SecretKey,
        Bucket = Bucket,
        Prefix = $"{Guid.NewGuid():N}/",
    };

    /// <summary>What happens at the next request of this kind, and at those after it where the fault says so.</summary>
    public S3Fault On(S3Call call)
    {
        var fault = new S3Fault();
        _faults.Enqueue((call, fault));
        return fault;
    }

    public void Put(string key, byte[] bytes)
    {
        lock (_lock)
            _objects[key] = new Stored(bytes);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        var request = Request.Of(context.Request);
        _calls.Enqueue(new SeenCall(request.Call, request.Key, context.Request.Headers.Range, context.Request.Headers.IfMatch));
        var fault = _faults.FirstOrDefault(f => f.Call == request.Call && f.Fault.TryTake()).Fault;
        fault?.First?.Invoke();
        if (fault?.StandsStill is true)
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        else if (fault?.Cut is not null && request.IsWrite)
            await CutRequestAsync(context, fault.Cut.Value);
        else
            await AnswerAsync(context, request, fault);
    }

    private async Task AnswerAsync(HttpContext context, Request request, S3Fault? fault)
    {
        var body = await ReadBodyAsync(context.Request);
        var answer = fault switch
        {
            { Refusal: var (status, code) } => Answer.Refused(status, code),
            { RawBody: { } raw } => new Answer(200, raw),
            _ => Do(request with { Range = fault?.IgnoresRange is true ? null : request.Range }, context.Request, body),
        };
        if (fault?.LosesAnswer is true)
            context.Abort();
        else
            await answer.WriteAsync(context, fault?.Cut);
    }

    private static async Task CutRequestAsync(HttpContext context, int length)
    {
        await context.Request.Body.ReadExactlyAsync(new byte[length]);
        context.Abort();
    }

    private static async Task<byte[]> ReadBodyAsync(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        return body.ToArray();
    }

    private Answer Do(Request request, HttpRequest http, byte[] body)
    {
        if (http.Headers.Authorization.ToString() is not { } signed || !signed.Contains($"Credential={AccessKey}/", StringComparison.Ordinal))
            return Answer.Refused(403, "InvalidAccessKeyId");

        if (request.Bucket != Bucket)
            return Answer.Refused(404, "NoSuchBucket");

        if (http.Headers["x-amz-content-sha256"].ToString().StartsWith("STREAMING-", StringComparison.Ordinal))
            return Answer.Refused(501, "NotImplemented");

        if (request.Call is S3Call.Put or S3Call.PutPart && http.Headers["x-amz-content-sha256"] != Convert.ToHexStringLower(SHA256.HashData(body)))
            return Answer.Refused(400, "XAmzContentSHA256Mismatch");

        lock (_lock)
        {
            return request.Call == S3Call.CopyPart
                ? CopyPart(request, http)
                : Do(request, http.Query, body, http.Headers.IfMatch);
        }
    }

    private Answer Do(Request request, IQueryCollection query, byte[] body, string? ifMatch) => request.Call switch
    {
        S3Call.Get or S3Call.Head => Get(request.Key, request.Range, ifMatch),
        S3Call.Put => Keep(request.Key, new Stored(body)),
        S3Call.Delete => Delete(request.Key),
        S3Call.List => List(query),
        S3Call.BeginUpload => Begin(request.Key),
        S3Call.PutPart => PutPart(query["uploadId"]!, int.Parse(query["partNumber"]!), new Stored(body)),
        S3Call.CompleteUpload => Complete(query["uploadId"]!, XDocument.Parse(System.Text.Encoding.UTF8.GetString(body))),
        S3Call.AbortUpload => _uploads.Remove(query["uploadId"]!) ? new Answer(204) : Answer.Refused(404, "NoSuchUpload"),
        S3Call.ListUploads => ListUploads(query["prefix"]!),
        _ => Answer.Refused(501, "NotImplemented"),
    };

    private Answer Get(string key, (long Start, long End)? range, string? ifMatch)
    {
        if (!_objects.TryGetValue(key, out var found))
            return Answer.Refused(404, "NoSuchKey");

        if (ifMatch is { Length: > 0 } && ifMatch != found.Tag)
            return Answer.Refused(412, "PreconditionFailed");

        if (range is not var (start, end))
            return new Answer(200, found.Bytes) { About = found };

        if (start >= found.Bytes.Length)
            return Answer.Refused(416, "InvalidRange");

        var last = Math.Min(end, found.Bytes.Length - 1);
        return new Answer(206, found.Bytes[(int)start..(int)(last + 1)]) { About = found, ContentRange = $"bytes {start}-{last}/{found.Bytes.Length}" };
    }

    private Answer Keep(string key, Stored stored)
    {
        _objects[key] = stored;
        return new Answer(200) { About = stored };
    }

    private Answer Delete(string key)
    {
        _objects.Remove(key);
        return new Answer(204);
    }

    private Answer List(IQueryCollection query)
    {
        var (prefix, after, most) = (query["prefix"].ToString(), query["continuation-token"].ToString(), int.Parse(query["max-keys"].ToString()));
        var found = _objects.Where(o => o.Key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(o.Key, after) > 0).Take(most + 1).ToList();
        var page = found.Take(most).ToList();
        return Answer.Of(new XElement(
            Xml + "ListBucketResult",
            new XElement(Xml + "IsTruncated", found.Count > most),
            found.Count > most ? new XElement(Xml + "NextContinuationToken", page[^1].Key) : null,
            page.Select(o => new XElement(
                Xml + "Contents",
                new XElement(Xml + "Key", o.Key),
                new XElement(Xml + "Size", o.Value.Bytes.Length),
                new XElement(Xml + "ETag", o.Value.Tag),
                new XElement(Xml + "LastModified", o.Value.LastWrite.ToString("O", CultureInfo.InvariantCulture))))));
    }

    private Answer Begin(string key)
    {
        var id = Guid.NewGuid().ToString("N");
        _uploads.Add(id, new Upload(key, TimeProvider.System.GetUtcNow().UtcDateTime));
        return Answer.Of(new XElement(Xml + "InitiateMultipartUploadResult", new XElement(Xml + "Key", key), new XElement(Xml + "UploadId", id)));
    }

    private Answer PutPart(string upload, int number, Stored part)
    {
        if (!_uploads.TryGetValue(upload, out var begun))
            return Answer.Refused(404, "NoSuchUpload");

        begun.Parts[number] = part;
        return new Answer(200) { About = part };
    }

    private Answer CopyPart(Request request, HttpRequest http)
    {
        var source = Uri.UnescapeDataString(http.Headers["x-amz-copy-source"]!).TrimStart('/');
        var range = Request.RangeOf(http.Headers["x-amz-copy-source-range"]!)!.Value;
        if (!source.StartsWith(Bucket + "/", StringComparison.Ordinal) || !_objects.TryGetValue(source[(Bucket.Length + 1)..], out var found))
            return Answer.Refused(404, "NoSuchKey");

        if (range.End >= found.Bytes.Length)
            return Answer.Refused(400, "InvalidArgument");

        var part = new Stored(found.Bytes[(int)range.Start..(int)(range.End + 1)]);
        return PutPart(http.Query["uploadId"]!, int.Parse(http.Query["partNumber"]!), part) is { Status: not 200 } refused
            ? refused
            : Answer.Of(new XElement(Xml + "CopyPartResult", new XElement(Xml + "ETag", part.Tag)));
    }

    private Answer Complete(string id, XDocument parts)
    {
        if (!_uploads.Remove(id, out var upload))
            return Answer.Refused(404, "NoSuchUpload");

        if (upload.Parts.SkipLast(1).Any(p => p.Value.Bytes.Length < ShortestPart))
            return Answer.Refused(400, "EntityTooSmall");

        var numbers = parts.Descendants().Where(e => e.Name.LocalName == "PartNumber").Select(e => int.Parse(e.Value));
        Keep(upload.Key, new Stored([.. numbers.SelectMany(n => upload.Parts[n].Bytes)]));

        // As radosgw has it: no tag.
        return Answer.Of(new XElement(Xml + "CompleteMultipartUploadResult", new XElement(Xml + "Key", upload.Key)));
    }

    private Answer ListUploads(string prefix) => Answer.Of(new XElement(
        Xml + "ListMultipartUploadsResult",
        new XElement(Xml + "IsTruncated", false),
        _uploads.Where(u => u.Value.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(u => new XElement(
            Xml + "Upload",
            new XElement(Xml + "Key", u.Value.Key),
            new XElement(Xml + "UploadId", u.Key),
            new XElement(Xml + "Initiated", u.Value.Begun.ToString("O", CultureInfo.InvariantCulture))))));

    private sealed record Stored(byte[] Bytes)
    {
        public string Tag { get; } = $"\"{Convert.ToHexStringLower(MD5.HashData(Bytes))}\"";

        public DateTime LastWrite { get; } = TimeProvider.System.GetUtcNow().UtcDateTime;
    }

    private sealed record Upload(string Key, DateTime Begun)
    {
        public SortedDictionary<int, Stored> Parts { get; } = [];
    }

    private sealed record Request(S3Call Call, string Bucket, string Key, (long Start, long End)? Range)
    {
        public bool IsWrite => Call is S3Call.Put or S3Call.PutPart;

        public static Request Of(HttpRequest http)
        {
            var path = http.Path.Value!.TrimStart('/').Split('/', 2);
            var key = path.Length > 1 ? path[1] : "";
            return new Request(CallOf(http.Method, http, key), path[0], key, RangeOf(http.Headers.Range.ToString()));
        }

        private static S3Call CallOf(string method, HttpRequest http, string key) => method switch
        {
            "GET" when key.Length > 0 => S3Call.Get,
            "GET" when http.Query.ContainsKey("uploads") => S3Call.ListUploads,
            "GET" when http.Query.ContainsKey("list-type") => S3Call.List,
            "HEAD" => S3Call.Head,
            "PUT" when http.Headers.ContainsKey("x-amz-copy-source") => S3Call.CopyPart,
            "PUT" => http.Query.ContainsKey("uploadId") ? S3Call.PutPart : S3Call.Put,
            "POST" when http.Query.ContainsKey("uploads") => S3Call.BeginUpload,
            "POST" when http.Query.ContainsKey("uploadId") => S3Call.CompleteUpload,
            "DELETE" => http.Query.ContainsKey("uploadId") ? S3Call.AbortUpload : S3Call.Delete,
            _ => S3Call.Unknown,
        };

        public static (long Start, long End)? RangeOf(string header) => header.Split('=', '-') is [_, var start, var end]
            ? (long.Parse(start), long.Parse(end))
            : null;
    }

    private sealed record Answer(int Status, byte[]? Body = null)
    {
        public Stored? About { get; init; }

        public string? ContentRange { get; init; }

        public static Answer Refused(int status, string code) =>
            new(status, System.Text.Encoding.UTF8.GetBytes($"<Error><Code>{code}</Code><Message>As the test has it.</Message></Error>"));

        public static Answer Of(XElement body) => new(200, System.Text.Encoding.UTF8.GetBytes(new XDocument(body).ToString()));

        /// <param name="cut">After how many bytes of the body it breaks off.</param>
        public async Task WriteAsync(HttpContext context, int? cut)
        {
            var body = Body ?? [];
            context.Response.StatusCode = Status;
            if (Status != StatusCodes.Status204NoContent)
                context.Response.ContentLength = body.Length;
            context.Response.Headers.ETag = About?.Tag;
            context.Response.Headers.LastModified = About?.LastWrite.ToString("r", CultureInfo.InvariantCulture);
            context.Response.Headers.ContentRange = ContentRange;
            if (context.Request.Method == "HEAD")
                return;

            // Where that is less than was announced, the server closes the connection, and the client gets what was sent.
            await context.Response.StartAsync();
            await context.Response.Body.WriteAsync(body.AsMemory(0, Math.Min(cut ?? body.Length, body.Length)));
        }
    }
}
