using System.Security.Cryptography;
using Vitrine.Disks;

namespace Vitrine.FormatTests;

/// <summary>What every disk promises, whatever its format.</summary>
internal static class DiskContract
{
    /// <summary>The extents cover the whole disk, and every piece of it, and what is not data reads as zeros.</summary>
    /// <param name="expected">The guest's bytes.</param>
    public static async Task HoldAsync(Disk disk, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        Assert.Equal(expected.Length, disk.Length);
        await HoldRangeAsync(disk, expected, 0, expected.Length, cancellationToken);
        for (var round = 0; round < 20; round++)
        {
            var start = RandomNumberGenerator.GetInt32(expected.Length);
            var length = RandomNumberGenerator.GetInt32(1, Math.Min(expected.Length - start, 300_000) + 1);
            await HoldRangeAsync(disk, expected, start, length, cancellationToken);
        }

        await disk.CheckAsync(cancellationToken);
    }

    private static async Task HoldRangeAsync(Disk disk, ReadOnlyMemory<byte> expected, int start, int length, CancellationToken cancellationToken)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(0xa5);
        await disk.ReadAsync(start, bytes, cancellationToken);
        Assert.True(expected.Span.Slice(start, length).SequenceEqual(bytes), $"the bytes from {start}, {length} of them, differ");

        var (position, last) = ((long)start, (ExtentKind?)null);
        await foreach (var extent in disk.ListExtentsAsync(start, length, cancellationToken))
        {
            Assert.Equal(position, extent.Start);
            Assert.True(extent.Length > 0);
            Assert.NotEqual(last, extent.Kind);
            if (extent.Kind != ExtentKind.Data)
                Assert.False(expected.Span.Slice((int)extent.Start, (int)extent.Length).ContainsAnyExcept((byte)0));
            (position, last) = (extent.End, extent.Kind);
        }

        Assert.Equal(start + length, position);
    }
}
