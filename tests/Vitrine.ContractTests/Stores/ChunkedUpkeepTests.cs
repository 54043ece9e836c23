using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Formats.Wrappers;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.Objects;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Stores;

/// <summary>Collection, scrub and report of a chunked store.</summary>
public sealed class ChunkedUpkeepTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    private readonly ManualClock _clock = new();
    private readonly MemoryObjects _objects;
    private ChunkedStore _store;

    public ChunkedUpkeepTests()
    {
        _objects = new MemoryObjects("memory", _clock);
        _store = Open();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_nobody_refers_to_is_freed_after_the_grace_time()
    {
        var kept = await PutAsync(RandomNumberGenerator.GetBytes(3_000_000));
        var deleted = await PutAsync(RandomNumberGenerator.GetBytes(3_000_000));
        await _store.DeleteAsync(deleted, Stop);

        _clock.Advance(2 * Grace);
        var first = await _store.CollectAsync(null, Stop);
        Assert.InRange(first.Condemned, 3_000_000, 3_200_000);
        _clock.Advance(Grace / 2);
        Assert.Equal(0, (await _store.CollectAsync(null, Stop)).Freed);
        _clock.Advance(Grace);
        Assert.InRange((await _store.CollectAsync(null, Stop)).Freed, 3_000_000, 3_200_000);

        Assert.Equal(kept, await DigestOfAsync(kept));
        var report = await ReportAsync();
        Assert.Equal(0, report.Collectable);
        Assert.Equal(await SizeAsync(), report.Stored);
    }

    [Fact]
    public async Task A_pack_of_which_little_is_left_is_emptied_and_its_contents_stay_as_they_were()
    {
        var random = new Random(1);
        var shared = RandomNumberGenerator.GetBytes(500_000);
        var kept = await PutAsync([.. shared]);
        var grown = new byte[4_000_000];
        random.NextBytes(grown);
        shared.CopyTo(grown, 1_000_000 / 4096 * 4096);
        var deleted = await PutAsync(grown);
        var other = await PutAsync([.. grown.AsSpan(2_000_000 / 4096 * 4096, 600_000)]);
        await _store.DeleteAsync(deleted, Stop);

        await CollectAllAsync();
        Assert.Equal(kept, await DigestOfAsync(kept));
        Assert.Equal(other, await DigestOfAsync(other));
        var report = await ReportAsync();
        Assert.Equal(await SizeAsync(), report.Stored);
        Assert.InRange(report.Stored, 1_100_000, 1_200_000);
    }

    [Fact]
    public async Task Many_small_packs_become_one()
    {
        var contents = new List<Digest>();
        for (var i = 0; i < 20; i++)
            contents.Add(await PutAsync(RandomNumberGenerator.GetBytes(50_000)));

        await CollectAllAsync();
        Assert.Single(await _objects.ListAsync(StoreLayout.PackPrefix, Stop).ToListAsync(Stop));
        foreach (var content in contents)
            Assert.Equal(content, await DigestOfAsync(content));
    }

    [Fact]
    public async Task What_a_reader_has_open_stays()
    {
        var content = RandomNumberGenerator.GetBytes(2_000_000);
        var digest = await PutAsync(content);
        await using (var reader = await _store.OpenAsync(digest, Stop))
        {
            await _store.DeleteAsync(digest, Stop);
            await CollectAllAsync();
            var read = new byte[content.Length];
            Assert.Equal(read.Length, await reader.ReadAsync(0, read, Stop));
            Assert.Equal(content, read);
        }

        await CollectAllAsync();
        Assert.Empty(await _objects.ListAsync(StoreLayout.PackPrefix, Stop).ToListAsync(Stop));
    }

    [Fact]
    public async Task With_an_index_that_is_full_most_of_what_comes_again_is_found_and_all_of_it_comes_back()
    {
        var packs = new List<byte[]>();
        for (var i = 0; i < 12; i++)
        {
            packs.Add(RandomNumberGenerator.GetBytes(30_000_000));
            await PutAsync(packs[i]);
        }

        _store = new ChunkedStore(
            "memory", _objects, new ChunkedStoreOptions { CollectionGrace = Grace, IndexBytes = 1 << 19 }, _clock, _ => Task.FromResult(true));
        var before = await SizeAsync();
        byte[] content = [.. packs[3].AsSpan(0, 4096 * 5000), .. packs[8].AsSpan(0, 4096 * 2000), 1, 2, 3];
        var digest = await PutAsync(content);

        Assert.InRange(await SizeAsync() - before, 1, content.Length / 20);
        Assert.Equal(digest, await DigestOfAsync(digest));
    }

    [Fact]
    public async Task A_reader_on_another_node_goes_on_when_its_packs_were_emptied()
    {
        byte[] kept = RandomNumberGenerator.GetBytes(500 * 4096), deleted = [.. kept, .. RandomNumberGenerator.GetBytes(6_000_000)];
        var gone = await PutAsync(deleted);
        var digest = await PutAsync(kept);
        await using var reader = await Open().OpenAsync(digest, Stop);
        await _store.DeleteAsync(gone, Stop);
        var before = await _objects.ListAsync(StoreLayout.PackPrefix, Stop).ToListAsync(Stop);
        await CollectAllAsync();

        Assert.Empty((await _objects.ListAsync(StoreLayout.PackPrefix, Stop).ToListAsync(Stop)).Select(p => p.Name).Intersect(before.Select(p => p.Name)));
        var read = new byte[kept.Length];
        await Parallel.ForAsync(0, 20, Stop, async (i, stop) => await reader.ReadAsync(i * 102_400, read.AsMemory(i * 102_400, 102_400), stop));
        Assert.Equal(kept, read);
    }

    [Fact]
    public async Task Frames_for_a_client_of_another_node_go_on_when_the_packs_were_emptied()
    {
        byte[] kept = RandomNumberGenerator.GetBytes(3000 * 4096), deleted = [.. kept, .. RandomNumberGenerator.GetBytes(36_000_000)];
        var gone = await PutAsync(deleted);
        var digest = await PutAsync(kept);
        await using var reader = await Open().OpenAsync(digest, Stop);
        using var frames = new MemoryStream();
        await foreach (var piece in reader.ZstdFrames!.WithCancellation(Stop))
        {
            if (frames.Length == 0)
            {
                await _store.DeleteAsync(gone, Stop);
                await CollectAllAsync();
            }

            frames.Write(piece.Span);
        }

        frames.Position = 0;
        await using var plain = new ZstdStream(frames);
        var read = new byte[kept.Length];
        await plain.ReadExactlyAsync(read, Stop);
        Assert.Equal(kept, read);
        Assert.Equal(0, await plain.ReadAsync(new byte[1], Stop));
    }

    [Fact]
    public async Task What_a_writer_refers_to_stays_even_if_the_writer_is_on_another_node()
    {
        var content = RandomNumberGenerator.GetBytes(2_000_000);
        var digest = await PutAsync(content);
        await using var writer = await Open().OpenWriterAsync(new StagingKey("far"), Stop);
        await writer.WriteAsync(content, Stop);
        await writer.FlushAsync(Stop);
        await _store.DeleteAsync(digest, Stop);
        await CollectAllAsync();

        await writer.CommitAsync(digest, Stop);
        _store = Open();
        Assert.Equal(digest, await DigestOfAsync(digest));
    }

    [Fact]
    public async Task A_condemned_pack_is_not_referred_to_anew_and_forgiven_when_it_is_needed_after_all()
    {
        var content = RandomNumberGenerator.GetBytes(2_000_000);
        var digest = await PutAsync(content);
        await _store.DeleteAsync(digest, Stop);
        _clock.Advance(2 * Grace);
        await _store.CollectAsync(null, Stop);

        await PutAsync(content);
        Assert.Equal(2, await _objects.ListAsync(StoreLayout.PackPrefix, Stop).CountAsync(Stop));
        await CollectAllAsync();
        Assert.Single(await _objects.ListAsync(StoreLayout.PackPrefix, Stop).ToListAsync(Stop));
        Assert.Equal(digest, await DigestOfAsync(digest));
    }

    [Fact]
    public async Task The_report_says_what_each_content_takes_and_its_parts_are_the_whole()
    {
        var shared = RandomNumberGenerator.GetBytes(409_600);
        var first = await PutAsync([.. shared, .. RandomNumberGenerator.GetBytes(819_200)]);
        var second = await PutAsync([.. shared, .. new byte[1_000_000], .. RandomNumberGenerator.GetBytes(204_800)]);

        var report = await ReportAsync();
        Assert.Equal(await SizeAsync(), report.Stored);
        Assert.Equal(report.Stored, report.Unique + report.Shared + report.Metadata + report.Staged + report.Collectable);
        Assert.InRange(report.Shared, 409_600, 420_000);
        Assert.Equal(report.Unique, report.Contents.Sum(c => c.Unique));
        var uses = report.Contents.ToDictionary(c => c.Digest);
        Assert.InRange(uses[first].Unique, 819_200, 840_000);
        Assert.InRange(uses[second].Unique, 204_800, 215_000);
        Assert.All(uses.Values, use => Assert.Equal(report.Shared, use.Shared));
        Assert.Equal(0, report.Collectable);
    }

    [Fact]
    public async Task One_flipped_bit_anywhere_in_a_pack_a_map_or_a_record_is_found_and_never_served()
    {
        var content = RandomNumberGenerator.GetBytes(600_000);
        var digest = await PutAsync(content);
        Assert.Empty((await _store.ScrubAsync(null, null, Stop)).Faults);

        var random = new Random(3);
        await foreach (var found in _objects.ListAsync("", Stop))
        {
            string[] prefixes = [StoreLayout.PackPrefix, StoreLayout.MapPrefix, StoreLayout.ContentPrefix];
            if (!prefixes.Any(prefix => found.Name.StartsWith(prefix, StringComparison.Ordinal)))
                continue;

            for (var i = 0; i < 60; i++)
            {
                var isRecord = found.Name.StartsWith(StoreLayout.ContentPrefix, StringComparison.Ordinal);
                var offset = random.NextInt64(isRecord ? 0 : PackFormat.HeadLength, found.Length);
                _objects.Flip(found.Name, offset);
                _store = Open();
                var served = await TryReadAsync(digest);
                Assert.True(served is null || content.AsSpan().SequenceEqual(served), $"{found.Name} at {offset}");
                var faults = (await _store.ScrubAsync(null, null, Stop)).Faults;

                // What stands before a segment's bytes is needed only to go on with a pack whose writer died.
                if (served is null)
                    Assert.Contains(faults, f => f.Contents.Contains(digest));
                _objects.Flip(found.Name, offset);
            }
        }
    }

    [Fact]
    public async Task One_flipped_bit_anywhere_in_a_pack_or_a_map_is_not_copied_to_another_store()
    {
        var content = RandomNumberGenerator.GetBytes(600_000);
        var digest = await PutAsync(content);
        var packs = await _objects.ListAsync(StoreLayout.PackPrefix, Stop).ToListAsync(Stop);
        var random = new Random(4);
        for (var i = 0; i < 100; i++)
        {
            var offset = random.NextInt64(PackFormat.HeadLength, packs[0].Length);
            _objects.Flip(packs[0].Name, offset);
            var copy = await TryCopyAsync(digest);
            Assert.True(copy is null || content.AsSpan().SequenceEqual(copy), $"at {offset}");
            _objects.Flip(packs[0].Name, offset);
        }

        Assert.Equal(content, await TryCopyAsync(digest));
    }

    [Theory]
    [InlineData(0.5)] // a segment
    [InlineData(1)] // the foot, without which nothing of the pack can be read
    public async Task Nothing_new_is_made_of_what_a_scrub_found_damaged(double part)
    {
        var (content, other) = (RandomNumberGenerator.GetBytes(600_000), RandomNumberGenerator.GetBytes(600_000));
        await PutAsync(other);
        var healthy = await PacksAsync();
        var digest = await PutAsync(content);
        var pack = Assert.Single((await PacksAsync()).Except(healthy));
        var length = (await _objects.FindAsync(pack, Stop))!.Value.Length;
        _objects.Flip(pack, (long)((length - 1) * part));
        _store = Open();

        var fault = Assert.Single((await _store.ScrubAsync(null, null, Stop)).Faults);
        Assert.Equal([digest], fault.Contents);
        await _store.DeleteAsync(digest, Stop);
        await PutAsync(content);
        Assert.Equal(digest, await DigestOfAsync(digest));

        await CollectAllAsync();
        Assert.DoesNotContain(pack, await PacksAsync());
        Assert.Equal(digest, await DigestOfAsync(digest));
        Assert.Empty((await _store.ScrubAsync(null, null, Stop)).Faults);
        Assert.Empty(await _objects.ListAsync(StoreLayout.DamagedPrefix, Stop).ToListAsync(Stop));
    }

    [Theory]
    [InlineData(StoreLayout.PackPrefix)]
    [InlineData(StoreLayout.MapPrefix)]
    public async Task A_scrub_believes_nothing_that_was_read_before(string prefix)
    {
        var digest = await PutAsync(RandomNumberGenerator.GetBytes(600_000));
        Assert.Equal(digest, await DigestOfAsync(digest));
        var found = await _objects.ListAsync(prefix, Stop).SingleAsync(Stop);
        _objects.Flip(found.Name, found.Length - 1);
        Assert.Equal([digest], Assert.Single((await _store.ScrubAsync(null, null, Stop)).Faults).Contents);
    }

    [Fact]
    public async Task A_pack_that_turns_out_to_be_whole_is_of_use_again()
    {
        var content = RandomNumberGenerator.GetBytes(600_000);
        await PutAsync(content);
        var pack = Assert.Single(await PacksAsync());
        _objects.Flip(pack, 1000);
        Assert.Single((await _store.ScrubAsync(null, null, Stop)).Faults);
        await CollectAllAsync();
        _objects.Flip(pack, 1000);

        Assert.Empty((await _store.ScrubAsync(null, null, Stop)).Faults);
        var before = await SizeAsync();
        await PutAsync([.. content, 1]);
        Assert.InRange(await SizeAsync() - before, 1, 10_000);
    }

    private async Task<List<string>> PacksAsync() =>
        await _objects.ListAsync(StoreLayout.PackPrefix, Stop).Select(o => o.Name).ToListAsync(Stop);

    [Fact]
    public async Task Content_whose_map_is_lost_keeps_its_packs_and_is_healed_when_it_comes_again()
    {
        var content = RandomNumberGenerator.GetBytes(600_000);
        var digest = await PutAsync(content);
        var map = await _objects.ListAsync(StoreLayout.MapPrefix, Stop).SingleAsync(Stop);
        await _objects.DeleteAsync(map.Name, Stop);
        _store = Open();
        await Assert.ThrowsAsync<StoreDamagedException>(CollectAllAsync);
        Assert.Single(await _objects.ListAsync(StoreLayout.PackPrefix, Stop).ToListAsync(Stop));
        Assert.Contains((await _store.ScrubAsync(null, null, Stop)).Faults, f => f.Contents.Contains(digest));

        await PutAsync(content);
        Assert.Equal(digest, await DigestOfAsync(digest));
        Assert.Single(await _objects.ListAsync(StoreLayout.PackPrefix, Stop).ToListAsync(Stop));
    }

    [Fact]
    public async Task A_record_that_is_damaged_is_reported_and_stops_nothing_but_collections()
    {
        var lost = await PutAsync(RandomNumberGenerator.GetBytes(50_000));
        var kept = await PutAsync(RandomNumberGenerator.GetBytes(50_000));
        await _objects.PutAsync(StoreLayout.ContentName(lost), "{"u8.ToArray(), Stop);
        _clock.Advance(2 * Grace);

        Assert.Equal([kept], await _store.ListAsync(Stop).Select(c => c.Digest).ToListAsync(Stop));
        Assert.Contains((await _store.ScrubAsync(null, null, Stop)).Faults, f => f.Contents.Contains(lost));
        await Assert.ThrowsAsync<StoreDamagedException>(() => _store.CollectAsync(null, Stop));
        Assert.Equal(kept, await DigestOfAsync(kept));
        await AssertReportedAsync(isWhole: false, [kept]);

        await _store.DeleteAsync(lost, Stop);
        await CollectAllAsync();
        Assert.Equal(kept, await DigestOfAsync(kept));
        await AssertReportedAsync(isWhole: true, [kept]);
    }

    [Fact]
    public async Task A_report_of_a_store_in_which_something_is_damaged_says_what_it_does_not_know()
    {
        var (one, two) = (await PutAsync(RandomNumberGenerator.GetBytes(50_000)), await PutAsync(RandomNumberGenerator.GetBytes(50_000)));
        await AssertReportedAsync(isWhole: true, [one, two]);
        foreach (var prefix in new[] { StoreLayout.MapPrefix, StoreLayout.PackPrefix })
        {
            var damaged = await _objects.ListAsync(prefix, Stop).FirstAsync(Stop);
            _objects.Flip(damaged.Name, damaged.Length - 1);
            _store = Open();
            await AssertReportedAsync(isWhole: false, [one, two]);
            _objects.Flip(damaged.Name, damaged.Length - 1);
            _store = Open();
        }
    }

    private async Task AssertReportedAsync(bool isWhole, IReadOnlyList<Digest> contents)
    {
        var report = await _store.ReportAsync(Stop);
        Assert.Equal(isWhole, report.Unreadable == 0);
        Assert.Equal(contents.Select(c => c.Hex).Order(), report.Contents.Select(c => c.Digest.Hex).Order());
        Assert.Equal(report.Stored, report.Unique + report.Shared + report.Metadata + report.Staged + report.Collectable + report.Unreadable);
        Assert.Equal(report.Stored, (await _objects.ListAsync("", Stop).ToListAsync(Stop)).Sum(o => o.Length));
    }

    [Fact]
    public async Task What_an_upload_has_in_a_condemned_pack_is_not_lost_when_it_goes_on()
    {
        var content = RandomNumberGenerator.GetBytes(400_000);
        for (var at = 0; at < 200_000; at += 20_000)
        {
            await using var writer = await _store.OpenWriterAsync(new StagingKey("key"), Stop);
            await writer.WriteAsync(content.AsMemory(at, 20_000), Stop);
        }

        _clock.Advance(2 * Grace);
        await _store.CollectAsync(null, Stop);
        await using var last = await _store.OpenWriterAsync(new StagingKey("key"), Stop);
        Assert.Equal(200_000, last.Length);
        await last.WriteAsync(content.AsMemory(200_000), Stop);
        await last.CommitAsync(Digest.Of(content), Stop);
        await CollectAllAsync();
        Assert.Equal(Digest.Of(content), await DigestOfAsync(Digest.Of(content)));
    }

    [Fact]
    public async Task Nothing_is_lost_while_contents_come_and_go_and_are_collected()
    {
        var random = new Random(5);
        var pool = RandomNumberGenerator.GetBytes(2_000_000);
        var kept = new Dictionary<Digest, byte[]>();
        for (var round = 0; round < 25; round++)
        {
            var writes = Enumerable.Range(0, 3).Select(i => PutAsync(Pick(pool, new Random(round * 10 + i)), $"writer-{i}")).ToArray();
            var collection = _store.CollectAsync(null, Stop);
            foreach (var (write, i) in writes.Select((w, i) => (w, i)))
                kept[await write] = Pick(pool, new Random(round * 10 + i));

            await collection;
            foreach (var gone in kept.Keys.Where(_ => random.Next(4) == 0).ToList())
            {
                kept.Remove(gone);
                await _store.DeleteAsync(gone, Stop);
            }

            _clock.Advance(Grace / 3);
            if (round % 5 == 4)
                _store = Open();
        }

        await CollectAllAsync();
        foreach (var digest in kept.Keys)
            Assert.Equal(digest, await DigestOfAsync(digest));

        Assert.Empty((await _store.ScrubAsync(null, null, Stop)).Faults);
        var report = await ReportAsync();
        Assert.Equal(await SizeAsync(), report.Stored);
    }

    private static byte[] Pick(byte[] pool, Random random)
    {
        var parts = new MemoryStream();
        for (var i = random.Next(1, 6); i > 0; i--)
        {
            var length = random.Next(1, 300_000);
            parts.Write(pool, random.Next(0, (pool.Length - length) / 4096) * 4096, length);
        }

        return parts.ToArray();
    }

    private ChunkedStore Open() =>
        new("memory", _objects, new ChunkedStoreOptions { CollectionGrace = Grace }, _clock, _ => Task.FromResult(true));

    // So often that what is emptied and what is condemned by one run is gone at the end.
    private async Task CollectAllAsync()
    {
        for (var i = 0; i < 5; i++)
        {
            _clock.Advance(2 * Grace);
            await _store.CollectAsync(null, Stop);
        }
    }

    private async Task<StoreReport> ReportAsync() => await _store.ReportAsync(Stop);

    private async Task<long> SizeAsync() => (await _objects.ListAsync("", Stop).ToListAsync(Stop)).Sum(o => o.Length);

    private async Task<Digest> PutAsync(byte[] content, string key = "key")
    {
        await using var writer = await _store.OpenWriterAsync(new StagingKey(key), Stop);
        await writer.WriteAsync(content, Stop);
        await writer.CommitAsync(Digest.Of(content), Stop);
        return Digest.Of(content);
    }

    private async Task<Digest> DigestOfAsync(Digest digest) => Digest.Of(await ReadAsync(digest));

    private async Task<byte[]?> TryReadAsync(Digest digest)
    {
        try
        {
            return await ReadAsync(digest);
        }
        catch (StoreDamagedException)
        {
            return null;
        }
    }

    // Into a store of its own; null where the copy refused what it was given.
    private async Task<byte[]?> TryCopyAsync(Digest digest)
    {
        _store = Open();
        await using var other = new ChunkedStore(
            "other", new MemoryObjects("other", _clock), new ChunkedStoreOptions(), _clock, _ => Task.FromResult(true));
        try
        {
            await using var reader = await _store.OpenAsync(digest, Stop);
            await using var writer = await other.OpenWriterAsync(new StagingKey("copy"), Stop);
            while (writer.Length < reader.Length)
                await writer.TakeAsync(reader, Stop);

            await writer.CommitAsync(digest, Stop);
            return await ReadAsync(other, digest);
        }
        catch (StoreDamagedException)
        {
            return null;
        }
    }

    private Task<byte[]> ReadAsync(Digest digest) => ReadAsync(_store, digest);

    private static async Task<byte[]> ReadAsync(ChunkedStore store, Digest digest)
    {
        await using var reader = await store.OpenAsync(digest, Stop);
        var bytes = new byte[reader.Length];
        for (var count = 0; count < bytes.Length;)
            count += await reader.ReadAsync(count, bytes.AsMemory(count), Stop);

        return bytes;
    }
}
