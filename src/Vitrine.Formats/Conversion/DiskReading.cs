using Vitrine.Disks;

namespace Vitrine.Formats.Conversion;

/// <summary>Reads of a disk that do not mind where it ends.</summary>
internal static class DiskReading
{
    /// <summary>Fills the buffer; what is beyond the disk's end is zeros.</summary>
    public static async ValueTask ReadPaddedAsync(this Disk disk, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var length = (int)Math.Clamp(disk.Length - offset, 0, buffer.Length);
        if (length > 0)
            await disk.ReadAsync(offset, buffer[..length], cancellationToken);
        buffer.Span[length..].Clear();
    }
}
