using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Formats.Conversion;

/// <summary>Writes to an empty file that leave holes where there are zeros.</summary>
internal static class SparseFile
{
    /// <summary>What file systems keep or leave out as a whole.</summary>
    private const int BlockLength = 4096;

    private const int CopyLength = 256 * 1024;

    /// <summary>Writes the blocks that are not all zeros, neighbours in one call.</summary>
    public static void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        var start = 0;
        while (start < bytes.Length)
        {
            var end = EndOfBlock(bytes, start);
            if (IsZero(bytes[start..end]))
            {
                start = end;
                continue;
            }

            while (end < bytes.Length && EndOfBlock(bytes, end) is var next && !IsZero(bytes[end..next]))
                end = next;
            RandomAccess.Write(file, bytes[start..end], offset + start);
            start = end;
        }
    }

    public static void Write(SafeFileHandle file, Region region)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(CopyLength);
        try
        {
            for (long start = 0; start < region.Length; start += CopyLength)
            {
                var part = buffer.AsSpan(0, (int)Math.Min(CopyLength, region.Length - start));
                region.CopyTo(start, part);
                Write(file, part, region.Offset + start);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);

    private static int EndOfBlock(ReadOnlySpan<byte> bytes, int start) => Math.Min(start + BlockLength, bytes.Length);
}
