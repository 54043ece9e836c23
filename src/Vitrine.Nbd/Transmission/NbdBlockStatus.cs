using Vitrine.Disks;
using Vitrine.Nbd.Wire;

namespace Vitrine.Nbd.Transmission;

/// <summary>Tells what is where in the words of base:allocation.</summary>
/// <remarks>
/// Each descriptor:
/// <code>
///  0        4       8
///  +--------+-------+
///  | length | flags |
///  +--------+-------+
/// </code>
/// </remarks>
internal static class NbdBlockStatus
{
    /// <summary>How long the longest answer is, in bytes. A client asks on from where an answer ends.</summary>
    public const int MaxLength = 2048 * DescriptorLength;

    private const int DescriptorLength = 8;

    /// <param name="room">For at least one descriptor.</param>
    /// <returns>How many bytes the descriptors have.</returns>
    public static async ValueTask<int> WriteAsync(NbdExport export, NbdRequest request, Memory<byte> room, CancellationToken cancellationToken)
    {
        if (request.Flags.HasFlag(NbdCommandFlags.RequestOne))
            room = room[..DescriptorLength];

        var length = 0;
        await foreach (var extent in export.ListExtentsAsync((long)request.Offset, request.Length, cancellationToken))
        {
            if (length + DescriptorLength > room.Length)
                break;

            Write(room.Span[length..], extent);
            length += DescriptorLength;
        }

        return length > 0 ? length : throw new InvalidOperationException("The export has no extents where it has bytes.");
    }

    public static NbdAllocation AllocationOf(ExtentKind kind) => kind switch
    {
        ExtentKind.Zero => NbdAllocation.Zero,
        ExtentKind.Absent => NbdAllocation.Zero | NbdAllocation.Hole,
        _ => NbdAllocation.Data,
    };

    private static void Write(Span<byte> room, Extent extent)
    {
        var writer = new BigEndianWriter(room);
        writer.Write((uint)extent.Length);
        writer.Write((uint)AllocationOf(extent.Kind));
    }
}
