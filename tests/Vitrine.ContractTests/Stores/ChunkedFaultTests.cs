using Vitrine.Content;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.Objects;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Stores;

/// <summary>Any call to the objects may go wrong in any way, at any moment of ingest, copy, deletion and collection.</summary>
/// <remarks>VITRINE_FAULTS says at how many moments for each kind of fault and end of the process; the usual run has a few.</remarks>
public sealed class ChunkedFaultTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);
    private static readonly StagingKey Key = new("key");
    private const long LongPack = 100_000;

    private static int Moments => int.Parse(Environment.GetEnvironmentVariable("VITRINE_FAULTS") ?? "5");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<ObjectFault, bool> Faults
    {
        get
        {
            var data = new TheoryData<ObjectFault, bool>();
            foreach (var fault in Enum.GetValues<ObjectFault>())
            {
                data.Add(fault, false);
                data.Add(fault, true);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Faults))]
    public async Task Nothing_that_was_acknowledged_is_lost(ObjectFault fault, bool powerIsCut)
    {
        // So many changes there are when nothing goes wrong.
        var changes = (await new Library(1, ObjectFault.Refusal, atChange: 0).RunAsync(powerIsCut)).Changes;
        Assert.InRange(changes, 100, 10_000);

        var random = new Random((int)fault * 2 + (powerIsCut ? 1 : 0));
        for (var i = 0; i < Moments; i++)
        {
            var (seed, atChange) = (random.Next(), random.Next(1, changes + 1));
            try
            {
                await new Library(seed, fault, atChange).RunAsync(powerIsCut);
            }
            catch (Exception failure)
            {
                Assert.Fail($"seed {seed}, {fault} at change {atChange}: {failure}");
            }
        }
    }

    /// <summary>What users do with a store, and what they were told.</summary>
    private sealed class Library
    {
        private readonly Random _random;
        private readonly ManualClock _clock = new();
        private readonly MemoryObjects _objects;
        private readonly FaultyObjects _faulty;
        private readonly ChunkedStore _other;
        private readonly byte[] _pool = new byte[1_500_000];
        private readonly Dictionary<Digest, byte[]> _acknowledged = [];
        private readonly List<byte[]> _wanted = [];

        public Library(int seed, ObjectFault fault, int atChange)
        {
            _random = new Random(seed);
            _random.NextBytes(_pool);
            // Directories and buckets differ in whether a pack can be flushed when it has become long.
            _objects = new MemoryObjects("memory", _clock, beyondFlushingAt: seed % 2 == 0 ? LongPack : null);
            _faulty = new FaultyObjects(_objects, fault, atChange);
            _other = Open(new MemoryObjects("other", _clock));
        }

        public async Task<Library> RunAsync(bool powerIsCut)
        {
            var store = Open(_faulty);
            foreach (var step in new Func<ChunkedStore, Task>[] { IngestAsync, CopyAsync, DeleteAsync, CollectAsync, IngestAsync, DeleteAsync, CollectAsync, CopyAsync, CollectAsync, IngestAsync })
            {
                try
                {
                    await step(store);
                }
                catch (LibraryException)
                {
                    // Whoever asked was told that it failed.
                }
            }

            if (powerIsCut)
                _objects.CutPower(_random);

            await CheckAsync(Open(_objects));
            return this;
        }

        public int Changes => _faulty.Changes;

        private async Task IngestAsync(ChunkedStore store)
        {
            var content = Pick();
            _wanted.Add(content);
            await using var writer = await store.OpenWriterAsync(Key, Stop);
            if (writer.Length > 0)
                await writer.ResetAsync(Stop);

            for (var at = 0; at < content.Length;)
            {
                var count = Math.Min(_random.Next(1, 300_000), content.Length - at);
                await writer.WriteAsync(content.AsMemory(at, count), Stop);
                at += count;
                if (_random.Next(3) == 0)
                    await writer.FlushAsync(Stop);
            }

            await writer.CommitAsync(Digest.Of(content), Stop);
            _acknowledged[Digest.Of(content)] = content;
        }

        // From a store in which nothing goes wrong.
        private async Task CopyAsync(ChunkedStore store)
        {
            var content = Pick();
            var digest = Digest.Of(content);
            await using (var writer = await _other.OpenWriterAsync(Key, Stop))
            {
                await writer.WriteAsync(content, Stop);
                await writer.CommitAsync(digest, Stop);
            }

            _wanted.Add(content);
            await using var reader = await _other.OpenAsync(digest, Stop);
            await using var copy = await store.OpenWriterAsync(Key, Stop);
            if (copy.Length > 0)
                await copy.ResetAsync(Stop);
            while (copy.Length < reader.Length)
            {
                await copy.TakeAsync(reader, Stop);
                await copy.FlushAsync(Stop);
            }

            await copy.CommitAsync(digest, Stop);
            _acknowledged[digest] = content;
        }

        private async Task DeleteAsync(ChunkedStore store)
        {
            if (_acknowledged.Count == 0)
                return;

            // From now on it may be gone, whatever the answer is.
            var digest = _acknowledged.Keys.ElementAt(_random.Next(_acknowledged.Count));
            _acknowledged.Remove(digest);
            await store.DeleteAsync(digest, Stop);
        }

        private async Task CollectAsync(ChunkedStore store)
        {
            _clock.Advance(2 * Grace);
            await store.CollectAsync(null, Stop);
        }

        private async Task CheckAsync(ChunkedStore store)
        {
            foreach (var (digest, content) in _acknowledged)
            {
                var read = await ReadAsync(store, digest);
                Assert.True(content.AsSpan().SequenceEqual(read), "acknowledged content is as it was");
            }

            // What nobody was told of is whole all the same, or not there.
            await foreach (var found in store.ListAsync(Stop))
                Assert.Equal(found.Digest, Digest.Of(await ReadAsync(store, found.Digest)));

            await GoOnAsync(store);
            await store.DiscardAsync(Key, Stop);
            for (var i = 0; i < 4; i++)
                await CollectAsync(store);

            foreach (var digest in _acknowledged.Keys)
                Assert.Equal(digest, Digest.Of(await ReadAsync(store, digest)));

            Assert.Empty((await store.ScrubAsync(null, null, Stop)).Faults);
            var report = await store.ReportAsync(Stop);
            Assert.InRange(report.Collectable, 0, report.Stored / 2);
            Assert.Equal((await _objects.ListAsync("", Stop).ToListAsync(Stop)).Sum(o => o.Length), report.Stored);
        }

        // The next writer has a beginning of the last content, or of none, and goes on with it.
        private async Task GoOnAsync(ChunkedStore store)
        {
            await using var writer = await store.OpenWriterAsync(Key, Stop);
            var begun = new byte[writer.Length];
            Assert.Equal(begun.Length, await writer.ReadAsync(0, begun, Stop));
            var content = _wanted.LastOrDefault(w => w.AsSpan().StartsWith(begun));
            Assert.NotNull(content);
            await writer.WriteAsync(content.AsMemory(begun.Length), Stop);
            await writer.CommitAsync(Digest.Of(content), Stop);
            _acknowledged[Digest.Of(content)] = content;
        }

        private byte[] Pick()
        {
            var parts = new MemoryStream();
            for (var i = _random.Next(1, 6); i > 0; i--)
            {
                var length = _random.Next(1, 400_000);
                parts.Write(_pool, _random.Next(0, (_pool.Length - length) / 4096) * 4096, length);
                if (_random.Next(3) == 0)
                    parts.Write(new byte[_random.Next(1, 5_000_000)]);
            }

            return parts.ToArray();
        }

        private ChunkedStore Open(IObjectStore objects) =>
            new("memory", objects, new ChunkedStoreOptions { CollectionGrace = Grace }, _clock, _ => Task.FromResult(true));

        private static async Task<byte[]> ReadAsync(ChunkedStore store, Digest digest)
        {
            await using var reader = await store.OpenAsync(digest, Stop);
            var bytes = new byte[reader.Length];
            for (var count = 0; count < bytes.Length;)
                count += await reader.ReadAsync(count, bytes.AsMemory(count), Stop);

            return bytes;
        }
    }
}
