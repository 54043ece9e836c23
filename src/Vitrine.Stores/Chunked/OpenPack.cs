using System.Buffers;
using System.Runtime.InteropServices;
using Vitrine.Stores.Objects;

namespace Vitrine.Stores.Chunked;

/// <summary>A pack that a writer adds segments to. One caller at a time, but for reads.</summary>
internal sealed class OpenPack : IAsyncDisposable
{
    /// <summary>A pack is sealed when it is as long as this, in stored bytes.</summary>
    public const long FullLength = 64 * 1024 * 1024;

    /// <summary>Or when its segments mean as much as this, in bytes.</summary>
    public const uint MostPlain = 1 << 30;

    private readonly ObjectAppender _appender;
    private readonly List<SegmentEntry> _segments = [];
    private readonly List<PackedBlock> _blocks = [];

    private long _flushed;

    private OpenPack(Guid id, ObjectAppender appender) => (Id, _appender) = (id, appender);

    public Guid Id { get; }

    public IReadOnlyList<SegmentEntry> Segments => _segments;

    public ReadOnlySpan<PackedBlock> Blocks => CollectionsMarshal.AsSpan(_blocks);

    public long StoredLength => _appender.Length;

    /// <summary>Whether only sealing makes it durable or readable any more.</summary>
    public bool IsBeyondFlushing => _appender.IsBeyondFlushing;

    public static async Task<OpenPack> BeginAsync(IObjectStore objects, StagingKey key, Guid id)
    {
        var name = StoreLayout.OpenPackName(key, id);
        var pack = new OpenPack(id, await objects.BeginAppenderAsync(name, StoreLayout.PackName(id), CancellationToken.None));
        await pack.OrDisposeAsync(pack._appender.AppendAsync(PackFormat.WriteHead(id), CancellationToken.None).AsTask());
        return pack;
    }

    /// <summary>Goes on with what a writer that died has left, up to the last segment that is whole.</summary>
    public static async Task<OpenPack> RecoverAsync(IObjectStore objects, StagingKey key, Guid id)
    {
        var pack = new OpenPack(id, await objects.OpenAppenderAsync(StoreLayout.OpenPackName(key, id), CancellationToken.None));
        await pack.OrDisposeAsync(pack.RecoverAsync());
        return pack;
    }

    /// <param name="frame">The segment's header and its stored bytes.</param>
    /// <param name="segment">But for where it is.</param>
    public async Task AppendAsync(ReadOnlyMemory<byte> frame, SegmentEntry segment, IEnumerable<PackedBlock> blocks)
    {
        var end = _appender.Length + frame.Length;
        await _appender.AppendAsync(frame, CancellationToken.None);
        _segments.Add(segment with { Offset = (uint)(end - segment.StoredLength), PlainStart = _segments is [.., var last] ? last.PlainEnd : 0 });
        _blocks.AddRange(blocks);
    }

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        _appender.ReadAsync(offset, buffer, cancellationToken);

    public async Task FlushAsync()
    {
        var length = _appender.Length;
        await _appender.FlushAsync(CancellationToken.None);
        _flushed = length;
    }

    /// <summary>Gives up what was not flushed, where a flush has failed: the kernel may have forgotten it and not say so again.</summary>
    public Task CutToFlushedAsync() => _appender.CutAsync(_flushed, CancellationToken.None);

    /// <summary>Ends the pack and makes it an object of its own.</summary>
    public async Task SealAsync()
    {
        await _appender.AppendAsync(PackFormat.WriteTables(_segments, _blocks), CancellationToken.None);
        await _appender.SealAsync(StoreLayout.PackName(Id), CancellationToken.None);
    }

    public ValueTask DisposeAsync() => _appender.DisposeAsync();

    private async Task OrDisposeAsync(Task beginning)
    {
        try
        {
            await beginning;
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    private async Task RecoverAsync()
    {
        var head = new byte[PackFormat.HeadLength];
        var read = await _appender.ReadAsync(0, head, CancellationToken.None);
        if (read != head.Length || !PackFormat.IsHead(head, Id))
        {
            await _appender.CutAsync(0, CancellationToken.None);
            await _appender.AppendAsync(PackFormat.WriteHead(Id), CancellationToken.None);
            return;
        }

        var end = (long)PackFormat.HeadLength;
        while (await TryReadFrameAsync(end))
            end = _segments[^1].End;

        await _appender.CutAsync(end, CancellationToken.None);
    }

    private async Task<bool> TryReadFrameAsync(long offset)
    {
        var header = new byte[PackFormat.MaxFrameHeader];
        var read = await _appender.ReadAsync(offset, header, CancellationToken.None);
        var plainStart = _segments is [.., var last] ? last.PlainEnd : 0;
        if (PackFormat.ReadFrameHeader(header.AsSpan(0, read), offset, plainStart) is not { } frame)
            return false;

        var stored = ArrayPool<byte>.Shared.Rent(PackFormat.MaxSegment);
        var plain = ArrayPool<byte>.Shared.Rent(PackFormat.MaxSegment);
        try
        {
            var bytes = stored.AsMemory(0, frame.Segment.StoredLength);
            if (await _appender.ReadAsync(frame.Segment.Offset, bytes, CancellationToken.None) != bytes.Length
                || Checksum32.Of(bytes.Span) != frame.Segment.Checksum)
                return false;

            SegmentCodec.Unfold(frame.Segment.Coding, bytes.Span, plain.AsSpan(0, frame.Segment.PlainLength));
            AddBlocks(plain.AsSpan(0, frame.Segment.PlainLength), frame.Lengths);
            _segments.Add(frame.Segment);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
            ArrayPool<byte>.Shared.Return(plain);
        }
    }

    private void AddBlocks(ReadOnlySpan<byte> plain, ushort[] lengths)
    {
        for (var i = 0; !plain.IsEmpty; i++)
        {
            var length = Math.Min(plain.Length, i < lengths.Length ? lengths[i] : PackFormat.BlockLength);
            _blocks.Add(new PackedBlock(BlockName.Of(plain[..length]), (ushort)length));
            plain = plain[length..];
        }
    }
}
