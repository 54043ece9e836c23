using System.Runtime.CompilerServices;
using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>A disk whose bytes lie all over the content, by a map.</summary>
internal sealed class MappedDisk(ContentReader content, IDiskMap map) : Disk
{
    public override long Length => map.Length;

    public override async ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            var stretch = await map.FindAsync(offset, buffer.Length, cancellationToken);
            var part = buffer[..(int)stretch.Length];
            if (stretch.Kind is ExtentKind.Data)
                await map.ReadAsync(stretch, part, cancellationToken);
            else
                part.Span.Clear();

            offset += part.Length;
            buffer = buffer[part.Length..];
        }
    }

    public override async IAsyncEnumerable<Extent> ListExtentsAsync(
        long start, long length, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var end = start + length;
        Extent? last = null;
        for (var at = start; at < end;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var stretch = await map.FindAsync(at, end - at, cancellationToken);
            at += stretch.Length;
            if (last is { } longer && longer.Kind == stretch.Kind)
            {
                last = longer with { Length = longer.Length + stretch.Length };
                continue;
            }

            if (last is { } whole)
                yield return whole;

            last = new Extent(stretch.Start, stretch.Length, stretch.Kind);
        }

        if (last is { } rest)
            yield return rest;
    }

    public override Task CheckAsync(CancellationToken cancellationToken) => map.CheckAsync(cancellationToken);

    public override ValueTask DisposeAsync() => content.DisposeAsync();
}
