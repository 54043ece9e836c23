namespace Vitrine.FormatTests;

/// <summary>Guests' disks to make images of.</summary>
internal static class GuestBytes
{
    /// <summary>Bytes that no compression makes shorter by much, and the same ones for the same numbers.</summary>
    public static byte[] Random(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Zeros, with data in parts of some blocks: runs of blocks, single ones, and pieces that are no block's.</summary>
    public static byte[] Sparse(int length)
    {
        var bytes = new byte[length];
        var random = new Random(length);
        foreach (var (start, count) in (ReadOnlySpan<(double, int)>)[(0, 70_000), (0.2, 3_000), (0.21, 400_000), (0.5, 1), (0.8, 200_000)])
        {
            var at = (int)(start * length);
            random.NextBytes(bytes.AsSpan(at, Math.Min(count, length - at)));
        }

        bytes[^1] = 7;
        return bytes;
    }
}
