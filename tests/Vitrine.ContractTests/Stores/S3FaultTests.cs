using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.Objects;
using Vitrine.Stores.Objects.S3;
using Vitrine.Testing;
using Vitrine.Testing.S3;

namespace Vitrine.ContractTests.Stores;

/// <summary>What the store makes of a server that fails in ways that no real one does when asked to.</summary>
public sealed class S3FaultTests : IAsyncLifetime
{
    private const string Name = "packs/one";
    private const string Growing = "staging/a.log";
    private const int Retries = 3;
    private const int SeveralParts = 17 * 1024 * 1024;
    private static readonly byte[] Bytes = Some(1000);

    private ScriptedS3 _server = null!;
    private S3StoreOptions _options = null!;
    private S3Objects _store = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await ScriptedS3.StartAsync();
        _options = _server.CreatePlace();
        _options.Retries = Retries;
        _store = Open();
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(503, "SlowDown")]
    [InlineData(503, "ServiceUnavailable")]
    [InlineData(500, "InternalError")]
    [InlineData(502, "")]
    [InlineData(429, "TooManyRequests")]
    [InlineData(400, "RequestTimeout")]
    [InlineData(400, "BadDigest")]
    public async Task A_server_that_fails_for_a_while_is_asked_again(int status, string code)
    {
        // An answer to HEAD has no body that could hold the code.
        foreach (var call in Enum.GetValues<S3Call>().Where(c => c != S3Call.Head || status != 400))
            _server.On(call).Answer(status, code).Times(2);

        await UseAllAsync();
    }

    [Fact]
    public async Task Every_try_is_measured()
    {
        var name = $"store-{Guid.NewGuid():N}";
        var tries = new ConcurrentBag<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "vitrine.stores.requests")
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) =>
        {
            if (tags[0].Value is string store && store == name && seconds >= 0)
                tries.Add($"{tags[1].Value} {tags[2].Value}");
        });
        listener.Start();
        await using var store = new S3Objects(name, _options, TimeProvider.System);
        _server.On(S3Call.Get).Answer(503, "SlowDown").Times(2);
        await store.PutAsync(Name, Bytes, Stop);
        Assert.Equal(Bytes.Length, await store.ReadAsync(Name, 0, new byte[Bytes.Length], Stop));
        Assert.Null(await store.FindAsync("packs/none", Stop));

        Assert.Equal(["Find answered", "List answered", "PutAtOnce answered", "Read answered", "Read failed", "Read failed"], tries.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(S3Call.Put)]
    [InlineData(S3Call.Delete)]
    [InlineData(S3Call.Get)]
    [InlineData(S3Call.Head)]
    [InlineData(S3Call.List)]
    [InlineData(S3Call.BeginUpload)]
    [InlineData(S3Call.PutPart)]
    [InlineData(S3Call.CopyPart)]
    [InlineData(S3Call.CompleteUpload)]
    public async Task An_answer_that_is_lost_is_asked_for_again(S3Call call)
    {
        _server.On(call).LoseAnswer().Times(2);
        await UseAllAsync();
    }

    [Theory]
    [InlineData(S3Call.Put, 0)]
    [InlineData(S3Call.Put, 500)]
    [InlineData(S3Call.PutPart, 3_000_000)]
    [InlineData(S3Call.Get, 0)]
    [InlineData(S3Call.Get, 500)]
    [InlineData(S3Call.List, 100)]
    [InlineData(S3Call.CompleteUpload, 20)]
    public async Task A_body_that_is_cut_is_sent_again(S3Call call, int after)
    {
        _server.On(call).CutBodyAfter(after);
        await UseAllAsync();
    }

    [Theory]
    [InlineData(S3Call.Put)]
    [InlineData(S3Call.Get)]
    [InlineData(S3Call.List)]
    [InlineData(S3Call.PutPart)]
    public async Task A_server_that_does_not_answer_is_asked_again(S3Call call)
    {
        _options.RequestTimeout = TimeSpan.FromSeconds(2);
        await using var store = Open();
        _server.On(call).StandStill();
        await UseAllAsync(store);
    }

    [Fact]
    public async Task A_read_that_was_cut_goes_on_where_it_was()
    {
        await _store.PutAsync(Name, Bytes, Stop);
        _server.On(S3Call.Get).CutBodyAfter(300);
        _server.On(S3Call.Get).CutBodyAfter(300);
        Assert.Equal(Bytes[100..900], await ReadAsync(100, 800));

        var gets = _server.Calls.Where(c => c.Call == S3Call.Get).ToList();
        Assert.Equal(["bytes=100-899", "bytes=400-899", "bytes=700-899"], gets.Select(g => g.Range));
        Assert.All(gets.Skip(1), g => Assert.False(string.IsNullOrEmpty(g.IfMatch)));
    }

    [Fact]
    public async Task A_read_that_was_cut_does_not_go_on_in_another_object()
    {
        var others = Some(1000, seed: 2);
        await _store.PutAsync(Name, Bytes, Stop);
        _server.On(S3Call.Get).CutBodyAfter(300);
        _server.On(S3Call.Get).Answer(503, "SlowDown").After(() => _server.Put(_options.Prefix + Name, others));
        Assert.Equal(others, await ReadAsync(0, 1000));
    }

    [Fact]
    public async Task A_server_that_knows_no_ranges_is_of_no_use()
    {
        await _store.PutAsync(Name, Bytes, Stop);
        _server.On(S3Call.Get).IgnoreRange().Times(10);
        Assert.Equal(Bytes[..10], await ReadAsync(0, 10));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => ReadAsync(1, 10));
    }

    [Theory]
    [InlineData(503, "SlowDown", 1 + Retries, "its server is overloaded.")]
    [InlineData(500, "InternalError", 1 + Retries, "its server answers 500 (InternalError).")]
    [InlineData(500, "<b>x</b>", 1 + Retries, "its server answers 500 (without a code).")]
    [InlineData(501, "NotImplemented", 1, "its server answers 501 (NotImplemented).")]
    [InlineData(404, "NoSuchBucket", 1, "its bucket is not there.")]
    [InlineData(403, "SignatureDoesNotMatch", 1, "its server refuses the access key, or what it asks for (SignatureDoesNotMatch).")]
    [InlineData(403, "RequestTimeTooSkewed", 1, "the clocks of this machine and of its server differ.")]
    public async Task What_does_not_pass_is_said(int status, string code, int requests, string reason)
    {
        _server.On(S3Call.Put).Answer(status, code).Times(100);
        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => _store.PutAsync(Name, Bytes, Stop));
        Assert.Equal($"The store 's3' cannot be used: {reason}", error.Message);
        Assert.Equal(requests, _server.Calls.Count(c => c.Call == S3Call.Put));
        Assert.DoesNotContain(ScriptedS3.SecretKey, error.ToString());
        Assert.Empty(_server.Keys);
    }

    [Theory]
    [InlineData(403, "QuotaExceeded")]
    [InlineData(507, "InsufficientStorage")]
    [InlineData(413, "EntityTooLarge")]
    public async Task A_bucket_without_room_is_full(int status, string code)
    {
        _server.On(S3Call.Put).Answer(status, code);
        _server.On(S3Call.PutPart).Answer(status, code);
        Assert.Equal(Bytes.Length, (await Assert.ThrowsAsync<StoreFullException>(() => _store.PutAsync(Name, Bytes, Stop))).Needed);
        Assert.Equal(SeveralParts, (await Assert.ThrowsAsync<StoreFullException>(() => _store.PutAsync(Name, Some(SeveralParts), Stop))).Needed);
        Assert.Empty(_server.Keys);
        Assert.Equal(0, _server.OpenUploads);
    }

    [Fact]
    public async Task A_bucket_that_is_not_there_is_not_taken_for_an_empty_one()
    {
        _options.Bucket = "another";
        await using var store = Open();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.IsEmptyAsync(Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.FindAsync(Name, Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ReadAsync(Name, 0, new byte[1], Stop).AsTask());
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.PutAsync(Name, Bytes, Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.DeleteAsync(Name, Stop));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ListAsync("", Stop).AnyAsync(Stop).AsTask());
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.OpenAppenderAsync(Growing, Stop));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_said_to_be()
    {
        await _server.DisposeAsync();
        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => _store.PutAsync(Name, Bytes, Stop));
        Assert.Equal("The store 's3' cannot be used: its server cannot be reached, or breaks off.", error.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html><body>Welcome to the proxy")]
    [InlineData("<ListBucketResult><IsTruncated>perhaps</IsTruncated></ListBucketResult>")]
    [InlineData("<ListBucketResult><Contents><Key>k</Key><Size>9999999999999999999999</Size></Contents></ListBucketResult>")]
    [InlineData("<ListBucketResult><Contents><Key>k</Key><LastModified>yesterday</LastModified></Contents></ListBucketResult>")]
    [InlineData("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>")]
    public async Task An_answer_that_makes_no_sense_is_no_list(string body)
    {
        _server.On(S3Call.List).Say(Encoding.UTF8.GetBytes(body)).Times(100);
        if (await Record.ExceptionAsync(() => _store.ListAsync("", Stop).ToListAsync(Stop).AsTask()) is { } error)
            Assert.IsType<StoreUnavailableException>(error);
        else
            Assert.DoesNotContain("Contents", body);
    }

    [Fact]
    public async Task A_list_without_an_end_is_given_up()
    {
        _server.On(S3Call.List)
            .Say("<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken></ListBucketResult>"u8.ToArray())
            .Times(100);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _store.ListAsync("", Stop).ToListAsync(Stop).AsTask());
        Assert.Equal(2, _server.Calls.Count);
    }

    [Fact]
    public async Task A_part_that_cannot_be_sent_ends_the_upload()
    {
        _server.On(S3Call.PutPart).Answer(500, "InternalError").Times(100);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _store.PutAsync(Name, Some(SeveralParts), Stop));
        Assert.Equal(0, _server.OpenUploads);
        Assert.Empty(_server.Keys);
    }

    [Fact]
    public async Task An_upload_that_a_crash_left_is_given_up_after_a_day()
    {
        _server.On(S3Call.BeginUpload).LoseAnswer();
        await _store.PutAsync(Name, Some(SeveralParts), Stop);
        Assert.Equal(1, _server.OpenUploads);

        await _store.RemoveAbandonedAsync(Stop);
        Assert.Equal(1, _server.OpenUploads);

        await using var later = new S3Objects("s3", _options, new ManualClock(TimeProvider.System.GetUtcNow().AddDays(2)));
        await later.RemoveAbandonedAsync(Stop);
        Assert.Equal(0, _server.OpenUploads);
    }

    [Fact]
    public async Task A_bucket_that_is_none_of_a_stores_is_left_as_it_is()
    {
        _server.On(S3Call.BeginUpload).LoseAnswer();
        await _store.PutAsync(Name, Some(SeveralParts), Stop);
        var later = new ManualClock(TimeProvider.System.GetUtcNow().AddDays(2));
        await using (var taken = ChunkedStore.InBucket("taken", _options, new ChunkedStoreOptions(), later))
        {
            Assert.False(await taken.IsThereAsync(Stop));
            await Assert.ThrowsAsync<StoreUnavailableException>(() => taken.ProbeAsync(Stop));
        }

        Assert.Equal(1, _server.OpenUploads);
        await _store.DeleteAsync(Name, Stop);
        await using var empty = ChunkedStore.InBucket("empty", _options, new ChunkedStoreOptions(), later);
        await empty.ProbeAsync(Stop);
        Assert.Equal(0, _server.OpenUploads);
    }

    [Fact]
    public async Task What_could_not_be_flushed_is_flushed_by_the_next()
    {
        await using var appender = await _store.OpenAppenderAsync(Growing, Stop);
        await appender.AppendAsync(Bytes.AsMemory(0, 400), Stop);
        await appender.FlushAsync(Stop);
        await appender.AppendAsync(Bytes.AsMemory(400, 300), Stop);
        _server.On(S3Call.Put).Answer(500, "InternalError").Times(1 + Retries);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => appender.FlushAsync(Stop));
        Assert.Equal(700, appender.Length);
        Assert.Equal(Bytes[..700], await ReadAllAsync(appender));

        await appender.AppendAsync(Bytes.AsMemory(700), Stop);
        await appender.FlushAsync(Stop);
        await using var next = await _store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(Bytes, await ReadAllAsync(next));
    }

    [Fact]
    public async Task What_could_not_be_flushed_can_be_cut_off()
    {
        await using var appender = await _store.OpenAppenderAsync(Growing, Stop);
        await appender.AppendAsync(Bytes.AsMemory(0, 400), Stop);
        await appender.FlushAsync(Stop);
        await appender.AppendAsync(Bytes.AsMemory(400, 300), Stop);
        _server.On(S3Call.Put).LoseAnswer().Times(1 + Retries);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => appender.FlushAsync(Stop));

        await appender.CutAsync(500, Stop);
        await appender.AppendAsync(Bytes.AsMemory(0, 50), Stop);
        await appender.FlushAsync(Stop);
        await using var next = await _store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(Bytes[..500].Concat(Bytes[..50]), await ReadAllAsync(next));
    }

    [Fact]
    public async Task What_an_appender_that_died_had_under_way_does_not_count_when_it_arrives()
    {
        await using (var first = await _store.OpenAppenderAsync(Growing, Stop))
        {
            await first.AppendAsync(Bytes.AsMemory(0, 400), Stop);
            await first.FlushAsync(Stop);
        }

        var died = S3Piece.TryParse(_server.Keys[0][_options.Prefix.Length..], 400, out var piece) ? piece with { Number = piece.Number + 1, Start = 400 } : null;
        await using (var second = await _store.OpenAppenderAsync(Growing, Stop))
        {
            await second.AppendAsync(Bytes.AsMemory(400, 300), Stop);
            await second.FlushAsync(Stop);
        }

        _server.Put(_options.Prefix + died!.ObjectName, Some(900, seed: 9));
        await using var third = await _store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(Bytes[..700], await ReadAllAsync(third));
        await third.SealAsync(Name, Stop);
        Assert.Equal([_options.Prefix + Name], _server.Keys);
    }

    [Fact]
    public async Task Many_short_pieces_become_few()
    {
        await using var appender = await _store.OpenAppenderAsync(Growing, Stop);
        for (var i = 0; i < 500; i++)
        {
            await appender.AppendAsync(Bytes.AsMemory(2 * i, 2), Stop);
            await appender.FlushAsync(Stop);
            Assert.InRange(_server.Keys.Count, 1, 64);
        }

        Assert.Equal(Bytes, await ReadAllAsync(appender));
    }

    [Fact]
    public async Task A_fold_that_fails_costs_nothing()
    {
        await using var appender = await _store.OpenAppenderAsync(Growing, Stop);
        for (var i = 0; i < 500; i++)
        {
            await appender.AppendAsync(Bytes.AsMemory(2 * i, 2), Stop);
            if (i == 63)
                _server.On(S3Call.Get).Answer(500, "InternalError").Times(1 + Retries);

            await appender.FlushAsync(Stop);
        }

        await using var next = await _store.OpenAppenderAsync(Growing, Stop);
        Assert.Equal(Bytes, await ReadAllAsync(next));
    }

    [Fact]
    public async Task An_append_that_the_server_refuses_room_for_does_not_count()
    {
        const int Long = 8 * 1024 * 1024;
        var bytes = Some(5 * Long);
        await using var appender = await _store.OpenAppenderAsync(Growing, Stop);
        _server.On(S3Call.Put).Answer(403, "QuotaExceeded").Times(6);
        var appended = 0;
        var full = await Assert.ThrowsAsync<StoreFullException>(async () =>
        {
            for (; appended < bytes.Length; appended += Long)
                await appender.AppendAsync(bytes.AsMemory(appended, Long), Stop);
        });
        Assert.Equal(Long, full.Needed);
        Assert.Equal(appended, appender.Length);

        // Somebody has made room.
        await Record.ExceptionAsync(() => appender.FlushAsync(Stop));
        await Record.ExceptionAsync(() => appender.FlushAsync(Stop));
        await appender.FlushAsync(Stop);
        await appender.SealAsync(Name, Stop);
        Assert.Equal(appended, (await _store.FindAsync(Name, Stop))!.Value.Length);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(bytes.AsSpan(0, appended))), Convert.ToHexString(SHA256.HashData(await ReadAsync(0, appended))));
    }

    [Fact]
    public async Task Long_pieces_are_not_sent_again_when_an_object_is_sealed()
    {
        const int Mebibyte = 1024 * 1024;
        var bytes = Some(31 * Mebibyte);
        int[] flushes = [6, 7, 9, 10, 16, 24, 31];
        await using var appender = await _store.OpenAppenderAsync(Growing, Stop);
        foreach (var end in flushes)
        {
            await appender.AppendAsync(bytes.AsMemory((int)appender.Length, end * Mebibyte - (int)appender.Length), Stop);
            await appender.FlushAsync(Stop);
        }

        await appender.SealAsync(Name, Stop);
        Assert.Equal(bytes.Length, (await _store.FindAsync(Name, Stop))!.Value.Length);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(bytes)), Convert.ToHexString(SHA256.HashData(await ReadAsync(0, bytes.Length))));

        // What lies between 6 and 16 MiB is too short, but for the last of it.
        Assert.Equal(3, _server.Calls.Count(c => c.Call == S3Call.CopyPart));
        Assert.Equal(1, _server.Calls.Count(c => c.Call == S3Call.PutPart));
    }

    [Fact]
    public async Task A_sealed_object_is_there_although_its_pieces_could_not_be_removed()
    {
        await using var appender = await _store.OpenAppenderAsync(Growing, Stop);
        await appender.AppendAsync(Bytes, Stop);
        await appender.FlushAsync(Stop);
        _server.On(S3Call.Delete).Answer(500, "InternalError").Times(1 + Retries);
        await appender.SealAsync(Name, Stop);
        Assert.Equal(Bytes, await ReadAsync(0, Bytes.Length));

        Assert.Equal([Name, Growing], await _store.ListAsync("", Stop).Select(o => o.Name).ToListAsync(Stop));
        await _store.DeleteAsync(Growing, Stop);
        Assert.Equal([Name], await _store.ListAsync("", Stop).Select(o => o.Name).ToListAsync(Stop));
    }

    private static byte[] Some(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task<byte[]> ReadAllAsync(ObjectAppender appender)
    {
        var buffer = new byte[appender.Length];
        await appender.ReadAsync(0, buffer, Stop);
        return buffer;
    }

    [Theory]
    [InlineData(S3Call.BeginUpload)]
    [InlineData(S3Call.PutPart)]
    [InlineData(S3Call.CompleteUpload)]
    public async Task An_object_on_its_way_in_parts_is_sent_again_where_answers_are_lost(S3Call call)
    {
        _server.On(call).LoseAnswer().Times(2);
        var bytes = Some(SeveralParts);
        await using (var appender = await _store.BeginAppenderAsync(Growing, Name, Stop))
        {
            await appender.AppendAsync(bytes, Stop);
            Assert.True(appender.IsBeyondFlushing);
            await appender.SealAsync(Name, Stop);
        }

        Assert.True((await ReadAsync(0, SeveralParts + 1)).AsSpan().SequenceEqual(bytes));
        Assert.Equal([Name], await _store.ListAsync("", Stop).Select(o => o.Name).ToListAsync(Stop));
    }

    [Theory]
    [InlineData(S3Call.BeginUpload, true)]
    [InlineData(S3Call.PutPart, true)]
    [InlineData(S3Call.CompleteUpload, true)]
    [InlineData(S3Call.PutPart, false)]
    [InlineData(S3Call.CompleteUpload, false)]
    public async Task An_object_whose_sealing_failed_is_sealed_later_or_leaves_nothing(S3Call call, bool isSealedLater)
    {
        var bytes = Some(SeveralParts);
        await using (var appender = await _store.BeginAppenderAsync(Growing, Name, Stop))
        {
            var fault = _server.On(call).Answer(503, "SlowDown").Times(int.MaxValue);
            await appender.AppendAsync(bytes, Stop);
            await Assert.ThrowsAsync<StoreUnavailableException>(() => appender.SealAsync(Name, Stop));
            fault.Times(0);
            if (isSealedLater)
                await appender.SealAsync(Name, Stop);
        }

        Assert.Equal(0, _server.OpenUploads);
        Assert.Equal(isSealedLater ? 1 : 0, _server.Keys.Count);
        if (isSealedLater)
            Assert.True((await ReadAsync(0, SeveralParts + 1)).AsSpan().SequenceEqual(bytes));
    }

    private S3Objects Open() => new("s3", _options, TimeProvider.System);

    private async Task<byte[]> ReadAsync(long offset, int length)
    {
        var buffer = new byte[length];
        return buffer[..await _store.ReadAsync(Name, offset, buffer, Stop)];
    }

    /// <summary>Asks for everything once, and looks whether all of it came about.</summary>
    private Task UseAllAsync() => UseAllAsync(_store);

    private static async Task UseAllAsync(S3Objects store)
    {
        var many = Some(SeveralParts);
        await store.PutAsync(Name, Bytes, Stop);
        await store.PutAsync("packs/two", many, Stop);
        Assert.Equal(Bytes.Length, (await store.FindAsync(Name, Stop))!.Value.Length);
        Assert.Equal(SeveralParts, (await store.FindAsync("packs/two", Stop))!.Value.Length);

        var read = new byte[SeveralParts + 1];
        Assert.Equal(Bytes.Length, await store.ReadAsync(Name, 0, read, Stop));
        Assert.True(Bytes.AsSpan().SequenceEqual(read.AsSpan(0, Bytes.Length)));
        Assert.Equal(SeveralParts, await store.ReadAsync("packs/two", 0, read, Stop));
        Assert.True(many.AsSpan().SequenceEqual(read.AsSpan(0, SeveralParts)));

        await using var appender = await store.OpenAppenderAsync(Growing, Stop);
        await appender.AppendAsync(many, Stop);
        await appender.FlushAsync(Stop);
        await appender.SealAsync("packs/three", Stop);
        Assert.Equal(SeveralParts, await store.ReadAsync("packs/three", 0, read, Stop));
        Assert.True(many.AsSpan().SequenceEqual(read.AsSpan(0, SeveralParts)));
        Assert.Equal([1000L, SeveralParts, SeveralParts], await store.ListAsync("", Stop).Select(o => o.Length).Order().ToListAsync(Stop));

        await store.DeleteAsync(Name, Stop);
        Assert.Null(await store.FindAsync(Name, Stop));
    }
}
