namespace Vitrine.Formats.Conversion;

/// <summary>A part of a content that is not the disk's: a header, a table. Any range of it can be had at any time.</summary>
/// <param name="Offset">In bytes from the content's first one.</param>
internal abstract record Region(long Offset, long Length)
{
    public long End => Offset + Length;

    /// <param name="start">From the region's first byte; the bytes do not go beyond its last.</param>
    public abstract void CopyTo(long start, Span<byte> bytes);
}

internal sealed record BytesRegion(long Offset, ReadOnlyMemory<byte> Bytes) : Region(Offset, Bytes.Length)
{
    public override void CopyTo(long start, Span<byte> bytes) => Bytes.Span.Slice((int)start, bytes.Length).CopyTo(bytes);
}

/// <summary>Entries that are worked out when they are asked for, so that no table is ever held whole.</summary>
/// <param name="Entry">The value of the entry with a number.</param>
/// <param name="Write">Puts a value down as the format spells it.</param>
internal sealed record TableRegion(long Offset, long Count, int EntryLength, Func<long, ulong> Entry, WriteEntry Write)
    : Region(Offset, Count * EntryLength)
{
    public override void CopyTo(long start, Span<byte> bytes)
    {
        Span<byte> entry = stackalloc byte[EntryLength];
        while (!bytes.IsEmpty)
        {
            var (number, skipped) = Math.DivRem(start, EntryLength);
            Write(entry, Entry(number));
            var part = entry[(int)skipped..];
            part = part[..Math.Min(part.Length, bytes.Length)];
            part.CopyTo(bytes);
            bytes = bytes[part.Length..];
            start += part.Length;
        }
    }
}

internal delegate void WriteEntry(Span<byte> bytes, ulong value);
