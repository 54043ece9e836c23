using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Vmdk;

/// <summary>A flat VMDK's disk: stretches that lie in the content as they are, and stretches of zeros.</summary>
/// <param name="parts">In the disk's order; there is at least one.</param>
internal sealed class FlatVmdkMap(ContentReader content, IReadOnlyList<FlatPart> parts) : IDiskMap
{
    public long Length { get; } = parts.Sum(p => p.Length);

    public ValueTask<Stretch> FindAsync(long offset, long most, CancellationToken cancellationToken)
    {
        var within = offset;
        var at = 0;
        for (; within >= parts[at].Length; at++)
            within -= parts[at].Length;

        var (length, place) = (Math.Min(parts[at].Length - within, most), parts[at].Place);
        return ValueTask.FromResult(place is { } start
            ? new Stretch(ExtentKind.Data, offset, length, start + within)
            : new Stretch(ExtentKind.Zero, offset, length));
    }

    public ValueTask ReadAsync(Stretch stretch, Memory<byte> buffer, CancellationToken cancellationToken) =>
        content.ReadExactlyAsync("VMDK", stretch.Place, buffer, cancellationToken);

    public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>A stretch of a flat disk.</summary>
/// <param name="Place">Where in the content its bytes are; null where they are zeros.</param>
internal readonly record struct FlatPart(long Length, long? Place);
