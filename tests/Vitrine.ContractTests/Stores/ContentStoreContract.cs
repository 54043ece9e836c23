using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.ContractTests.Stores;

/// <summary>What every store must do. A new store gets these tests by naming itself below.</summary>
public abstract class ContentStoreContract
{
    private static readonly byte[] Bytes = [1, 2, 3, 4, 5];
    private static readonly StagingKey Key = new("0198c5d6-one");

    internal abstract IContentStore Store { get; }

    /// <summary>The same store after the power went while these writers were open.</summary>
    internal abstract Task<IContentStore> CutPowerAsync(params ContentWriter[] open);

    private protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Content_cannot_be_seen_until_it_is_committed()
    {
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(Bytes, Stop);
        await writer.FlushAsync(Stop);
        Assert.Null(await Store.FindAsync(Digest.Of(Bytes), Stop));
        Assert.Empty(await Store.ListAsync(Stop).ToListAsync(Stop));
        await Assert.ThrowsAsync<ContentMissingException>(() => Store.OpenAsync(Digest.Of(Bytes), Stop));

        await writer.CommitAsync(Digest.Of(Bytes), Stop);
        Assert.Equal(new StoredContent(Digest.Of(Bytes), Bytes.Length), await Store.FindAsync(Digest.Of(Bytes), Stop));
        Assert.Equal([new StoredContent(Digest.Of(Bytes), Bytes.Length)], await Store.ListAsync(Stop).ToListAsync(Stop));
        Assert.Equal(Bytes, await ReadAllAsync(Store, Digest.Of(Bytes)));
    }

    [Fact]
    public async Task Committed_content_is_not_staged_any_more()
    {
        await PutAsync(Store, Key, Bytes);
        Assert.Empty(await Store.ListStagedAsync(Stop).ToListAsync(Stop));

        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        Assert.Equal(0, writer.Length);
    }

    [Fact]
    public async Task A_writer_that_has_committed_takes_nothing_more()
    {
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(Bytes, Stop);
        await writer.CommitAsync(Digest.Of(Bytes), Stop);

        await Assert.ThrowsAsync<InvalidOperationException>(() => writer.WriteAsync(Bytes, Stop).AsTask());
        await Assert.ThrowsAsync<InvalidOperationException>(() => writer.ResetAsync(Stop));
        Assert.Equal(Bytes, await ReadAllAsync(Store, Digest.Of(Bytes)));
    }

    [Fact]
    public async Task Content_may_be_long_and_come_in_pieces_of_any_length()
    {
        var random = new Random(4);
        var content = new byte[20 * 1024 * 1024];
        random.NextBytes(content);
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        for (var at = 0; at < content.Length;)
        {
            var count = Math.Min(random.Next(0, 1_500_000), content.Length - at);
            await writer.WriteAsync(content.AsMemory(at, count), Stop);
            at += count;
            Assert.Equal(at, writer.Length);
        }

        await writer.CommitAsync(Digest.Of(content), Stop);
        await using var reader = await Store.OpenAsync(Digest.Of(content), Stop);
        Assert.Equal(Digest.Of(content), await DigestOfAsync(reader));
    }

    [Fact]
    public async Task Empty_content_is_content()
    {
        await PutAsync(Store, Key, []);
        Assert.Equal(new StoredContent(Digest.Of([]), 0), await Store.FindAsync(Digest.Of([]), Stop));
        Assert.Empty(await ReadAllAsync(Store, Digest.Of([])));
    }

    [Theory]
    [InlineData(0, 5, 5)]
    [InlineData(0, 2, 2)]
    [InlineData(3, 9, 2)]
    [InlineData(5, 9, 0)]
    [InlineData(2, 0, 0)]
    public async Task A_range_is_read_up_to_the_end(long offset, int wanted, int expected)
    {
        await PutAsync(Store, Key, Bytes);
        await using var reader = await Store.OpenAsync(Digest.Of(Bytes), Stop);

        var buffer = new byte[wanted];
        var count = 0;
        while (await reader.ReadAsync(offset + count, buffer.AsMemory(count), Stop) is > 0 and var read)
            count += read;

        Assert.Equal(expected, count);
        Assert.Equal(Bytes[(int)offset..((int)offset + expected)], buffer[..expected]);
        Assert.Equal(Bytes.Length, reader.Length);
    }

    [Fact]
    public async Task A_file_that_a_reader_hands_out_holds_exactly_the_content()
    {
        await PutAsync(Store, Key, Bytes);
        await using var reader = await Store.OpenAsync(Digest.Of(Bytes), Stop);
        if (reader.File is { } file)
        {
            Assert.Equal(Bytes.Length, file.Length);
            Assert.Equal(Digest.Of(Bytes), Digest.FromHash(await SHA256.HashDataAsync(file, Stop)));
        }

        Assert.Equal(Bytes, await ReadAllAsync(Store, Digest.Of(Bytes)));
    }

    [Fact]
    public async Task Readers_do_not_disturb_each_other()
    {
        var content = RandomNumberGenerator.GetBytes(300_000);
        await PutAsync(Store, Key, content);
        await using var reader = await Store.OpenAsync(Digest.Of(content), Stop);

        var digests = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => DigestOfAsync(reader)));
        Assert.All(digests, d => Assert.Equal(Digest.Of(content), d));
    }

    [Fact]
    public async Task Committing_what_is_there_succeeds_and_changes_nothing()
    {
        await PutAsync(Store, Key, Bytes);
        await using var before = await Store.OpenAsync(Digest.Of(Bytes), Stop);

        await PutAsync(Store, new StagingKey("another"), Bytes);
        Assert.Equal([new StoredContent(Digest.Of(Bytes), Bytes.Length)], await Store.ListAsync(Stop).ToListAsync(Stop));
        Assert.Empty(await Store.ListStagedAsync(Stop).ToListAsync(Stop));
        Assert.Equal(Digest.Of(Bytes), await DigestOfAsync(before));
    }

    [Fact]
    public async Task Many_writers_of_one_content_all_succeed()
    {
        var content = RandomNumberGenerator.GetBytes(100_000);
        using var start = new Barrier(8);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait(Stop);
                return PutAsync(Store, new StagingKey($"writer-{i}"), content);
            },
            Stop, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));

        Assert.Equal([new StoredContent(Digest.Of(content), content.Length)], await Store.ListAsync(Stop).ToListAsync(Stop));
        Assert.Empty(await Store.ListStagedAsync(Stop).ToListAsync(Stop));
        Assert.Equal(content, await ReadAllAsync(Store, Digest.Of(content)));
    }

    [Fact]
    public async Task A_key_has_one_writer_at_a_time()
    {
        await using (await Store.OpenWriterAsync(Key, Stop))
        {
            Assert.Equal(Key, (await Assert.ThrowsAsync<WriterBusyException>(() => Store.OpenWriterAsync(Key, Stop))).Key);
            await using var other = await Store.OpenWriterAsync(new StagingKey("another"), Stop);
        }

        await using var next = await Store.OpenWriterAsync(Key, Stop);
        Assert.Equal(0, next.Length);
    }

    [Fact]
    public async Task The_next_writer_goes_on_where_the_last_one_came_to()
    {
        await using (var writer = await Store.OpenWriterAsync(Key, Stop))
        {
            await writer.WriteAsync(Bytes.AsMemory(0, 2), Stop);
            await writer.FlushAsync(Stop);
            await writer.WriteAsync(Bytes.AsMemory(2, 1), Stop);
        }

        await using var next = await Store.OpenWriterAsync(Key, Stop);
        Assert.Equal(3, next.Length);
        Assert.Equal(Bytes[..3], await ReadBackAsync(next));

        await next.WriteAsync(Bytes.AsMemory(3), Stop);
        await next.CommitAsync(Digest.Of(Bytes), Stop);
        Assert.Equal(Bytes, await ReadAllAsync(Store, Digest.Of(Bytes)));
    }

    [Fact]
    public async Task What_was_flushed_is_there_after_the_power_went()
    {
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(Bytes.AsMemory(0, 2), Stop);
        await writer.FlushAsync(Stop);
        await writer.WriteAsync(Bytes.AsMemory(2, 2), Stop);
        await writer.FlushAsync(Stop);
        await writer.WriteAsync(Bytes.AsMemory(4, 1), Stop);

        var store = await CutPowerAsync(writer);
        Assert.Null(await store.FindAsync(Digest.Of(Bytes), Stop));
        await using var next = await store.OpenWriterAsync(Key, Stop);
        Assert.InRange(next.Length, 4, 5);
        Assert.Equal(Bytes[..(int)next.Length], await ReadBackAsync(next));
    }

    [Fact]
    public async Task What_was_flushed_outlasts_two_power_cuts_in_a_row()
    {
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(Bytes, Stop);
        await writer.FlushAsync(Stop);

        await using var second = await (await CutPowerAsync(writer)).OpenWriterAsync(Key, Stop);
        await using var third = await (await CutPowerAsync(second)).OpenWriterAsync(Key, Stop);
        Assert.Equal(Bytes, await ReadBackAsync(third));
    }

    [Fact]
    public async Task What_was_committed_is_there_after_the_power_went()
    {
        await PutAsync(Store, Key, Bytes);
        Assert.Equal(Bytes, await ReadAllAsync(await CutPowerAsync(), Digest.Of(Bytes)));
    }

    [Fact]
    public async Task A_reset_begins_again()
    {
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(new byte[] { 9, 9, 9, 9, 9, 9, 9 }, Stop);
        await writer.FlushAsync(Stop);
        await writer.ResetAsync(Stop);
        Assert.Equal(0, writer.Length);

        await writer.WriteAsync(Bytes, Stop);
        await writer.CommitAsync(Digest.Of(Bytes), Stop);
        Assert.Equal(Bytes, await ReadAllAsync(Store, Digest.Of(Bytes)));
    }

    [Fact]
    public async Task What_was_written_after_a_reset_is_not_vouched_for_by_a_flush_before_it()
    {
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(Bytes, Stop);
        await writer.FlushAsync(Stop);
        await writer.ResetAsync(Stop);
        await writer.WriteAsync(new byte[] { 9, 9, 9 }, Stop);

        await using var next = await (await CutPowerAsync(writer)).OpenWriterAsync(Key, Stop);
        Assert.Equal(0, next.Length);
    }

    [Fact]
    public async Task A_cancelled_write_leaves_the_length_as_it_was()
    {
        using var cancelled = new CancellationTokenSource();
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(Bytes, Stop);
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writer.WriteAsync(Bytes, cancelled.Token).AsTask());
        Assert.Equal(Bytes.Length, writer.Length);
        await writer.CommitAsync(Digest.Of(Bytes), Stop);
        Assert.Equal(Bytes, await ReadAllAsync(Store, Digest.Of(Bytes)));
    }

    [Fact]
    public async Task Discarding_removes_what_was_staged_and_does_nothing_where_there_is_nothing()
    {
        await using (var writer = await Store.OpenWriterAsync(Key, Stop))
        {
            await writer.WriteAsync(Bytes, Stop);
            await writer.FlushAsync(Stop);
        }

        await Store.DiscardAsync(Key, Stop);
        await Store.DiscardAsync(Key, Stop);
        Assert.Empty(await Store.ListStagedAsync(Stop).ToListAsync(Stop));

        await using var next = await Store.OpenWriterAsync(Key, Stop);
        Assert.Equal(0, next.Length);
    }

    [Fact]
    public async Task What_a_writer_has_open_is_not_discarded()
    {
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(Bytes, Stop);

        await Assert.ThrowsAsync<WriterBusyException>(() => Store.DiscardAsync(Key, Stop));
        await writer.CommitAsync(Digest.Of(Bytes), Stop);
        Assert.Equal(Bytes, await ReadAllAsync(Store, Digest.Of(Bytes)));
    }

    [Fact]
    public async Task What_is_staged_is_listed()
    {
        await using var writer = await Store.OpenWriterAsync(Key, Stop);
        await writer.WriteAsync(Bytes, Stop);
        await using var other = await Store.OpenWriterAsync(new StagingKey("another"), Stop);

        var staged = await Store.ListStagedAsync(Stop).ToListAsync(Stop);
        Assert.Equal(
            [("0198c5d6-one", 5L), ("another", 0L)],
            staged.OrderBy(s => s.Key.Value, StringComparer.Ordinal).Select(s => (s.Key.Value, s.Length)));
        Assert.All(staged, s => Assert.Equal(TimeSpan.Zero, s.LastWrite.Offset));
    }

    [Fact]
    public async Task Deleting_removes_content_and_does_nothing_where_there_is_none()
    {
        await PutAsync(Store, Key, Bytes);
        await Store.DeleteAsync(Digest.Of(Bytes), Stop);
        await Store.DeleteAsync(Digest.Of(Bytes), Stop);
        await Store.DeleteAsync(Digest.Of([77]), Stop);

        Assert.Null(await Store.FindAsync(Digest.Of(Bytes), Stop));
        Assert.Empty(await Store.ListAsync(Stop).ToListAsync(Stop));
        await Assert.ThrowsAsync<ContentMissingException>(() => Store.OpenAsync(Digest.Of(Bytes), Stop));
    }

    [Fact]
    public async Task An_open_reader_reads_on_when_the_content_is_deleted_and_put_again()
    {
        await PutAsync(Store, Key, Bytes);
        await using var reader = await Store.OpenAsync(Digest.Of(Bytes), Stop);
        await Store.DeleteAsync(Digest.Of(Bytes), Stop);
        Assert.Equal(Digest.Of(Bytes), await DigestOfAsync(reader));

        await PutAsync(Store, Key, Bytes);
        Assert.Equal(Digest.Of(Bytes), await DigestOfAsync(reader));
    }

    [Fact]
    public async Task All_content_is_listed_once()
    {
        var contents = Enumerable.Range(0, 40).Select(i => new[] { (byte)i }).ToList();
        foreach (var content in contents)
            await PutAsync(Store, Key, content);

        Assert.Equal(
            contents.Select(c => Digest.Of(c).Hex).Order(StringComparer.Ordinal),
            (await Store.ListAsync(Stop).ToListAsync(Stop)).Select(c => c.Digest.Hex).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_store_that_works_says_so_and_a_probe_leaves_nothing_behind()
    {
        await Store.ProbeAsync(Stop);
        Assert.Empty(await Store.ListAsync(Stop).ToListAsync(Stop));
        Assert.Empty(await Store.ListStagedAsync(Stop).ToListAsync(Stop));

        var capacity = await Store.MeasureAsync(Stop);
        Assert.True(capacity.Free is null || capacity.Free <= capacity.Total);
    }

    [Fact]
    public async Task A_check_finds_every_promise_kept_and_leaves_nothing_behind()
    {
        var check = new StoreOperation { Id = StoreOperationId.New(), Store = "store", Kind = StoreOperationKind.Check, CreatedAt = DateTimeOffset.UnixEpoch };
        await PutAsync(Store, Key, Bytes);
        var result = await new WritingTrial(check, Store, TimeProvider.System).RunAsync(() => Task.CompletedTask, new Progress<UpkeepProgress>(), Stop);

        Assert.Null(result.Fault);
        Assert.Equal("leave", result.Steps[^1].Name);
        Assert.Equal([new StoredContent(Digest.Of(Bytes), Bytes.Length)], await Store.ListAsync(Stop).ToListAsync(Stop));
        Assert.DoesNotContain(await Store.ListStagedAsync(Stop).ToListAsync(Stop), s => s.Key.Check is not null);
    }

    private protected static async Task PutAsync(IContentStore store, StagingKey key, byte[] content)
    {
        await using var writer = await store.OpenWriterAsync(key, Stop);
        await writer.WriteAsync(content, Stop);
        await writer.CommitAsync(Digest.Of(content), Stop);
    }

    private protected static async Task<byte[]> ReadAllAsync(IContentStore store, Digest digest)
    {
        await using var reader = await store.OpenAsync(digest, Stop);
        var content = new byte[reader.Length];
        var count = 0;
        while (await reader.ReadAsync(count, content.AsMemory(count), Stop) is > 0 and var read)
            count += read;

        Assert.Equal(reader.Length, count);
        return content;
    }

    private static async Task<byte[]> ReadBackAsync(ContentWriter writer)
    {
        // More is asked for than there is, to see that no more is given.
        var content = new byte[writer.Length + 10];
        var count = 0;
        while (await writer.ReadAsync(count, content.AsMemory(count), Stop) is > 0 and var read)
            count += read;

        return content[..count];
    }

    private static async Task<Digest> DigestOfAsync(ContentReader reader)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        var offset = 0L;
        while (await reader.ReadAsync(offset, buffer, Stop) is > 0 and var count)
        {
            hash.AppendData(buffer, 0, count);
            offset += count;
        }

        return Digest.FromHash(hash.GetCurrentHash());
    }
}
