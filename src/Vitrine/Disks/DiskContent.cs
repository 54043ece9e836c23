using Vitrine.Stores;

namespace Vitrine.Disks;

/// <summary>A guest's disk as content: its bytes are the disk's, as if it were kept raw.</summary>
/// <param name="disk">Belongs to the content from now on.</param>
public sealed class DiskContent(Disk disk) : ContentReader
{
    public override long Length => disk.Length;

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var wanted = buffer[..(int)Math.Min(buffer.Length, disk.Length - offset)];
        await disk.ReadAsync(offset, wanted, cancellationToken);
        return wanted.Length;
    }

    public override ValueTask DisposeAsync() => disk.DisposeAsync();
}
