using Vitrine.Disks;
using Vitrine.Stores;

namespace Vitrine.Formats.Boot;

/// <summary>The guest's disk as content, for what reads content. The disk stays its owner's.</summary>
internal sealed class DiskContent(Disk disk) : ContentReader
{
    public override long Length => disk.Length;

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = (int)Math.Min(buffer.Length, disk.Length - offset);
        await disk.ReadAsync(offset, buffer[..count], cancellationToken);
        return count;
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
