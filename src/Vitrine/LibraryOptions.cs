using Vitrine.Content;

namespace Vitrine;

/// <summary>The section Library: what the operator decides about images and their transfers.</summary>
public sealed class LibraryOptions
{
    /// <summary>The largest content, in bytes, on every way in. Default: 1 TiB.</summary>
    public long MaxImageSize { get; set; } = 1L << 40;

    /// <summary>The only algorithm of checksums that imports are accepted with; null accepts all, and none. Default: null.</summary>
    public ChecksumAlgorithm? RequireChecksum { get; set; }

    /// <summary>How many imports and copies one node runs at once; the others wait their turn. Default: 16.</summary>
    /// <remarks>This and the four that follow hold until operators decide otherwise while the library runs.</remarks>
    public int ConcurrentTransfers { get; set; } = 16;

    /// <summary>How many imports run at once from one host, on all nodes together; null for no limit. Default: 8.</summary>
    public int? ConcurrentTransfersPerSource { get; set; } = 8;

    /// <summary>How many imports and copies of one project run at once, on all nodes together; null for no limit. Default: null.</summary>
    public int? ConcurrentTransfersPerProject { get; set; }

    /// <summary>How many resumable uploads of one project may not be over at once; null for no limit. Default: 100.</summary>
    public int? OpenUploadsPerProject { get; set; } = 100;

    /// <summary>How many bytes a second one node takes in, by every way; null for as many as it can. Default: null.</summary>
    public long? IncomingBytesPerSecond { get; set; }

    /// <summary>How many attempts in a row may get no further than those before them. Default: 8, about four minutes.</summary>
    public int MaxFruitlessAttempts { get; set; } = 8;

    /// <summary>
    /// How many attempts in a row may find the bytes of an import held by a node that neither goes on nor lets go, before it begins anew beside them.
    /// Default: 6, about a minute; less than <see cref="MaxFruitlessAttempts"/>.
    /// </summary>
    public int PatienceWithWriters { get; set; } = 6;

    /// <summary>How long an upload may stand still before it is given up. Default: 60 seconds within a request.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long bytes of an unfinished upload, or of an import that failed, are kept for going on. Default: 24 hours.</summary>
    public TimeSpan StagingLifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How many clients may listen to events of one node at once. Default: 200.</summary>
    public int EventStreams { get; set; } = 200;

    /// <summary>How often what no image needs is collected in stores that share parts among contents. Default: 6 hours.</summary>
    public TimeSpan CollectionInterval { get; set; } = TimeSpan.FromHours(6);

    /// <summary>How often such stores are scrubbed by themselves; null for never. Default: null.</summary>
    public TimeSpan? ScrubInterval { get; set; }

    /// <summary>How many bytes a second a scrub reads at most, where nobody said otherwise; null for as many as it can. Default: null.</summary>
    public long? ScrubRate { get; set; }
}
