using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Vitrine.Stores;

namespace Vitrine.Formats.Qcow2;

/// <summary>The internal snapshots of an image.</summary>
/// <remarks>
/// The entries follow one another, each beginning at a multiple of 8 from the table's start, every field big-endian:
/// <code>
///   0  L1 table offset (8)        8  entries of the L1 table   12  id's length (2)      14  name's length (2)
///  16  date in seconds           20  and nanoseconds           24  guest's run in nanoseconds (8)
///  32  machine state's length    36  extra data's length
///  40  extra data: machine state's length (8), disk's length (8), and what is not needed here; then id, then name
/// </code>
/// Extra data may be missing, or end after any of its fields.
/// </remarks>
internal static class Qcow2SnapshotTable
{
    public const int LeastEntryLength = 40;

    // QEMU takes no more extra data, and has room for fewer characters.
    private const int MaxExtraLength = 1024;
    private const int MaxTextLength = 1024;

    private const int StateLengthEnd = 8;
    private const int DiskLengthEnd = 16;
    private const int NanosecondsOfTick = 100;

    /// <exception cref="Content.UnsafeContentException">The table cannot be right.</exception>
    public static async IAsyncEnumerable<Qcow2Snapshot> ReadAsync(
        ContentReader content, Qcow2Header header, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var entry = new byte[LeastEntryLength + MaxExtraLength + 2 * MaxTextLength];
        var offset = header.SnapshotsOffset;
        for (var i = 0; i < header.Snapshots; i++)
        {
            await content.ReadExactlyAsync("qcow2", offset, entry.AsMemory(0, LeastEntryLength), cancellationToken);
            var length = LengthOf(entry);
            await content.ReadExactlyAsync("qcow2", offset, entry.AsMemory(0, length), cancellationToken);
            yield return Read(entry, header);

            offset += RoundUp(length);
        }
    }

    /// <summary>How long the table is, in bytes. The last entry need not be padded.</summary>
    public static async Task<long> MeasureAsync(ContentReader content, Qcow2Header header, CancellationToken cancellationToken)
    {
        var entry = new byte[LeastEntryLength];
        var (start, end) = (0L, 0L);
        for (var i = 0; i < header.Snapshots; i++)
        {
            await content.ReadExactlyAsync("qcow2", header.SnapshotsOffset + start, entry, cancellationToken);
            var length = LengthOf(entry);
            end = start + length;
            start += RoundUp(length);
        }

        return end;
    }

    private static int LengthOf(ReadOnlySpan<byte> entry)
    {
        var (id, name) = (BinaryPrimitives.ReadUInt16BigEndian(entry[12..]), BinaryPrimitives.ReadUInt16BigEndian(entry[14..]));
        var extra = BinaryPrimitives.ReadUInt32BigEndian(entry[36..]);
        if (id > MaxTextLength || name > MaxTextLength || extra > MaxExtraLength)
            throw Qcow2Refusal.BadGeometry("it says more of a snapshot than there is to say");

        return LeastEntryLength + (int)extra + id + name;
    }

    private static Qcow2Snapshot Read(ReadOnlySpan<byte> entry, Qcow2Header header)
    {
        var l1 = new Qcow2L1(BinaryPrimitives.ReadInt64BigEndian(entry), BinaryPrimitives.ReadUInt32BigEndian(entry[8..]));
        var idLength = BinaryPrimitives.ReadUInt16BigEndian(entry[12..]);
        var nameLength = BinaryPrimitives.ReadUInt16BigEndian(entry[14..]);
        var seconds = BinaryPrimitives.ReadUInt32BigEndian(entry[16..]);
        var nanoseconds = BinaryPrimitives.ReadUInt32BigEndian(entry[20..]);
        var run = BinaryPrimitives.ReadUInt64BigEndian(entry[24..]);
        var stateLength = (long)BinaryPrimitives.ReadUInt32BigEndian(entry[32..]);
        var extraLength = (int)BinaryPrimitives.ReadUInt32BigEndian(entry[36..]);
        var extra = entry.Slice(LeastEntryLength, extraLength);
        var texts = entry[(LeastEntryLength + extraLength)..];

        if (extraLength >= StateLengthEnd)
            stateLength = BinaryPrimitives.ReadInt64BigEndian(extra);
        var diskLength = extraLength >= DiskLengthEnd ? BinaryPrimitives.ReadInt64BigEndian(extra[StateLengthEnd..]) : header.Size;
        Check(l1, stateLength, diskLength, header);

        return new Qcow2Snapshot(
            Encoding.UTF8.GetString(texts[..idLength]),
            Encoding.UTF8.GetString(texts.Slice(idLength, nameLength)),
            DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanoseconds / NanosecondsOfTick),
            TimeSpan.FromTicks((long)(run / NanosecondsOfTick)),
            stateLength, diskLength, l1);
    }

    private static void Check(Qcow2L1 l1, long stateLength, long diskLength, Qcow2Header header)
    {
        if (stateLength < 0 || diskLength is < 0 or > Refusal.MaxVirtualSize)
            throw Qcow2Refusal.BadGeometry("a snapshot of it is longer than any disk");
        if (l1.Length > Qcow2Header.MaxL1Length || !header.IsClusterAligned(l1.Offset) || (l1 is { Entries: > 0, Offset: 0 }))
            throw Qcow2Refusal.BadGeometry("the table of a snapshot is where none can be");
        if (!header.IsMapped(diskLength, l1))
            throw Qcow2Refusal.BadGeometry("the table of a snapshot does not map its whole disk");
    }

    private static int RoundUp(int length) => (length + 7) / 8 * 8;
}
