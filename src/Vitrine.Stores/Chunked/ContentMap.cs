using System.Buffers.Binary;

namespace Vitrine.Stores.Chunked;

/// <summary>A part of a content: zeros, or bytes that lie together in a pack.</summary>
/// <param name="Length">In bytes.</param>
/// <param name="Pack">The pack's number in this process; <see cref="Zero"/> for zeros.</param>
/// <param name="Offset">In what the pack's segments mean, one after the other.</param>
internal readonly record struct MapExtent(long Length, int Pack, uint Offset)
{
    /// <summary>Stands for the pack of zeros.</summary>
    public const int Zero = -1;

    public bool IsZero => Pack == Zero;

    /// <summary>The extent without its first bytes.</summary>
    public MapExtent Skip(long count) => this with { Length = Length - count, Offset = IsZero ? 0 : Offset + (uint)count };

    /// <summary>The first bytes of the extent.</summary>
    public MapExtent Take(long count) => this with { Length = count };

    /// <summary>Whether another extent goes on where this one ends, so that both are one.</summary>
    public bool IsFollowedBy(MapExtent next) => Pack == next.Pack && (IsZero || Offset + Length == next.Offset);
}

/// <summary>What a content is made of, from its first byte to its last. It does not change.</summary>
/// <remarks>
/// As an object, with little-endian numbers; a varint has seven bits a byte, the low ones first:
/// <code>
/// head      0 "VtrMap01"   8 length (8)   16 number of extents (4)   20 number of packs (4)
/// pack*     id (16)
/// extent*   varint length * 2 + 1 if data; for data: varint number of the pack, varint offset less that pack's last end (zigzag)
/// foot      CRC of all before (4)
/// </code>
/// </remarks>
internal sealed class ContentMap
{
    /// <summary>So many extents make a map of some 100 MiB in memory. A writer shares no more blocks when it comes near it.</summary>
    public const int MostExtents = 4 * 1024 * 1024;

    private const int HeadLength = 24;
    private const int IdLength = 16;
    private const int LongestVarint = 10;

    private readonly MapExtent[] _extents;
    private readonly long[] _starts;

    public ContentMap(IReadOnlyCollection<MapExtent> extents)
    {
        _extents = [.. extents];
        _starts = new long[_extents.Length];
        foreach (var (i, extent) in _extents.Index())
        {
            _starts[i] = Length;
            Length += extent.Length;
        }
    }

    /// <summary>Of the content, in bytes.</summary>
    public long Length { get; }

    public IReadOnlyList<MapExtent> Extents => _extents;

    /// <summary>The rest of the extent that holds an offset below the length, from there.</summary>
    public MapExtent At(long offset)
    {
        var index = IndexOf(offset);
        return _extents[index].Skip(offset - _starts[index]);
    }

    /// <summary>The extents from an offset on, the first of them without what lies before it.</summary>
    public IEnumerable<MapExtent> From(long offset)
    {
        for (var i = offset < Length ? IndexOf(offset) : _extents.Length; i < _extents.Length; i++)
            yield return _extents[i].Skip(Math.Max(0, offset - _starts[i]));
    }

    /// <summary>Whether the content goes on from an offset as some extents do.</summary>
    public bool HasAt(long offset, IEnumerable<MapExtent> extents)
    {
        foreach (var extent in extents)
        {
            for (var left = extent; left.Length > 0;)
            {
                if (offset >= Length || At(offset) is var here && (here.Pack, here.Offset) != (left.Pack, left.Offset))
                    return false;

                var count = Math.Min(here.Length, left.Length);
                left = left.Skip(count);
                offset += count;
            }
        }

        return true;
    }

    public byte[] Write(PackRegistry packs)
    {
        var numbers = new Dictionary<int, int>();
        foreach (var extent in _extents)
        {
            if (!extent.IsZero)
                numbers.TryAdd(extent.Pack, numbers.Count);
        }

        using var bytes = new MemoryStream();
        Span<byte> head = stackalloc byte[HeadLength];
        "VtrMap01"u8.CopyTo(head);
        BinaryPrimitives.WriteInt64LittleEndian(head[8..], Length);
        BinaryPrimitives.WriteInt32LittleEndian(head[16..], _extents.Length);
        BinaryPrimitives.WriteInt32LittleEndian(head[20..], numbers.Count);
        bytes.Write(head);
        Span<byte> id = stackalloc byte[IdLength];
        foreach (var pack in numbers.OrderBy(n => n.Value))
        {
            packs[pack.Key].Id.TryWriteBytes(id, bigEndian: true, out _);
            bytes.Write(id);
        }

        var ends = new long[numbers.Count];
        foreach (var extent in _extents)
            WriteExtent(bytes, extent, numbers, ends);

        var checksum = Checksum32.Of(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(id, checksum);
        bytes.Write(id[..sizeof(uint)]);
        return bytes.ToArray();
    }

    /// <returns>Null where the bytes are no map.</returns>
    public static ContentMap? Read(ReadOnlySpan<byte> bytes, PackRegistry packs)
    {
        if (bytes.Length < HeadLength + sizeof(uint) || !bytes.StartsWith("VtrMap01"u8)
            || Checksum32.Of(bytes[..^sizeof(uint)]) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[^sizeof(uint)..]))
            return null;

        var length = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        var packCount = BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]);
        bytes = bytes[HeadLength..^sizeof(uint)];
        if (count is < 0 or > MostExtents || packCount < 0 || (long)packCount * IdLength > bytes.Length)
            return null;

        var numbers = new int[packCount];
        for (var i = 0; i < packCount; i++)
            numbers[i] = packs.NumberOf(new Guid(bytes.Slice(i * IdLength, IdLength), bigEndian: true));

        bytes = bytes[(packCount * IdLength)..];
        var ends = new long[packCount];
        var extents = new List<MapExtent>(count);
        for (var i = 0; i < count; i++)
        {
            if (ReadExtent(ref bytes, numbers, ends) is not { } extent)
                return null;

            extents.Add(extent);
        }

        var map = new ContentMap(extents);
        return bytes.IsEmpty && map.Length == length ? map : null;
    }

    internal static void WriteExtent(Stream bytes, MapExtent extent, Dictionary<int, int> numbers, Span<long> ends)
    {
        WriteVarint(bytes, (ulong)extent.Length << 1 | (extent.IsZero ? 0u : 1u));
        if (extent.IsZero)
            return;

        var number = numbers[extent.Pack];
        var distance = extent.Offset - ends[number];
        WriteVarint(bytes, (ulong)number);
        WriteVarint(bytes, (ulong)(distance << 1 ^ distance >> 63));
        ends[number] = extent.Offset + extent.Length;
    }

    internal static MapExtent? ReadExtent(ref ReadOnlySpan<byte> bytes, ReadOnlySpan<int> numbers, Span<long> ends)
    {
        if (ReadVarint(ref bytes) is not { } word || word >> 1 is 0 or > long.MaxValue / 2)
            return null;

        var length = (long)(word >> 1);
        if ((word & 1) == 0)
            return new MapExtent(length, MapExtent.Zero, 0);
        if (ReadVarint(ref bytes) is not { } number || number >= (ulong)numbers.Length || ReadVarint(ref bytes) is not { } zigzag)
            return null;

        var offset = ends[(int)number] + ((long)(zigzag >> 1) ^ -(long)(zigzag & 1));
        if (offset < 0 || offset + length > uint.MaxValue)
            return null;

        ends[(int)number] = offset + length;
        return new MapExtent(length, numbers[(int)number], (uint)offset);
    }

    private int IndexOf(long offset)
    {
        var found = Array.BinarySearch(_starts, offset);
        return found >= 0 ? found : ~found - 1;
    }

    private static void WriteVarint(Stream bytes, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            bytes.WriteByte((byte)(value | 0x80));

        bytes.WriteByte((byte)value);
    }

    private static ulong? ReadVarint(ref ReadOnlySpan<byte> bytes)
    {
        var value = 0ul;
        for (var i = 0; i < Math.Min(bytes.Length, LongestVarint); i++)
        {
            value |= (ulong)(bytes[i] & 0x7f) << 7 * i;
            if (bytes[i] < 0x80)
            {
                bytes = bytes[(i + 1)..];
                return value;
            }
        }

        return null;
    }
}
