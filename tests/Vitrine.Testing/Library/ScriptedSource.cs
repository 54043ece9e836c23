using System.Collections.Concurrent;
using Vitrine.Transfers;

namespace Vitrine.Testing.Library;

/// <summary>A source in memory that cuts, stalls, changes and refuses as a test wants it.</summary>
public sealed class ScriptedSource : ISource
{
    private long _given;

    public IReadOnlyCollection<string> Schemes => ["http"];

    /// <summary>What each path has; <c>/a</c> is asked for by <c>http://source.test/a</c>.</summary>
    public ConcurrentDictionary<string, byte[]> Files { get; } = [];

    public string? Validator { get; set; } = "\"v1\"";
    public bool CanResume { get; set; } = true;
    public bool SaysLength { get; set; } = true;

    /// <summary>After how many bytes each connection breaks, the first one first; later ones come to their end.</summary>
    public ConcurrentQueue<int> Cuts { get; } = [];

    /// <summary>After how many bytes every connection breaks that <see cref="Cuts"/> does not speak of.</summary>
    public int? AlwaysCut { get; set; }

    /// <summary>What is thrown instead of opening.</summary>
    public SourceException? Refusal { get; set; }

    /// <summary>Called before each read, with the offset within the file.</summary>
    public Func<long, CancellationToken, ValueTask> BeforeRead { get; set; } = (_, _) => ValueTask.CompletedTask;

    /// <summary>All bytes that were given away, on all connections.</summary>
    public long Given => Interlocked.Read(ref _given);

    /// <summary>From where each connection was asked to begin.</summary>
    public ConcurrentQueue<long> AskedFrom { get; } = [];

    public static SourceException Broken() => new(SourceFault.Broken, "The connection to source.test was cut.", mayPass: true);

    public void Check(Uri address)
    {
        if (address.Host == "refused.test")
            throw new SourceException(SourceFault.Refused, "The host is not allowed.", mayPass: false);
    }

    public Task<SourceReading> OpenAsync(Uri address, long from, string? validator, CancellationToken cancellationToken)
    {
        AskedFrom.Enqueue(from);
        if (Refusal is { } refusal)
            throw refusal;

        if (!Files.TryGetValue(address.AbsolutePath, out var content))
            throw new SourceException(SourceFault.Status, "source.test answered 404 Not Found.", mayPass: false);

        var offset = CanResume && validator == Validator && from <= content.Length ? (int)from : 0;
        var end = Cuts.TryDequeue(out var cut) ? cut : AlwaysCut ?? int.MaxValue;
        var body = new ScriptedStream(content.AsMemory(offset), async (given, token) =>
        {
            await BeforeRead(offset + given, token);
            if (given >= end)
                throw Broken();

            var most = Math.Min(end - given, 64 * 1024);
            Interlocked.Add(ref _given, Math.Min(most, content.Length - offset - given));
            return most;
        });
        return Task.FromResult(new SourceReading(body, offset, SaysLength ? content.Length : null, Validator, CanResume, body));
    }

    public Task<SourceProbe> ProbeAsync(Uri address, CancellationToken cancellationToken) => Task.FromResult(new SourceProbe(
        address.ToString(), 200, Files[address.AbsolutePath].Length, ContentType: null, CanResume, Validator, Certificate: null));
}
