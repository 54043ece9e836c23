using System.Buffers.Binary;
using Vitrine.Stores.Objects;

namespace Vitrine.Stores.Chunked;

/// <summary>What was written under a key, as far as it got to the store: the map so far, and bytes that are in no segment yet.</summary>
/// <remarks>
/// A row of records, each of which says what the content has from some offset on, and overrules what earlier records said of that
/// offset and beyond. All numbers are little-endian; extents are coded as in <see cref="ContentMap"/>.
/// <code>
/// record    0 length of the body (4)   4 CRC of kind and body (4)   8 kind (1)   9 body
/// extents   0 offset in the content (8)   8 number of extents (4)   12 number of packs (4)   16 packs (16 each)   … extents
/// bytes     0 offset in the content (8)   8 bytes
/// </code>
/// </remarks>
internal sealed class StagingLog(ObjectAppender appender, PackRegistry packs) : IAsyncDisposable
{
    private const int HeaderLength = 9;
    private const int IdLength = 16;
    private const int MostBody = 64 * 1024 * 1024;

    private long _flushed;

    private enum RecordKind : byte
    {
        Extents = 1,
        Bytes = 2,
    }

    public async Task AppendExtentsAsync(long start, IReadOnlyList<MapExtent> extents)
    {
        if (extents.Count == 0)
            return;

        var numbers = new Dictionary<int, int>();
        foreach (var extent in extents)
        {
            if (!extent.IsZero)
                numbers.TryAdd(extent.Pack, numbers.Count);
        }

        using var body = new MemoryStream();
        body.Write(stackalloc byte[HeaderLength + 16]);
        foreach (var pack in numbers.OrderBy(n => n.Value))
            body.Write(packs[pack.Key].Id.ToByteArray(bigEndian: true));

        var ends = new long[numbers.Count];
        foreach (var extent in extents)
            ContentMap.WriteExtent(body, extent, numbers, ends);

        var record = body.GetBuffer().AsMemory(0, (int)body.Length);
        BinaryPrimitives.WriteInt64LittleEndian(record.Span[HeaderLength..], start);
        BinaryPrimitives.WriteInt32LittleEndian(record.Span[(HeaderLength + 8)..], extents.Count);
        BinaryPrimitives.WriteInt32LittleEndian(record.Span[(HeaderLength + 12)..], numbers.Count);
        await AppendAsync(record, RecordKind.Extents);
    }

    public async Task AppendBytesAsync(long start, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;

        var record = new byte[HeaderLength + 8 + bytes.Length];
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(HeaderLength), start);
        bytes.CopyTo(record.AsMemory(HeaderLength + 8));
        await AppendAsync(record, RecordKind.Bytes);
    }

    public async Task FlushAsync()
    {
        var length = appender.Length;
        await appender.FlushAsync(CancellationToken.None);
        _flushed = length;
    }

    /// <summary>Gives up what was not flushed, where a flush has failed: the kernel may have forgotten it and not say so again.</summary>
    public Task CutToFlushedAsync() => appender.CutAsync(_flushed, CancellationToken.None);

    public Task ClearAsync()
    {
        _flushed = 0;
        return appender.CutAsync(0, CancellationToken.None);
    }

    /// <summary>Reads all records that are whole and refer to what is there, and cuts off what comes then.</summary>
    public async Task<StagedMap> ReplayAsync(Func<MapExtent, Task<bool>> isThere)
    {
        var (staged, end) = await ReadAsync((offset, buffer) => appender.ReadAsync(offset, buffer, CancellationToken.None), packs, isThere);
        await appender.CutAsync(end, CancellationToken.None);
        _flushed = end;
        return staged;
    }

    /// <summary>Reads all records that are whole, of a log that may be another's.</summary>
    /// <exception cref="ObjectMissingException">There is no such log.</exception>
    public static async Task<StagedMap> ReadAsync(IObjectStore objects, string name, PackRegistry packs, CancellationToken cancellationToken) =>
        (await ReadAsync((offset, buffer) => objects.ReadAsync(name, offset, buffer, cancellationToken), packs, _ => Task.FromResult(true))).Staged;

    public ValueTask DisposeAsync() => appender.DisposeAsync();

    private static async Task<(StagedMap Staged, long End)> ReadAsync(
        Func<long, Memory<byte>, ValueTask<int>> read, PackRegistry packs, Func<MapExtent, Task<bool>> isThere)
    {
        var window = new Window(read);
        var staged = new StagedMap();
        var offset = 0L;
        while (await ReadRecordAsync(window.ReadAsync, offset) is { } record)
        {
            // A record that refers to what is not there overrules nothing: the bytes that it stands for may be in the records before it.
            if (Parse(record.Kind, record.Body.Span, packs) is not { } parsed || !await AreThereAsync(parsed.Extents, isThere) || !parsed.TryApply(staged))
                break;

            offset += HeaderLength + record.Body.Length;
        }

        return (staged, offset);
    }

    private ValueTask AppendAsync(Memory<byte> record, RecordKind kind)
    {
        record.Span[8] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(record.Span, record.Length - HeaderLength);
        BinaryPrimitives.WriteUInt32LittleEndian(record.Span[4..], Checksum32.Of(record.Span[8..]));
        return appender.AppendAsync(record, CancellationToken.None);
    }

    private static async Task<(RecordKind Kind, ReadOnlyMemory<byte> Body)?> ReadRecordAsync(
        Func<long, Memory<byte>, ValueTask<int>> read, long offset)
    {
        var header = new byte[HeaderLength];
        if (await read(offset, header) != HeaderLength)
            return null;

        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length is < 8 or > MostBody)
            return null;

        var record = new byte[1 + length];
        return await read(offset + HeaderLength - 1, record) == record.Length
            && Checksum32.Of(record) == BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4))
            ? ((RecordKind)record[0], record.AsMemory(1))
            : null;
    }

    private static async Task<bool> AreThereAsync(List<MapExtent> extents, Func<MapExtent, Task<bool>> isThere)
    {
        foreach (var extent in extents)
        {
            if (!await isThere(extent))
                return false;
        }

        return true;
    }

    // Null where it makes no sense.
    private static LogRecord? Parse(RecordKind kind, ReadOnlySpan<byte> body, PackRegistry packs)
    {
        var start = BinaryPrimitives.ReadInt64LittleEndian(body);
        return kind switch
        {
            RecordKind.Bytes => new LogRecord(start, [], body[8..].ToArray()),
            RecordKind.Extents when body.Length >= 16 && ReadExtents(body, packs) is { } extents => new LogRecord(start, extents, null),
            _ => null,
        };
    }

    private static List<MapExtent>? ReadExtents(ReadOnlySpan<byte> body, PackRegistry packs)
    {
        var count = BinaryPrimitives.ReadInt32LittleEndian(body[8..]);
        var packCount = BinaryPrimitives.ReadInt32LittleEndian(body[12..]);
        body = body[16..];
        if (packCount < 0 || (long)packCount * IdLength > body.Length)
            return null;

        var numbers = new int[packCount];
        for (var i = 0; i < packCount; i++)
            numbers[i] = packs.NumberOf(new Guid(body.Slice(i * IdLength, IdLength), bigEndian: true));

        body = body[(packCount * IdLength)..];
        var ends = new long[packCount];
        var extents = new List<MapExtent>();
        for (var i = 0; i < count; i++)
        {
            if (ContentMap.ReadExtent(ref body, numbers, ends) is not { } extent)
                return null;

            extents.Add(extent);
        }

        return extents;
    }

    /// <summary>What the content has from an offset on: extents, or bytes.</summary>
    private sealed record LogRecord(long Start, List<MapExtent> Extents, byte[]? Bytes)
    {
        public bool TryApply(StagedMap staged)
        {
            if (Start < 0 || Start > staged.Length)
                return false;

            staged.CutTo(Start);
            foreach (var extent in Extents)
                staged.Add(extent);
            if (Bytes is not null)
                staged.Add(Bytes);

            return true;
        }
    }

    /// <summary>Reads ahead, since a record is short and a request may be slow.</summary>
    private sealed class Window(Func<long, Memory<byte>, ValueTask<int>> read)
    {
        private readonly byte[] _bytes = new byte[1024 * 1024];
        private long _start;
        private int _length;

        public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer)
        {
            if (buffer.Length > _bytes.Length)
                return await read(offset, buffer);
            if (offset < _start || offset + buffer.Length > _start + _length)
                (_start, _length) = (offset, await read(offset, _bytes));

            var count = (int)Math.Min(_start + _length - offset, buffer.Length);
            _bytes.AsMemory((int)(offset - _start), count).CopyTo(buffer);
            return count;
        }
    }
}

/// <summary>What a log says of a content: extents, and bytes that are in no segment yet.</summary>
internal sealed class StagedMap
{
    private readonly List<(long Start, MapExtent Extent, byte[]? Bytes)> _parts = [];

    public long Length { get; private set; }

    /// <summary>In order. Where there are bytes, the extent says nothing but their number.</summary>
    public IEnumerable<(MapExtent Extent, byte[]? Bytes)> Parts => _parts.Select(p => (p.Extent, p.Bytes));

    public void Add(MapExtent extent) => Add(extent, null);

    public void Add(byte[] bytes) => Add(new MapExtent(bytes.Length, MapExtent.Zero, 0), bytes);

    /// <summary>Gives up what is behind a length.</summary>
    public void CutTo(long length)
    {
        while (_parts is [.., var last] && last.Start + last.Extent.Length > length)
        {
            _parts.RemoveAt(_parts.Count - 1);
            if (last.Start < length)
                _parts.Add((last.Start, last.Extent.Take(length - last.Start), last.Bytes?[..(int)(length - last.Start)]));
        }

        Length = Math.Min(Length, length);
    }

    private void Add(MapExtent extent, byte[]? bytes)
    {
        _parts.Add((Length, extent, bytes));
        Length += extent.Length;
    }
}
