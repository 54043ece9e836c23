using System.Security.Cryptography;
using Vitrine.Disks;

namespace Vitrine.Formats.Conversion;

/// <summary>Ids for content whose format wants some: equal disks have equal ones, and different disks, as good as always, different ones.</summary>
/// <remarks>
/// They are drawn from the disk's length and its first bytes, where partition tables keep ids of their own. All bytes would be
/// surer, but a range of the content could then not be given before the whole disk has been read.
/// </remarks>
internal sealed class DiskIdentity
{
    private const int SampleLength = 64 * 1024;

    private readonly byte[] _digest;

    private DiskIdentity(byte[] digest) => _digest = digest;

    public static async Task<DiskIdentity> OfAsync(Disk disk, CancellationToken cancellationToken)
    {
        var sample = new byte[sizeof(long) + SampleLength];
        BitConverter.TryWriteBytes(sample, disk.Length);
        await disk.ReadPaddedAsync(0, sample.AsMemory(sizeof(long)), cancellationToken);
        return new DiskIdentity(SHA256.HashData(sample));
    }

    /// <param name="use">What the id is for; each use has one of its own.</param>
    public Guid For(string use)
    {
        // RFC 9562, 5.8: version 8 is for ids made in one's own way.
        var bytes = HMACSHA256.HashData(_digest, System.Text.Encoding.ASCII.GetBytes(use)).AsSpan(0, 16);
        bytes[6] = (byte)(bytes[6] & 0x0f | 0x80);
        bytes[8] = (byte)(bytes[8] & 0x3f | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
