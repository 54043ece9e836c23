using System.Runtime.CompilerServices;
using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Raw;

/// <summary>Content that is the guest's disk as it stands: raw disks and ISO 9660 media.</summary>
internal sealed class RawDisk(ContentReader content) : Disk
{
    public override long Length => content.Length;

    public override ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        content.ReadExactlyAsync("raw", offset, buffer, cancellationToken);

    public override async IAsyncEnumerable<Extent> ListExtentsAsync(
        long start, long length, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        if (length > 0)
            yield return new Extent(start, length, ExtentKind.Data);
    }

    public override Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override ValueTask DisposeAsync() => content.DisposeAsync();
}
