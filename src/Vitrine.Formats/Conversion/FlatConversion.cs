using Microsoft.Win32.SafeHandles;
using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Conversion;

/// <summary>A disk as it is, with something behind it or nothing. All positions are known without a look at the disk.</summary>
internal sealed class FlatConversion(Disk disk, FlatLayout layout) : DiskConversion
{
    // Shorter holes are read through: to find their ends costs more than to look at their zeros.
    private const int UnitLength = 64 * 1024;

    public override Task<ContentReader?> LayOutAsync(CancellationToken cancellationToken) =>
        Task.FromResult<ContentReader?>(new LaidOutContent(disk, layout));

    public override Task CopyToAsync(Stream output, CancellationToken cancellationToken) =>
        new LaidOutContent(disk, layout).CopyToAsync(output, cancellationToken);

    public override async Task WriteFileAsync(SafeFileHandle file, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        // A file that has its length already is cheaper to write into than one that grows.
        RandomAccess.SetLength(file, layout.Length);
        var walk = new DiskWalk(disk, DiskWalk.CopyingLength, UnitLength, DiskWalk.CopyingWorkers);
        await walk.RunAsync(() => new Writer(walk, file, disk.Length), progress, cancellationToken);
        foreach (var region in layout.Regions)
            SparseFile.Write(file, region);
    }

    public override ValueTask DisposeAsync() => disk.DisposeAsync();

    private sealed class Writer(DiskWalk walk, SafeFileHandle file, long length) : PieceWorker(walk)
    {
        public override void Finish() => SparseFile.Write(file, Bytes.Span[..(int)Math.Min(Bytes.Length, length - Start)], Start);
    }
}
