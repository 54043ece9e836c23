using System.Buffers;
using System.Security.Cryptography;
using Vitrine.Content;

namespace Vitrine.Disks;

/// <summary>The SHA-256 of what the guest sees, which is the same in every format: <c>sha256sum</c> of the raw disk.</summary>
public static class DiskDigest
{
    private const int BlockSize = 1024 * 1024;

    /// <param name="progress">Told how many bytes of the disk have been seen.</param>
    public static async Task<Digest> ComputeAsync(Disk disk, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            await foreach (var extent in disk.ListExtentsAsync(0, disk.Length, cancellationToken))
            {
                var isData = extent.Kind is ExtentKind.Data;
                if (!isData)
                    block.AsSpan(0, BlockSize).Clear();

                for (var offset = extent.Start; offset < extent.End;)
                {
                    var piece = block.AsMemory(0, (int)Math.Min(BlockSize, extent.End - offset));
                    if (isData)
                        await disk.ReadAsync(offset, piece, cancellationToken);
                    else
                        cancellationToken.ThrowIfCancellationRequested();

                    sum.AppendData(piece.Span);
                    offset += piece.Length;
                    progress?.Report(offset);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }

        return Digest.FromHash(sum.GetHashAndReset());
    }
}
