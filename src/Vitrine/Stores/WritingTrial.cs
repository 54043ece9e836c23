using System.Buffers.Binary;
using System.Security.Cryptography;
using Vitrine.Content;

namespace Vitrine.Stores;

/// <summary>Everything that every store promises, tried with a content of its own, which is gone in the end.</summary>
internal sealed class WritingTrial : StoreTrial
{
    /// <summary>More than one object of a pool and more than one part of an upload have, and no round number.</summary>
    private const int Length = (5 << 20) + 4321;

    /// <summary>Where the first writer stops.</summary>
    private const int Halfway = 3 << 20;

    private const int RangeLength = 5000;

    private static readonly TimeSpan HoldInterval = IReplicaCatalogue.RemovalPatience / 2;

    private readonly TimeProvider _time;
    private readonly byte[] _bytes;
    private readonly StagingKey _first;
    private readonly StagingKey _second;
    private long? _heldAt;

    public WritingTrial(StoreOperation check, IContentStore contents, TimeProvider time)
        : base(check.Store, contents, time)
    {
        _time = time;
        _bytes = BytesOf(check.Id);
        Digest = Digest.Of(_bytes);
        (_first, _second) = (StagingKey.OfCheck(check.Id, 1), StagingKey.OfCheck(check.Id, 2));
    }

    /// <summary>Of what is written: each check has a content of its own, and each run of it the same.</summary>
    public Digest Digest { get; }

    /// <param name="hold">Keeps the content from being swept, for the time of a removal.</param>
    /// <exception cref="WriterBusyException">A run of this check that was taken for dead still writes.</exception>
    public async Task<CheckResult> RunAsync(Func<Task> hold, IProgress<UpkeepProgress> progress, CancellationToken cancellationToken)
    {
        await BeginClearAsync(cancellationToken);
        try
        {
            return await RunAsync(isReadOnly: false, [.. Steps.Select(s => (s.Name, s.Promise, Held(s.Try)))], progress, cancellationToken);
        }
        finally
        {
            await TryClearAsync();
        }

        Func<CancellationToken, Task> Held(Func<CancellationToken, Task> step) => async token =>
        {
            if (_heldAt is not { } last || _time.GetElapsedTime(last) >= HoldInterval)
            {
                await hold();
                _heldAt = _time.GetTimestamp();
            }

            await step(token);
        };
    }

    private IReadOnlyList<(string Name, string Promise, Func<CancellationToken, Task> Try)> Steps =>
    [
        ("capacity", "It says how much room it has.", MeasureAsync),
        ("stage", "What is not committed is seen by nobody.", StageAsync),
        ("one-writer", "A key has one writer at a time.", RefuseSecondWriterAsync),
        ("resume", "The next writer goes on where the last one came to.", ResumeAsync),
        ("commit", "What is committed is found at once.", CommitAsync),
        ("read", "Content is read whole and by ranges as it was written.", ReadAsync),
        ("list", "Content is listed once.", ListAsync),
        ("commit-again", "Committing what is there changes nothing.", CommitAgainAsync),
        ("delete", "Deleted content is gone, and a reader that is open reads on.", DeleteAsync),
        ("discard", "What is discarded is gone.", DiscardAsync),
        ("leave", "Nothing is left behind.", LeaveAsync),
    ];

    private async Task StageAsync(CancellationToken cancellationToken)
    {
        await using var writer = await Contents.OpenWriterAsync(_first, cancellationToken);
        await writer.WriteAsync(_bytes.AsMemory(0, Halfway), cancellationToken);
        await writer.FlushAsync(cancellationToken);
        Require(writer.Length == Halfway, "a writer does not know how much was written.");
        await RequireAbsentAsync("content is found before it is committed.", cancellationToken);
        Require(await IsStagedAsync(_first, cancellationToken), "what was written and flushed is not listed as staged.");
    }

    private async Task RefuseSecondWriterAsync(CancellationToken cancellationToken)
    {
        await using var writer = await Contents.OpenWriterAsync(_first, cancellationToken);
        Require(await IsRefusedAsync(OpenAndCloseAsync), "two writers of one key are open at once.");
        Require(await IsRefusedAsync(() => Contents.DiscardAsync(_first, cancellationToken)), "what a writer has open is discarded.");

        async Task OpenAndCloseAsync() => await (await Contents.OpenWriterAsync(_first, cancellationToken)).DisposeAsync();
    }

    private async Task ResumeAsync(CancellationToken cancellationToken)
    {
        await using var writer = await Contents.OpenWriterAsync(_first, cancellationToken);
        Require(writer.Length == Halfway, $"of {Halfway} bytes that were flushed the next writer finds {writer.Length}.");
        var read = new byte[RangeLength];
        await FillAsync(writer.ReadAsync, Halfway - RangeLength, read, cancellationToken);
        Require(read.AsSpan().SequenceEqual(_bytes.AsSpan(Halfway - RangeLength, RangeLength)), "the next writer finds other bytes than were flushed.");
        await writer.WriteAsync(_bytes.AsMemory(Halfway), cancellationToken);
    }

    private async Task CommitAsync(CancellationToken cancellationToken)
    {
        await using (var writer = await Contents.OpenWriterAsync(_first, cancellationToken))
        {
            Require(writer.Length <= Length, "a writer finds more than was written.");

            // It was not flushed, so the store may have kept less; what is missing is written again.
            await writer.WriteAsync(_bytes.AsMemory((int)writer.Length), cancellationToken);
            await writer.CommitAsync(Digest, cancellationToken);
        }

        await RequirePresentAsync("content that was committed is not found, or with another length.", cancellationToken);
        Require(!await IsStagedAsync(_first, cancellationToken), "content that was committed is still listed as staged.");
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        await using var reader = await Contents.OpenAsync(Digest, cancellationToken);
        Require(reader.Length == Length, "content is opened with another length than was written.");
        foreach (var offset in new[] { 0, Halfway - (RangeLength / 2), Length - (RangeLength / 2) })
        {
            var range = new byte[RangeLength];
            var count = await FillAsync(reader.ReadAsync, offset, range, cancellationToken);
            Require(
                range.AsSpan(0, count).SequenceEqual(_bytes.AsSpan(offset, Math.Min(RangeLength, Length - offset))), "a range of content has other bytes than were written.");
        }

        await RequireSoundAsync(reader, cancellationToken);
    }

    private async Task ListAsync(CancellationToken cancellationToken) =>
        Require(await CountListedAsync(cancellationToken) == 1, "content that was committed is not listed once, or with another length.");

    private async Task CommitAgainAsync(CancellationToken cancellationToken)
    {
        await using var before = await Contents.OpenAsync(Digest, cancellationToken);
        await using (var writer = await Contents.OpenWriterAsync(_second, cancellationToken))
        {
            await writer.WriteAsync(_bytes, cancellationToken);
            await writer.CommitAsync(Digest, cancellationToken);
        }

        await RequirePresentAsync("content that was committed a second time is not found.", cancellationToken);
        await RequireSoundAsync(before, cancellationToken);
        await using var after = await Contents.OpenAsync(Digest, cancellationToken);
        await RequireSoundAsync(after, cancellationToken);
    }

    private async Task DeleteAsync(CancellationToken cancellationToken)
    {
        await using var reader = await Contents.OpenAsync(Digest, cancellationToken);
        await Contents.DeleteAsync(Digest, cancellationToken);
        await RequireAbsentAsync("content that was deleted is still found.", cancellationToken);
        await RequireSoundAsync(reader, cancellationToken);
        await Contents.DeleteAsync(Digest, cancellationToken);
    }

    private async Task DiscardAsync(CancellationToken cancellationToken)
    {
        await using (var writer = await Contents.OpenWriterAsync(_second, cancellationToken))
        {
            Require(writer.Length == 0, "a writer whose key has committed begins with what is left of it.");
            await writer.WriteAsync(_bytes.AsMemory(0, RangeLength), cancellationToken);
            await writer.FlushAsync(cancellationToken);
        }

        await Contents.DiscardAsync(_second, cancellationToken);
        Require(!await IsStagedAsync(_second, cancellationToken), "what was discarded is still listed as staged.");
        await Contents.DiscardAsync(_second, cancellationToken);
    }

    private async Task LeaveAsync(CancellationToken cancellationToken)
    {
        Require(await CountListedAsync(cancellationToken) == 0, "content that was deleted is still listed.");
        await foreach (var staged in Contents.ListStagedAsync(cancellationToken))
            Require(staged.Key != _first && staged.Key != _second, "something is staged that was committed or discarded.");
    }

    private async Task RequirePresentAsync(string otherwise, CancellationToken cancellationToken) =>
        Require(await Contents.FindAsync(Digest, cancellationToken) == new StoredContent(Digest, Length), otherwise);

    private async Task RequireAbsentAsync(string otherwise, CancellationToken cancellationToken)
    {
        Require(await Contents.FindAsync(Digest, cancellationToken) is null, otherwise);
        try
        {
            await (await Contents.OpenAsync(Digest, cancellationToken)).DisposeAsync();
        }
        catch (ContentMissingException)
        {
            return;
        }

        Require(isKept: false, otherwise);
    }

    private async Task RequireSoundAsync(ContentReader reader, CancellationToken cancellationToken) =>
        Require(await reader.DigestAsync(cancellationToken) == Digest, "content is read with other bytes than were written.");

    private async Task<int> CountListedAsync(CancellationToken cancellationToken)
    {
        var count = 0;
        await foreach (var content in Contents.ListAsync(cancellationToken))
        {
            if (content.Digest == Digest)
                count += content.Length == Length ? 1 : 2;
        }

        return count;
    }

    private async Task<bool> IsStagedAsync(StagingKey key, CancellationToken cancellationToken)
    {
        await foreach (var staged in Contents.ListStagedAsync(cancellationToken))
        {
            if (staged.Key == key)
                return true;
        }

        return false;
    }

    private async Task BeginClearAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ClearAsync(cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            // The first step fails of the same, and says so.
        }
    }

    private async Task TryClearAsync()
    {
        try
        {
            await ClearAsync(CancellationToken.None);
        }
        catch (LibraryException)
        {
            // The check says what is wrong with the store; what is left the sweep removes.
        }
    }

    private async Task ClearAsync(CancellationToken cancellationToken)
    {
        await Contents.DiscardAsync(_first, cancellationToken);
        await Contents.DiscardAsync(_second, cancellationToken);
        await Contents.DeleteAsync(Digest, cancellationToken);
    }

    private static async Task<bool> IsRefusedAsync(Func<Task> attempt)
    {
        try
        {
            await attempt();
            return false;
        }
        catch (WriterBusyException)
        {
            return true;
        }
    }

    /// <returns>How many bytes there were.</returns>
    private static async Task<int> FillAsync(
        Func<long, Memory<byte>, CancellationToken, ValueTask<int>> read, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = 0;
        while (count < buffer.Length && await read(offset + count, buffer[count..], cancellationToken) is > 0 and var more)
            count += more;
        return count;
    }

    /// <summary>Bytes that no compression makes fewer.</summary>
    private static byte[] BytesOf(StoreOperationId check)
    {
        var bytes = new byte[Length];
        Span<byte> seed = stackalloc byte[16 + sizeof(int)];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        check.Value.TryWriteBytes(seed);
        for (var at = 0; at < Length; at += hash.Length)
        {
            BinaryPrimitives.WriteInt32LittleEndian(seed[16..], at);
            SHA256.HashData(seed, hash);
            hash[..Math.Min(hash.Length, Length - at)].CopyTo(bytes.AsSpan(at));
        }

        return bytes;
    }
}
