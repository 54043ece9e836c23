using Vitrine.Stores.Objects;

namespace Vitrine.ContractTests.Stores;

/// <summary>What every store of named objects must do. A new one gets these tests by naming itself below.</summary>
public abstract class ObjectStoreContract : IAsyncLifetime
{
    private const string Name = "packs/one";
    private const string Growing = "staging/a.log";
    private static readonly byte[] Bytes = [1, 2, 3, 4, 5];

    // As long as what is appended to a pack.
    private const int Segment = 250_000;

    private readonly List<IObjectStore> _open = [];

    private protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    private protected IObjectStore Store { get; private set; } = null!;

    /// <summary>Another client of the store of this test, as another node has one.</summary>
    private protected abstract Task<IObjectStore> OpenAsync();

    /// <summary>The store after the power went while these appenders were open.</summary>
    private protected virtual async Task<IObjectStore> CutPowerAsync(params ObjectAppender[] open)
    {
        foreach (var appender in open)
            await appender.DisposeAsync();

        return await OpenAnotherAsync();
    }

    public virtual async ValueTask InitializeAsync() => Store = await OpenAnotherAsync();

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var store in _open)
            await store.DisposeAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(1_000_001)]
    [InlineData(20 * 1024 * 1024 + 3)]
    public async Task An_object_is_as_it_was_put(int length)
    {
        var bytes = Some(length);
        await Store.PutAsync(Name, bytes, Stop);

        var other = await OpenAnotherAsync();
        var found = await other.FindAsync(Name, Stop);
        Assert.Equal((Name, length), (found!.Value.Name, found.Value.Length));
        AssertSame(bytes, await ReadAllAsync(other, Name));
    }

    [Fact]
    public async Task What_is_not_there_is_not_found_and_can_be_deleted()
    {
        await Store.PutAsync("packs/one-more", Bytes, Stop);
        Assert.Null(await Store.FindAsync(Name, Stop));
        await Assert.ThrowsAsync<ObjectMissingException>(() => Store.ReadAsync(Name, 0, new byte[1], Stop).AsTask());
        await Assert.ThrowsAsync<ObjectMissingException>(() => Store.ReadAsync(Name, 10, new byte[1], Stop).AsTask());
        await Store.DeleteAsync(Name, Stop);
        Assert.Equal(["packs/one-more"], await NamesAsync(Store, "packs/"));
    }

    [Theory]
    [InlineData(0, 5, 5)]
    [InlineData(0, 2, 2)]
    [InlineData(3, 9, 2)]
    [InlineData(4, 1, 1)]
    [InlineData(5, 9, 0)]
    [InlineData(700, 9, 0)]
    [InlineData(2, 0, 0)]
    public async Task A_range_is_read_up_to_the_end(long offset, int wanted, int expected)
    {
        await Store.PutAsync(Name, Bytes, Stop);
        var buffer = new byte[wanted];
        Assert.Equal(expected, await Store.ReadAsync(Name, offset, buffer, Stop));
        Assert.Equal(Bytes.Skip((int)offset).Take(expected), buffer[..expected]);
    }

    [Fact]
    public async Task A_put_replaces_what_had_the_name_for_everybody_at_once()
    {
        var other = await OpenAnotherAsync();
        for (byte i = 1; i < 10; i++)
        {
            var bytes = Enumerable.Repeat(i, 3 * i).ToArray();
            await Store.PutAsync(Name, bytes, Stop);
            Assert.Equal(bytes, await ReadAllAsync(Store, Name));
            Assert.Equal(bytes, await ReadAllAsync(other, Name));
            Assert.Equal(bytes.Length, Assert.Single(await ListAsync(other, Name)).Length);
        }
    }

    [Fact]
    public async Task A_reader_sees_the_old_bytes_or_the_new_ones()
    {
        const int Length = 200_000;
        await Store.PutAsync(Name, Filled(0, Length), Stop);
        var writing = Task.Run(
            async () =>
            {
                for (byte i = 1; i < 20; i++)
                    await Store.PutAsync(Name, Filled(i, Length), Stop);
            },
            Stop);

        var reads = 0;
        var buffer = new byte[Length];
        do
        {
            Assert.Equal(Length, await Store.ReadAsync(Name, 0, buffer, Stop));
            Assert.Equal(-1, buffer.AsSpan().IndexOfAnyExcept(buffer[0]));
            reads++;
        }
        while (!writing.IsCompleted || reads < 3);

        await writing;
        Assert.Equal(Filled(19, Length), await ReadAllAsync(Store, Name));
    }

    [Fact]
    public async Task A_long_read_is_of_one_object_too()
    {
        const int Length = 17 * 1024 * 1024;
        await Store.PutAsync(Name, Filled(1, Length), Stop);
        var replacing = Store.PutAsync(Name, Filled(2, Length), Stop);
        var buffer = new byte[Length];
        do
        {
            Assert.Equal(Length, await Store.ReadAsync(Name, 0, buffer, Stop));
            Assert.Equal(-1, buffer.AsSpan().IndexOfAnyExcept(buffer[0]));
        }
        while (!replacing.IsCompleted);

        await replacing;
    }

    [Fact]
    public async Task What_was_deleted_is_gone_for_everybody_at_once()
    {
        var other = await OpenAnotherAsync();
        await Store.PutAsync(Name, Bytes, Stop);
        Assert.Equal(Bytes, await ReadAllAsync(other, Name));

        await Store.DeleteAsync(Name, Stop);
        foreach (var client in new[] { Store, other })
        {
            Assert.Null(await client.FindAsync(Name, Stop));
            await Assert.ThrowsAsync<ObjectMissingException>(() => client.ReadAsync(Name, 0, new byte[1], Stop).AsTask());
            Assert.Empty(await ListAsync(client, Name));
        }
    }

    [Fact]
    public async Task Lists_hold_what_begins_with_the_prefix()
    {
        string[] names = ["maps/ab/1", "maps/ab/2", "maps/abc", "maps/b", "packs/1", "packs/1-a", "packs/1.a", "packs/10", "store"];
        for (var i = 0; i < names.Length; i++)
            await Store.PutAsync(names[i], new byte[i], Stop);

        var other = await OpenAnotherAsync();
        Assert.Equal(names, (await NamesAsync(other, "")).Except(["proof"]));
        Assert.Equal(["maps/ab/1", "maps/ab/2", "maps/abc"], await NamesAsync(other, "maps/ab"));
        Assert.Equal(["maps/ab/1", "maps/ab/2"], await NamesAsync(other, "maps/ab/"));
        Assert.Equal(["packs/1", "packs/1-a", "packs/1.a", "packs/10"], await NamesAsync(other, "packs/1"));
        Assert.Equal(["store"], await NamesAsync(other, "sto"));
        Assert.Empty(await NamesAsync(other, "pack/"));
        Assert.Empty(await NamesAsync(other, "packs/11"));
        Assert.Equal([4, 5, 6, 7], (await ListAsync(other, "packs/")).OrderBy(o => o.Name, StringComparer.Ordinal).Select(o => o.Length));
    }

    [Fact]
    public async Task What_is_cancelled_does_not_happen()
    {
        var cancelled = new CancellationToken(canceled: true);
        await Store.PutAsync(Name, Bytes, Stop);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.PutAsync("packs/two", Bytes, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.ReadAsync(Name, 0, new byte[1], cancelled).AsTask());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.DeleteAsync(Name, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.ListAsync("packs/", cancelled).AnyAsync(cancelled).AsTask());
        Assert.Equal([Name], await NamesAsync(Store, "packs/"));
    }

    [Fact]
    public async Task An_object_that_grows_can_be_read_meanwhile()
    {
        await using var appender = await Store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(0, appender.Length);
        Assert.Equal(0, await appender.ReadAsync(0, new byte[9], Stop));

        var expected = new List<byte>();
        for (var i = 0; i < 12; i++)
        {
            var bytes = Some(1 + 1000 * i, seed: i);
            await appender.AppendAsync(bytes, Stop);
            expected.AddRange(bytes);
            if (i % 3 == 1)
                await appender.FlushAsync(Stop);

            Assert.Equal(expected.Count, appender.Length);
            Assert.Equal(expected, await ReadAllAsync(appender));
        }

        var middle = new byte[20_000];
        Assert.Equal(middle.Length, await appender.ReadAsync(3_000, middle, Stop));
        Assert.Equal(expected.Skip(3_000).Take(middle.Length), middle);
        Assert.Equal(2, await appender.ReadAsync(appender.Length - 2, middle, Stop));
        Assert.Equal(0, await appender.ReadAsync(appender.Length + 7, middle, Stop));
    }

    [Fact]
    public async Task What_was_flushed_survives_a_power_cut()
    {
        var bytes = Some(300_000);
        var appender = await Store.OpenAppenderAsync(Growing, Stop);
        await appender.AppendAsync(bytes.AsMemory(0, 100_000), Stop);
        await appender.FlushAsync(Stop);
        await appender.AppendAsync(bytes.AsMemory(100_000, 100_000), Stop);
        await appender.FlushAsync(Stop);
        await appender.AppendAsync(bytes.AsMemory(200_000), Stop);

        var store = await CutPowerAsync(appender);
        await using var next = await store.OpenAppenderAsync(Growing, Stop);
        var kept = await ReadAllAsync(next);
        Assert.InRange(kept.Length, 200_000, bytes.Length);
        Assert.Equal(bytes[..kept.Length], kept);
        Assert.Equal(kept.Length, next.Length);
    }

    [Fact]
    public async Task An_object_that_an_earlier_appender_left_behind_goes_on()
    {
        var bytes = Some(50_000);
        for (var at = 0; at < bytes.Length; at += 10_000)
        {
            var store = await OpenAnotherAsync();
            await using var appender = await store.OpenAppenderAsync(Growing, Stop);
            Assert.Equal(at, appender.Length);
            await appender.AppendAsync(bytes.AsMemory(at, 10_000), Stop);
            await appender.FlushAsync(Stop);
        }

        await using var last = await Store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(bytes, await ReadAllAsync(last));
    }

    [Fact]
    public async Task An_object_that_grows_is_listed_once_as_long_as_it_was_flushed()
    {
        foreach (var neighbour in new[] { "staging/a", "staging/a.log-1", "staging/a.log2", "staging/b" })
            await Store.PutAsync(neighbour, Bytes, Stop);

        var other = await OpenAnotherAsync();
        await using var appender = await Store.OpenAppenderAsync(Growing, Stop);
        for (var flushed = 5; flushed <= 25; flushed += 5)
        {
            await appender.AppendAsync(Bytes, Stop);
            await appender.FlushAsync(Stop);
            foreach (var prefix in new[] { "", "staging/", "staging/a", Growing })
                Assert.Equal(flushed, Assert.Single(await ListAsync(other, prefix), o => o.Name == Growing).Length);

            Assert.Equal(Enumerable.Repeat(Bytes, flushed / 5).SelectMany(b => b), await ReadAllAsync(other, Growing));
        }

        Assert.Equal(["staging/a", Growing, "staging/a.log-1", "staging/a.log2", "staging/b"], await NamesAsync(other, "staging/"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(70_000)]
    [InlineData(21 * 1024 * 1024)]
    public async Task A_sealed_object_is_one_like_any_other(int length)
    {
        var bytes = Some(length);
        var appender = await Store.OpenAppenderAsync(Growing, Stop);
        await appender.AppendAsync(bytes.AsMemory(0, length / 3), Stop);
        await appender.FlushAsync(Stop);
        await appender.AppendAsync(bytes.AsMemory(length / 3), Stop);
        await appender.SealAsync(Name, Stop);

        var store = await CutPowerAsync(appender);
        Assert.Equal(length, (await store.FindAsync(Name, Stop))!.Value.Length);
        AssertSame(bytes, await ReadAllAsync(store, Name));
        Assert.Empty(await ListAsync(store, "staging/"));
        Assert.Equal(length, Assert.Single(await ListAsync(store, "packs/")).Length);

        await using var next = await store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(0, next.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(70_000)]
    [InlineData(8 * 1024 * 1024)]
    [InlineData(8 * 1024 * 1024 + 1)]
    [InlineData(16 * 1024 * 1024 - 1)]
    [InlineData(16 * 1024 * 1024)]
    [InlineData(27 * 1024 * 1024)]
    public async Task An_object_that_grows_without_being_flushed_is_sealed_as_it_grew(int length)
    {
        var bytes = Some(length);
        var appender = await Store.BeginAppenderAsync(Growing, Name, Stop);
        await AppendAsync(appender, bytes);
        Assert.Equal(length, appender.Length);
        await appender.SealAsync(Name, Stop);

        var store = await CutPowerAsync(appender);
        AssertSame(bytes, await ReadAllAsync(store, Name));
        Assert.Empty(await ListAsync(store, "staging/"));
    }

    [Fact]
    public async Task An_object_that_was_flushed_early_can_be_flushed_ever_after()
    {
        var bytes = Some(21 * 1024 * 1024);
        var appender = await Store.BeginAppenderAsync(Growing, Name, Stop);
        await AppendAsync(appender, bytes.AsMemory(0, 9_000_000));
        Assert.False(appender.IsBeyondFlushing);
        AssertSame(bytes[..9_000_000], await ReadAllAsync(appender));
        await appender.CutAsync(8_000_000, Stop);
        await appender.FlushAsync(Stop);
        await AppendAsync(appender, bytes.AsMemory(8_000_000));
        Assert.False(appender.IsBeyondFlushing);
        await appender.FlushAsync(Stop);
        AssertSame(bytes, await ReadAllAsync(appender));

        var store = await CutPowerAsync(appender);
        await using var next = await store.OpenAppenderAsync(Growing, Stop);
        AssertSame(bytes, await ReadAllAsync(next));
        await next.SealAsync(Name, Stop);
        AssertSame(bytes, await ReadAllAsync(store, Name));
    }

    [Fact]
    public async Task An_object_that_is_given_up_before_it_is_sealed_is_not_there()
    {
        await using (var appender = await Store.BeginAppenderAsync(Growing, Name, Stop))
        {
            await AppendAsync(appender, Some(20 * 1024 * 1024));
            await appender.CutAsync(0, Stop);
            Assert.Equal(0, appender.Length);
        }

        await using (var appender = await Store.BeginAppenderAsync(Growing, Name, Stop))
            await AppendAsync(appender, Some(20 * 1024 * 1024));

        await Store.DeleteAsync(Growing, Stop);
        Assert.Null(await Store.FindAsync(Name, Stop));
        Assert.Empty(await ListAsync(Store, "staging/"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(60)]
    [InlineData(100)]
    [InlineData(150)]
    [InlineData(200)]
    [InlineData(230)]
    [InlineData(300)]
    [InlineData(999)]
    public async Task What_is_behind_a_cut_is_given_up(int length)
    {
        var (bytes, more) = (Some(300), Some(40, seed: 2));
        var appender = await Store.OpenAppenderAsync(Growing, Stop);
        for (var at = 0; at < bytes.Length; at += 100)
        {
            await appender.AppendAsync(bytes.AsMemory(at, 100), Stop);
            if (at < 200)
                await appender.FlushAsync(Stop);
        }

        await appender.CutAsync(length, Stop);
        var expected = bytes.Take(length).ToList();
        Assert.Equal(expected.Count, appender.Length);
        Assert.Equal(expected, await ReadAllAsync(appender));

        await appender.FlushAsync(Stop);
        Assert.Equal(expected.Count, Assert.Single(await ListAsync(Store, Growing)).Length);

        await appender.AppendAsync(more, Stop);
        await appender.FlushAsync(Stop);
        expected.AddRange(more);
        var store = await CutPowerAsync(appender);
        await using var next = await store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(expected, await ReadAllAsync(next));
    }

    [Fact]
    public async Task Deleting_the_name_of_an_object_that_grows_deletes_it()
    {
        await using (var appender = await Store.OpenAppenderAsync(Growing, Stop))
        {
            await appender.AppendAsync(Bytes, Stop);
            await appender.FlushAsync(Stop);
            await appender.AppendAsync(Bytes, Stop);
            await appender.FlushAsync(Stop);
        }

        await Store.DeleteAsync(Growing, Stop);
        Assert.Empty(await ListAsync(Store, "staging/"));
        await using var next = await Store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(0, next.Length);
    }

    [Fact]
    public async Task A_flush_may_run_beside_appends()
    {
        var bytes = Some(400_000);
        var appender = await Store.OpenAppenderAsync(Growing, Stop);
        var appending = Task.Run(
            async () =>
            {
                for (var at = 0; at < bytes.Length; at += 1000)
                    await appender.AppendAsync(bytes.AsMemory(at, 1000), Stop);
            },
            Stop);
        while (!appending.IsCompleted)
            await appender.FlushAsync(Stop);

        await appending;
        await appender.FlushAsync(Stop);
        var store = await CutPowerAsync(appender);
        await using var next = await store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(bytes, await ReadAllAsync(next));
    }

    [Fact]
    public async Task It_may_be_flushed_after_every_word()
    {
        var expected = new List<byte>();
        await using (var appender = await Store.OpenAppenderAsync(Growing, Stop))
        {
            for (var i = 0; i < 150; i++)
            {
                var word = Some(1 + i, seed: i);
                await appender.AppendAsync(word, Stop);
                await appender.FlushAsync(Stop);
                expected.AddRange(word);
            }

            Assert.Equal(expected, await ReadAllAsync(appender));
        }

        await using var next = await Store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(expected, await ReadAllAsync(next));
        await next.SealAsync(Name, Stop);
        Assert.Equal(expected, await ReadAllAsync(Store, Name));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_order_it_is_appended_cut_and_opened_in_it_holds_what_it_should(int seed)
    {
        var random = new Random(seed);
        var expected = new List<byte>();
        var appender = await Store.OpenAppenderAsync(Growing, Stop);
        for (var step = 0; step < 60; step++)
        {
            switch (random.Next(6))
            {
                case 0 or 1 or 2:
                    var bytes = Some(random.Next(0, 3000), seed: 100 * seed + step);
                    await appender.AppendAsync(bytes, Stop);
                    expected.AddRange(bytes);
                    break;
                case 3:
                    await appender.FlushAsync(Stop);
                    break;
                case 4 when random.Next(2) == 0:
                    var length = random.Next(0, expected.Count + 10);
                    await appender.CutAsync(length, Stop);
                    expected = expected.Take(length).ToList();
                    break;
                case 5 when random.Next(2) == 0:
                    await appender.FlushAsync(Stop);
                    await appender.DisposeAsync();
                    appender = await (await OpenAnotherAsync()).OpenAppenderAsync(Growing, Stop);
                    break;
            }

            Assert.Equal(expected.Count, appender.Length);
            var from = random.Next(0, expected.Count + 1);
            var read = new byte[random.Next(0, 4000)];
            var count = await appender.ReadAsync(from, read, Stop);
            Assert.Equal(expected.Skip(from).Take(read.Length), read.Take(count));
        }

        await appender.SealAsync(Name, Stop);
        await appender.DisposeAsync();
        Assert.Equal(expected, await ReadAllAsync(Store, Name));
    }

    [Fact]
    public async Task An_append_that_is_cancelled_leaves_nothing()
    {
        await using (var appender = await Store.OpenAppenderAsync(Growing, Stop))
        {
            await appender.AppendAsync(Bytes, Stop);
            try
            {
                await appender.AppendAsync(Some(1_000_000), new CancellationToken(canceled: true));
                await appender.CutAsync(Bytes.Length, Stop);
            }
            catch (OperationCanceledException)
            {
                Assert.Equal(Bytes.Length, appender.Length);
            }

            await appender.FlushAsync(Stop);
        }

        await using var next = await Store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(Bytes, await ReadAllAsync(next));
    }

    [Fact]
    public async Task One_client_at_a_time_holds_a_lock()
    {
        var other = await OpenAnotherAsync();
        var held = await Store.TryLockAsync("staging/a", Stop);
        Assert.NotNull(held);
        Assert.Null(await Store.TryLockAsync("staging/a", Stop));
        Assert.Null(await other.TryLockAsync("staging/a", Stop));
        await using (var another = await other.TryLockAsync("staging/b", Stop))
            Assert.NotNull(another);

        Assert.Empty(await ListAsync(Store, "staging/"));
        Assert.DoesNotContain(await ListAsync(Store, ""), o => o.Name != "proof");

        await held.DisposeAsync();
        await using var next = await other.TryLockAsync("staging/a", Stop);
        Assert.NotNull(next);

        // What was let go of once is not let go of again in another's hands.
        await held.DisposeAsync();
        Assert.Null(await Store.TryLockAsync("staging/a", Stop));
    }

    [Fact]
    public async Task It_says_how_much_room_there_is_or_that_there_is_no_bound()
    {
        var capacity = await Store.MeasureAsync(Stop);
        Assert.Equal(capacity.Total is null, capacity.Free is null);
        if (capacity is { Total: { } total, Free: { } free })
            Assert.InRange(free, 0, total);
    }

    private protected static byte[] Some(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>As Assert.Equal, which takes its time for millions of bytes.</summary>
    private protected static void AssertSame(byte[] expected, byte[] actual) => Assert.True(expected.AsSpan().SequenceEqual(actual));

    private protected static async Task<byte[]> ReadAllAsync(IObjectStore store, string name)
    {
        var buffer = new byte[(await store.FindAsync(name, Stop))!.Value.Length + 10];
        return buffer[..await store.ReadAsync(name, 0, buffer, Stop)];
    }

    private protected static async Task<byte[]> ReadAllAsync(ObjectAppender appender)
    {
        var buffer = new byte[appender.Length + 10];
        return buffer[..await appender.ReadAsync(0, buffer, Stop)];
    }

    private protected static async Task<List<ObjectFacts>> ListAsync(IObjectStore store, string prefix) => await store.ListAsync(prefix, Stop).ToListAsync(Stop);

    private protected static async Task<IEnumerable<string>> NamesAsync(IObjectStore store, string prefix) =>
        (await ListAsync(store, prefix)).Select(o => o.Name).Order(StringComparer.Ordinal);

    private static async Task AppendAsync(ObjectAppender appender, ReadOnlyMemory<byte> bytes)
    {
        for (; !bytes.IsEmpty; bytes = bytes[Math.Min(bytes.Length, Segment)..])
            await appender.AppendAsync(bytes[..Math.Min(bytes.Length, Segment)], Stop);
    }

    private static byte[] Filled(byte value, int length)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, value);
        return bytes;
    }

    private async Task<IObjectStore> OpenAnotherAsync()
    {
        var store = await OpenAsync();
        _open.Add(store);
        return store;
    }
}
