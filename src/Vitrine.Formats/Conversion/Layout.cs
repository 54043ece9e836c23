using Vitrine.Disks;

namespace Vitrine.Formats.Conversion;

/// <summary>What is where in a content: the disk's bytes in one stretch, and regions around it. Where nothing is, there are zeros.</summary>
internal abstract class Layout(long payloadStart, long payloadLength, IReadOnlyList<Region> regions)
{
    public long PayloadStart => payloadStart;

    public long PayloadEnd => payloadStart + payloadLength;

    /// <summary>In any order; they do not overlap.</summary>
    public IReadOnlyList<Region> Regions => regions;

    public long Length { get; } = regions.Select(r => r.End).Append(payloadStart + payloadLength).Max();

    /// <param name="position">From the payload's first byte.</param>
    /// <param name="buffer">It does not go beyond the payload's end.</param>
    /// <returns>How many bytes of the buffer were filled: at least one.</returns>
    public abstract ValueTask<int> ReadPayloadAsync(Disk disk, long position, Memory<byte> buffer, CancellationToken cancellationToken);
}

/// <summary>All of the disk, as it is.</summary>
internal sealed class FlatLayout(long length, IReadOnlyList<Region> regions) : Layout(0, length, regions)
{
    public override async ValueTask<int> ReadPayloadAsync(Disk disk, long position, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await disk.ReadPaddedAsync(position, buffer, cancellationToken);
        return buffer.Length;
    }
}

/// <summary>The units of a disk that are kept, one behind the other.</summary>
internal sealed class UnitLayout(UnitFormat format, UnitMap map)
    : Layout(format.PayloadStart, map.Count * format.Pitch, format.LayRegions(map))
{
    public override async ValueTask<int> ReadPayloadAsync(Disk disk, long position, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var (index, inUnit) = Math.DivRem(position, format.Pitch);
        if (inUnit < format.Prefix.Length)
        {
            var prefix = format.Prefix[(int)inUnit..];
            prefix = prefix[..Math.Min(prefix.Length, buffer.Length)];
            prefix.CopyTo(buffer);
            return prefix.Length;
        }

        var inData = inUnit - format.Prefix.Length;
        var unit = map.UnitAt(index);
        var part = buffer[..(int)Math.Min(buffer.Length, LengthFrom(unit, index) - inData)];
        await disk.ReadPaddedAsync(unit * format.UnitLength + inData, part, cancellationToken);
        return part.Length;
    }

    /// <summary>How many bytes lie together on the disk and in the content, as far as is worth looking.</summary>
    private long LengthFrom(long unit, long index)
    {
        const int Most = 32;
        var count = 1;
        while (format.Prefix.Length == 0 && count < Most && map.IndexOf(unit + count) == index + count)
            count++;

        return count * (long)format.UnitLength;
    }
}
