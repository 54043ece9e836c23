using System.Text;

namespace Vitrine.Testing.Sources;

/// <summary>How the end of a body is told.</summary>
public enum BodyFraming
{
    ContentLength,
    Chunked,

    /// <summary>By the end of the connection.</summary>
    Close,
}

/// <summary>One file of a scripted server, and how the server behaves when asked for it. Tests change it between requests.</summary>
public sealed class ScriptedFile(ScriptedContent content)
{
    private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _bytesSent;

    public ScriptedContent Content { get; set; } = content;

    public int Status { get; set; } = 200;

    /// <summary>The phrase after the status.</summary>
    public string Phrase { get; set; } = "Scripted";

    /// <summary>Where a redirecting status leads, sent as it stands here.</summary>
    public string? Location { get; set; }

    public string? ContentType { get; set; } = "application/octet-stream";
    public string? ETag { get; set; } = "\"1\"";
    public DateTimeOffset? LastModified { get; set; }

    /// <summary>False: every request gets the whole file.</summary>
    public bool Ranges { get; set; } = true;

    /// <summary>Sends <c>Accept-Ranges: bytes</c> where there are ranges; false keeps them a secret.</summary>
    public bool AnnouncesRanges { get; set; } = true;

    /// <summary>False: a range is given whatever <c>If-Range</c> says, as careless servers do.</summary>
    public bool HonoursIfRange { get; set; } = true;

    /// <summary>Says this in place of the true <c>Content-Range</c>.</summary>
    public string? ContentRange { get; set; }

    /// <summary>The most bytes that one range is answered with.</summary>
    public long? LongestRange { get; set; }

    public BodyFraming Framing { get; set; } = BodyFraming.ContentLength;

    /// <summary>Says this in place of the true <c>Content-Length</c>.</summary>
    public long? DeclaredLength { get; set; }

    /// <summary>The body goes on until the client has had enough.</summary>
    public bool Endless { get; set; }

    /// <summary>Closes the connection after so many bytes of the body; null to go on to the end. Asked once a request.</summary>
    public Func<SeenRequest, long?> CutAfter { get; set; } = _ => null;

    /// <summary>Closes the connection where the head of the answer should be.</summary>
    public bool CutBeforeAnswer { get; set; }

    /// <summary>Stands still after so many bytes of the body, until <see cref="Release"/>.</summary>
    public long? StallAfter { get; set; }

    /// <summary>Stands still before the head of the answer, until <see cref="Release"/>.</summary>
    public bool StallBeforeAnswer { get; set; }

    public long? BytesPerSecond { get; set; }

    /// <summary>What HEAD is answered with; null to answer it as GET without the body.</summary>
    public int? StatusOfHead { get; set; }

    /// <summary>The name and password, with a colon between, without which the answer is 401.</summary>
    public string? Login { get; set; }

    /// <summary>More header lines, sent as they stand here.</summary>
    public IList<string> MoreHeaders { get; } = [];

    /// <summary>Sent in place of head and body.</summary>
    public byte[]? RawAnswer { get; set; }

    /// <summary>The bytes of bodies that were handed to the network.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>Done as soon as some request stands still.</summary>
    public Task Stalled => _stalled.Task;

    /// <summary>Lets everything that stands still go on, for ever.</summary>
    public void Release() => _released.TrySetResult();

    internal void Sent(int count) => Interlocked.Add(ref _bytesSent, count);

    internal Task StandStillAsync(CancellationToken cancellationToken)
    {
        _stalled.TrySetResult();
        return _released.Task.WaitAsync(cancellationToken);
    }

    internal bool Admits(SeenRequest request) => Login is null
        || request.Header("Authorization") == "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Login));

    /// <summary>The offset of the asked range's first byte and the one after its last; null for the whole.</summary>
    internal (long Start, long End)? RangeOf(SeenRequest request)
    {
        if (!Ranges || request.Header("Range") is not { } range || !range.StartsWith("bytes=", StringComparison.Ordinal) || !IsSameVersion(request))
            return null;

        var ends = range["bytes=".Length..].Split('-');
        var start = long.Parse(ends[0]);
        var end = ends[1].Length > 0 ? Math.Min(long.Parse(ends[1]) + 1, Content.Length) : Content.Length;
        return (start, LongestRange is { } longest ? Math.Min(end, start + longest) : end);
    }

    private bool IsSameVersion(SeenRequest request) => !HonoursIfRange || request.Header("If-Range") is not { } mark
        || mark == ETag || (LastModified is { } modified && mark == modified.ToString("r"));
}
