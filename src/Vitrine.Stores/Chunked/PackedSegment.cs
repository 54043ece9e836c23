using System.Buffers;

namespace Vitrine.Stores.Chunked;

/// <summary>A segment's frame, ready to be appended to a pack.</summary>
/// <param name="Buffer">Rented; what of it is the frame is <see cref="Frame"/>.</param>
internal sealed record PackedSegment(byte[] Buffer, int Length, SegmentEntry Entry, IReadOnlyList<PackedBlock> Blocks) : IDisposable
{
    public ReadOnlyMemory<byte> Frame => Buffer.AsMemory(0, Length);

    /// <summary>Compresses what the blocks have, where that is worth it.</summary>
    /// <param name="plain">Of all blocks, one after the other.</param>
    public static PackedSegment Compress(ReadOnlySpan<byte> plain, IReadOnlyList<PackedBlock> blocks, int level)
    {
        var (frame, header) = Rent(plain.Length, blocks);
        var stored = frame.AsSpan(header);
        var (coding, length) = SegmentCodec.Compress(plain, stored, level);
        if (coding is SegmentCoding.Raw)
        {
            plain.CopyTo(stored);
            length = plain.Length;
        }

        return End(frame, header, new SegmentEntry(0, length, 0, plain.Length, Checksum32.Of(stored[..length]), coding), blocks);
    }

    /// <summary>Takes a segment over from a pack as it is stored there.</summary>
    /// <returns>Null where it is not what was written, or its blocks are not what they are called.</returns>
    public static PackedSegment? TakeOver(SegmentEntry segment, ReadOnlySpan<byte> stored, IReadOnlyList<PackedBlock> blocks)
    {
        if (Checksum32.Of(stored) != segment.Checksum || !IsOf(segment, stored, blocks))
            return null;

        var (frame, header) = Rent(stored.Length, blocks);
        stored.CopyTo(frame.AsSpan(header));
        return End(frame, header, segment, blocks);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(Buffer);

    private static bool IsOf(SegmentEntry segment, ReadOnlySpan<byte> stored, IReadOnlyList<PackedBlock> blocks)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(segment.PlainLength);
        try
        {
            var plain = buffer.AsSpan(0, segment.PlainLength);
            SegmentCodec.Unfold(segment.Coding, stored, plain);
            foreach (var (name, length) in blocks)
            {
                if (length > plain.Length || BlockName.Of(plain[..length]) != name)
                    return false;

                plain = plain[length..];
            }

            return plain.IsEmpty;
        }
        catch (InvalidDataException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static (byte[] Frame, int Header) Rent(int stored, IReadOnlyList<PackedBlock> blocks)
    {
        var header = PackFormat.FrameHeaderLength + 2 * LengthsOf(blocks).Length;
        return (ArrayPool<byte>.Shared.Rent(header + stored), header);
    }

    private static PackedSegment End(byte[] frame, int header, SegmentEntry entry, IReadOnlyList<PackedBlock> blocks)
    {
        PackFormat.WriteFrameHeader(frame, entry, LengthsOf(blocks));
        return new PackedSegment(frame, header + entry.StoredLength, entry, blocks);
    }

    // None where all are whole.
    private static ushort[] LengthsOf(IReadOnlyList<PackedBlock> blocks) =>
        blocks.All(b => b.Length == PackFormat.BlockLength) ? [] : [.. blocks.Select(b => b.Length)];
}
