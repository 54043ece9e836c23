using System.Runtime.CompilerServices;
using Vitrine.Disks;
using Vitrine.Formats.Native;
using Vitrine.Stores;

namespace Vitrine.Formats.Raw;

/// <summary>Content that is the guest's disk as it stands: raw disks and ISO 9660 media.</summary>
/// <remarks>What a file system says are holes in its file is absent; where there is no file, or nothing is said, all is data.</remarks>
internal sealed class RawDisk(ContentReader content) : Disk
{
    public override long Length => content.Length;

    public override ValueTask ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        content.ReadExactlyAsync("raw", offset, buffer, cancellationToken);

    public override async IAsyncEnumerable<Extent> ListExtentsAsync(
        long start, long length, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        var end = start + length;
        for (var position = start; position < end;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var extent = FindExtent(position, end);
            yield return extent;
            position = extent.End;
        }
    }

    public override Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override ValueTask DisposeAsync() => content.DisposeAsync();

    private Extent FindExtent(long position, long end)
    {
        if (content.File is not { } file)
            return new Extent(position, end - position, ExtentKind.Data);

        var data = Math.Min(FileHoles.FindData(file.SafeFileHandle, position), end);
        return data > position
            ? new Extent(position, data - position, ExtentKind.Absent)
            : new Extent(position, Math.Min(FileHoles.FindHole(file.SafeFileHandle, position), end) - position, ExtentKind.Data);
    }
}
