using System.ComponentModel.DataAnnotations;

namespace Vitrine.Stores.Chunked;

/// <summary>How a chunked store works. Nothing here changes what is kept.</summary>
public sealed class ChunkedStoreOptions
{
    private const long MostMemory = 1L << 38;

    /// <summary>How hard new segments are compressed: 1 is fast, 19 is small.</summary>
    [Range(1, 19)]
    public int CompressionLevel { get; set; } = 3;

    /// <summary>How many bytes of segments that were read not long ago are held in memory.</summary>
    [Range(1 << 20, MostMemory)]
    public long CacheBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// How many bytes of memory the index of blocks may take. A GiB of blocks takes some 10 MiB; where the store has more than fits, not every block that it has is
    /// found when it comes again.
    /// </summary>
    [Range(1 << 20, MostMemory)]
    public long IndexBytes { get; set; } = 128 * 1024 * 1024;

    /// <summary>
    /// How long a collection waits before it removes what nobody seems to need. Longer than any node may go on with what it knew, and than
    /// a download of a deleted image may take through another node.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "365.00:00:00", ConvertValueInInvariantCulture = true, ParseLimitsInInvariantCulture = true)]
    public TimeSpan CollectionGrace { get; set; } = TimeSpan.FromHours(6);
}
