using System.Buffers;

namespace Vitrine.Stores.Chunked;

/// <summary>A part of a content that becomes Zstandard frames by itself.</summary>
/// <remarks>A part that fails leaves its buffers to the garbage collection.</remarks>
internal abstract record FramePart
{
    /// <summary>How many bytes of memory it takes to make it.</summary>
    public abstract int Weight { get; }

    public abstract Task<MadeFrames> MakeAsync(ExtentReader extents, CancellationToken cancellationToken);
}

/// <summary>Zeros, of any length.</summary>
internal sealed record ZerosPart(long Length) : FramePart
{
    public override int Weight => 0;

    public override Task<MadeFrames> MakeAsync(ExtentReader extents, CancellationToken cancellationToken) =>
        Task.FromResult(new MadeFrames(PlainFrames.Zeros(Length), Length, Buffer: null));
}

/// <summary>Segments of which the content has everything, in their order: what is stored are their frames.</summary>
internal sealed record SegmentsPart(SegmentRun Run) : FramePart
{
    public override int Weight => Run.StoredLength;

    public override async Task<MadeFrames> MakeAsync(ExtentReader extents, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Run.StoredLength);
        var stored = buffer.AsMemory(0, Run.StoredLength);
        await extents.ReadStoredAsync(Run, stored, cancellationToken);
        return new MadeFrames(FramesIn(stored), Run.Segments[Run.Last].PlainEnd - Run.Segments[Run.First].PlainStart, buffer);
    }

    private IEnumerable<ReadOnlyMemory<byte>> FramesIn(Memory<byte> stored)
    {
        for (var i = Run.First; i <= Run.Last; i++)
        {
            var bytes = Run.StoredOf(i, stored);
            if (Run.Segments[i].Coding is SegmentCoding.Zstd)
            {
                yield return bytes;
                continue;
            }

            foreach (var piece in PlainFrames.Bytes(bytes))
                yield return piece;
        }
    }
}

/// <summary>Pieces that follow each other in the content, each of one segment of which it has not everything, and zeros between. They become one new frame.</summary>
/// <param name="Length">Of all pieces, in bytes: at most that of a segment.</param>
internal sealed record PiecesPart(IReadOnlyList<MapExtent> Pieces, int Length) : FramePart
{
    // What is made once and sent once is worth no more.
    private const int Level = 1;

    public override int Weight => 2 * Length;

    public override async Task<MadeFrames> MakeAsync(ExtentReader extents, CancellationToken cancellationToken)
    {
        var plain = ArrayPool<byte>.Shared.Rent(Length);
        await ReadAsync(extents, plain);
        var made = ArrayPool<byte>.Shared.Rent(Length);
        var (coding, length) = SegmentCodec.Compress(plain.AsSpan(0, Length), made, Level);
        var (kept, unused) = coding is SegmentCoding.Zstd ? (made, plain) : (plain, made);
        ArrayPool<byte>.Shared.Return(unused);
        return new MadeFrames(coding is SegmentCoding.Zstd ? [made.AsMemory(0, length)] : PlainFrames.Bytes(plain.AsMemory(0, Length)), Length, kept);
    }

    private async Task ReadAsync(ExtentReader extents, byte[] plain)
    {
        // They may lie far apart, and are loaded at once.
        foreach (var piece in Pieces.Where(p => !p.IsZero))
            extents.Prefetch(await extents.GetRunAsync(piece));

        var count = 0;
        foreach (var piece in Pieces)
            count += await extents.ReadAsync(piece, plain.AsMemory(count), isSequential: false);

        if (count != Length)
            throw new InvalidOperationException("The pieces are not as long as they say.");
    }
}

/// <summary>Frames, to be disposed when they have been sent.</summary>
/// <param name="Pieces">Their bytes, one piece behind the other.</param>
/// <param name="Length">Of what they mean.</param>
/// <param name="Buffer">Rented for them; null where there is none.</param>
internal sealed record MadeFrames(IEnumerable<ReadOnlyMemory<byte>> Pieces, long Length, byte[]? Buffer) : IDisposable
{
    public void Dispose()
    {
        if (Buffer is not null)
            ArrayPool<byte>.Shared.Return(Buffer);
    }
}
