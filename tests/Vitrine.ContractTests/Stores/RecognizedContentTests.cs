using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Formats;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.Objects;
using Vitrine.Testing;

namespace Vitrine.ContractTests.Stores;

/// <summary>Content that a chunked store has, and that comes once more: its sums are those that were found the first time.</summary>
public sealed class RecognizedContentTests
{
    private const int Length = 30_000_001;

    private readonly MemoryObjects _objects = new("memory", new ManualClock());
    private readonly byte[] _content = new byte[Length];
    private ChunkedStore _store;
    private int _spared;

    public RecognizedContentTests()
    {
        new Random(5).NextBytes(_content);
        _content.AsSpan(2_000_000, 6_000_000).Clear();
        _store = Open();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_comes_again_is_not_summed_up_again(bool afterRestart)
    {
        await IngestAsync(_content);
        if (afterRestart)
            _store = Open();

        var result = await IngestAsync(_content);
        Assert.Equal((Digest.Of(_content), 1), (result.Digest, _spared));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(600_000)]
    [InlineData(3_000_000)] // in zeros
    [InlineData(20_000_000)]
    [InlineData(Length - 70_000)]
    [InlineData(Length - 1)] // in what is shorter than a block
    public async Task What_departs_from_it_anywhere_has_sums_of_its_own(int at)
    {
        await IngestAsync(_content);
        var other = _content.ToArray();
        other[at] ^= 1;
        await ExpectOwnSumsAsync(other);
    }

    [Fact]
    public async Task What_ends_before_it_or_goes_on_behind_it_has_sums_of_its_own()
    {
        await IngestAsync(_content);
        await ExpectOwnSumsAsync(_content[..20_000_000]);
        await ExpectOwnSumsAsync([.. _content, 1]);
        await ExpectOwnSumsAsync([.. _content, .. _content]);
    }

    [Fact]
    public async Task What_departs_late_is_summed_up_step_by_step_beside_what_comes()
    {
        byte[] content = [.. _content, .. _content, .. _content];
        await IngestAsync(content);
        content[80_000_000] ^= 1;
        await ExpectOwnSumsAsync(content);
    }

    [Fact]
    public async Task Of_contents_that_begin_alike_the_right_one_is_recognized()
    {
        var others = new[] { 9_000_000, 15_000_000, 21_000_000 }.Select(at =>
        {
            var other = _content.ToArray();
            other[at] ^= 1;
            return other;
        }).Append(_content).ToList();
        foreach (var other in others)
            await IngestAsync(other);

        _spared = 0;
        foreach (var other in others)
            Assert.Equal(Digest.Of(other), (await IngestAsync(other)).Digest);
        Assert.Equal(others.Count, _spared);
    }

    [Fact]
    public async Task What_was_deleted_is_recognized_no_more()
    {
        var digest = (await IngestAsync(_content)).Digest;
        await _store.DeleteAsync(digest, Stop);
        await ExpectOwnSumsAsync(_content);
        Assert.NotNull(await _store.FindAsync(digest, Stop));
    }

    [Fact]
    public async Task What_was_cut_off_and_is_read_again_has_sums_of_its_own()
    {
        await IngestAsync(_content);
        var key = new StagingKey("cut");
        await using (var first = new Ingest(await _store.OpenWriterAsync(key, Stop), new FormatInspector(), Sums, TimeProvider.System, FindAsync))
        {
            await TakeAsync(first, _content[..20_000_000]);
            await first.FlushAsync(Stop);
        }

        await using var second = new Ingest(await _store.OpenWriterAsync(key, Stop), new FormatInspector(), Sums, TimeProvider.System, FindAsync);
        await second.RereadAsync(Stop);
        Assert.Equal(20_000_000, second.Length);
        await TakeAsync(second, _content[20_000_000..]);
        Assert.Equal(Convert.ToHexStringLower(MD5.HashData(_content)), (await second.FinishAsync(Stop)).Sums[ChecksumAlgorithm.Md5]);
    }

    [Fact]
    public async Task What_comes_in_crumbs_is_not_held_until_it_is_recognized()
    {
        await IngestAsync(_content);
        var clock = new ManualClock();
        var (asked, crumbs) = (0, new CrumblingStream(_content, clock));
        await using var ingest = new Ingest(
            await _store.OpenWriterAsync(new StagingKey("crumbs"), Stop), new FormatInspector(), Sums, clock, digest =>
            {
                asked++;
                return FindAsync(digest);
            });
        await ingest.TakeAsync(crumbs, announced: null, limit: long.MaxValue, _ => Task.CompletedTask, Stop);
        var result = await ingest.FinishAsync(Stop);
        Assert.Equal((Digest.Of(_content), Convert.ToHexStringLower(MD5.HashData(_content)), 0), (result.Digest, result.Sums[ChecksumAlgorithm.Md5], asked));
    }

    /// <summary>Gives one byte every two seconds at first, and then the rest.</summary>
    private sealed class CrumblingStream(byte[] content, ManualClock clock) : ReadOnlyStream
    {
        private const int Crumbs = 20;

        private int _given;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            clock.Advance(TimeSpan.FromSeconds(2));
            var count = Math.Min(_given < Crumbs ? 1 : buffer.Length, content.Length - _given);
            content.AsSpan(_given, count).CopyTo(buffer.Span);
            _given += count;
            return ValueTask.FromResult(count);
        }
    }

    private static ChecksumAlgorithm[] Sums => [ChecksumAlgorithm.Md5];

    private async Task ExpectOwnSumsAsync(byte[] content)
    {
        _spared = 0;
        var result = await IngestAsync(content);
        Assert.Equal(
            (Digest.Of(content), Convert.ToHexStringLower(MD5.HashData(content)), 0), (result.Digest, result.Sums[ChecksumAlgorithm.Md5], _spared));
        await using var reader = await _store.OpenAsync(result.Digest, Stop);
        var read = new byte[reader.Length];
        for (var count = 0; count < read.Length;)
            count += await reader.ReadAsync(count, read.AsMemory(count), Stop);

        Assert.True(content.AsSpan().SequenceEqual(read));
    }

    private async Task<IngestResult> IngestAsync(byte[] content)
    {
        await using var ingest = new Ingest(
            await _store.OpenWriterAsync(new StagingKey("key"), Stop), new FormatInspector(), Sums, TimeProvider.System, FindAsync);
        await TakeAsync(ingest, content);
        var result = await ingest.FinishAsync(Stop);
        if (result.Sums[ChecksumAlgorithm.Md5] == "known")
            _spared++;

        await ingest.CommitAsync(result.Digest, Stop);
        return result;
    }

    private static Task TakeAsync(Ingest ingest, byte[] content) =>
        ingest.TakeAsync(new MemoryStream(content), announced: null, limit: long.MaxValue, _ => Task.CompletedTask, Stop);

    private static Task<IReadOnlyDictionary<ChecksumAlgorithm, string>?> FindAsync(Digest digest) => Task.FromResult<IReadOnlyDictionary<ChecksumAlgorithm, string>?>(
        new Dictionary<ChecksumAlgorithm, string> { [ChecksumAlgorithm.Sha256] = digest.Hex, [ChecksumAlgorithm.Md5] = "known" });

    private ChunkedStore Open() => new("memory", _objects, new ChunkedStoreOptions(), new ManualClock(), _ => Task.FromResult(true));
}
