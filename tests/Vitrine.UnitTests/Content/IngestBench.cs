using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Stores.FileSystem;
using Vitrine.Stores.Memory;
using Vitrine.Testing;

namespace Vitrine.UnitTests.Content;

/// <summary>What tests of the ingest work with: a store that can fail or wait, a clock, and a judge of formats.</summary>
internal sealed class IngestBench : IDisposable
{
    public const int Block = 256 * 1024;
    public static readonly StagingKey Key = new("one");

    private readonly DirectoryInfo? _directory;

    public IngestBench(bool onDisk = false)
    {
        _directory = onDisk ? Directory.CreateTempSubdirectory("vitrine-ingest-") : null;
        Real = _directory is null ? new MemoryStore("main", Clock) : FileSystemStore.Open("main", _directory.FullName);
        Store = new FaultyStore(Real);
    }

    public ManualClock Clock { get; } = new();
    public IContentStore Real { get; }
    public FaultyStore Store { get; }
    public Judge Judge { get; } = new();

    public async Task<Ingest> OpenAsync(ChecksumAlgorithm? extra = null) => await OpenAsync(Store, extra);

    public async Task<Ingest> OpenAsync(IContentStore store, ChecksumAlgorithm? extra = null) =>
        new(await store.OpenWriterAsync(Key, CancellationToken.None), Judge, Sums(extra), Clock);

    private static ChecksumAlgorithm[] Sums(ChecksumAlgorithm? extra) =>
        [ChecksumAlgorithm.Md5, ChecksumAlgorithm.Sha512, .. extra is { } one ? [one] : Array.Empty<ChecksumAlgorithm>()];

    public static byte[] Bytes(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static Task NoCheckpoint(long fetched) => Task.CompletedTask;

    public void Dispose() => _directory?.Delete(recursive: true);
}

/// <summary>Takes everything for raw, remembers how much it saw, and refuses what a test wants refused.</summary>
internal sealed class Judge : IFormatInspector
{
    /// <summary>Refuses content once more than this was seen of it.</summary>
    public long RefusesAfter { get; set; } = long.MaxValue;

    public bool RefusesAtTheEnd { get; set; }

    public FormatInspection Begin() => new Inspection(this);

    private sealed class Inspection(Judge judge) : FormatInspection
    {
        private long _seen;

        public override void Observe(ReadOnlySpan<byte> bytes)
        {
            _seen += bytes.Length;
            if (_seen > judge.RefusesAfter)
                throw new UnsafeContentException("test", "The test wants it refused.");
        }

        public override FormatVerdict Complete() => judge.RefusesAtTheEnd
            ? throw new UnsafeContentException("test-end", "The test wants it refused at its end.")
            : new FormatVerdict(DiskFormat.Raw, _seen);
    }
}
