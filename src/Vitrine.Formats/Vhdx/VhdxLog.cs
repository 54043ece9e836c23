using System.Buffers.Binary;
using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Formats.Vhdx;

/// <summary>Replays the log of a VHDX that was not closed, in memory ([MS-VHDX] 2.3.2 and 2.3.3).</summary>
/// <remarks>
/// The log is a ring of entries. Those that count are the sequence, numbered without a gap, whose last entry has the highest number
/// and names an entry of the sequence as its tail; they are applied from that tail on. Where there is no such sequence nothing was
/// on its way when the writer died.
/// </remarks>
internal sealed class VhdxLog
{
    // Writers make logs of 1 MiB. This much is held, twice for the time of the search.
    private const long MostLength = 8 * VhdxLayout.MiB;

    // Also of zeros, which take no room in the log: 1 GiB of them, those that are cleared again counted again.
    private const int MostPages = 256 * 1024;

    // What is not whole is hashed in vain; a crash leaves little of it.
    private const long MostHashed = 64;

    // The longest disk has 64 TiB (2.6.2.2), and what is around it is much less. A check takes time for what a log says it adds.
    private const long MostFileLength = 128L << 40;

    private const int SectorSize = VhdxLogEntry.SectorSize;

    private readonly byte[] _log;
    private readonly int _length;
    private readonly Guid _id;
    private readonly VhdxRegion _region;
    private readonly Dictionary<long, byte[]?> _pages = [];
    private long _hashed;
    private ulong _cleared;
    private long _fileLength;

    private VhdxLog(byte[] log, VhdxHeader header, long fileLength)
    {
        (_log, _id, _region, _fileLength) = (log, header.LogId, header.Log, fileLength);
        _length = log.Length / 2;
    }

    /// <summary>The content as it is once the log has been replayed. It closes the content that it is made of.</summary>
    public static async Task<ContentReader> ReplayAsync(ContentReader content, VhdxHeader header, CancellationToken cancellationToken)
    {
        var (start, length) = (header.Log.Offset, header.Log.Length);
        if (header.LogVersion != 0)
            throw new UnsafeContentException("vhdx-incompatible-features", "the VHDX image's log is of a version that is not known here.");
        if (!header.Log.IsAligned || length > MostLength)
            throw BadLog($"it is not where one can be, or has {length} bytes");

        var bytes = GC.AllocateUninitializedArray<byte>((int)(2 * length));
        await content.ReadExactlyAsync("VHDX", start, bytes.AsMemory(0, (int)length), cancellationToken);
        bytes.AsSpan(0, (int)length).CopyTo(bytes.AsSpan((int)length));

        var log = new VhdxLog(bytes, header, content.Length);
        log.Apply(log.FindSequence(), cancellationToken);
        return new ReplayedContent(content, log._fileLength, log._pages);
    }

    private List<VhdxLogEntry> FindSequence()
    {
        List<VhdxLogEntry> found = [];
        for (var tail = 0; tail < _length;)
        {
            var sequence = ReadSequence(tail);
            if (sequence.Count == 0 || !sequence.Exists(e => e.Offset == sequence[^1].Tail))
            {
                tail += SectorSize;
                continue;
            }

            if (found.Count == 0 || sequence[^1].Sequence > found[^1].Sequence)
                found = sequence;

            tail = EndOf(sequence);
        }

        return found.Count == 0 ? found : found[found.FindIndex(e => e.Offset == found[^1].Tail)..];
    }

    private List<VhdxLogEntry> ReadSequence(int tail)
    {
        List<VhdxLogEntry> sequence = [];
        var (head, left) = (tail, _length);
        while (VhdxLogEntry.TryRead(_log, head, _id, ref _hashed) is { } entry && entry.Length <= left
            && (sequence.Count == 0 || entry.Sequence == sequence[^1].Sequence + 1))
        {
            sequence.Add(entry);
            left -= entry.Length;
            head = (head + entry.Length) % _length;
            if (left == 0)
                break;
        }

        return _hashed <= MostHashed * _length ? sequence : throw BadLog("it is in pieces");
    }

    /// <summary>Where the search goes on; beyond the log's end where the sequence went round.</summary>
    private static int EndOf(List<VhdxLogEntry> sequence) => sequence[0].Offset + sequence.Sum(e => e.Length);

    private void Apply(List<VhdxLogEntry> entries, CancellationToken cancellationToken)
    {
        foreach (var entry in entries)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (entry.FlushedLength > (ulong)_fileLength)
                throw Refusal.Truncated("VHDX");
            if (entry.LastLength > MostFileLength)
                throw BadLog("it makes the file longer than one can be");

            _fileLength = Math.Max(_fileLength, (long)entry.LastLength);
            ApplyEntry(entry);
        }
    }

    private void ApplyEntry(VhdxLogEntry entry)
    {
        var bytes = _log.AsSpan(entry.Offset, entry.Length);
        var data = entry.DataOffset;
        for (var i = 0; i < entry.Descriptors; i++)
        {
            var descriptor = bytes.Slice(VhdxLogEntry.HeaderLength + i * VhdxLogEntry.DescriptorLength, VhdxLogEntry.DescriptorLength);
            var offset = BinaryPrimitives.ReadUInt64LittleEndian(descriptor[16..]);
            if (VhdxLogEntry.IsZero(descriptor))
            {
                ClearPages(offset, BinaryPrimitives.ReadUInt64LittleEndian(descriptor[8..]));
                continue;
            }

            CheckRange(offset, SectorSize);
            _pages[(long)offset / SectorSize] = VhdxLogEntry.ReadPage(descriptor, bytes.Slice(data, SectorSize));
            data += SectorSize;
        }
    }

    private void ClearPages(ulong offset, ulong length)
    {
        CheckRange(offset, length);
        _cleared += length / SectorSize;
        if (_cleared > MostPages)
            throw BadLog("it changes more than can be held");

        for (var page = offset / SectorSize; page < (offset + length) / SectorSize; page++)
            _pages[(long)page] = null;
    }

    private void CheckRange(ulong offset, ulong length)
    {
        var isInside = offset <= (ulong)_fileLength && length <= (ulong)_fileLength - offset;
        if (!isInside || offset % SectorSize != 0 || length % SectorSize != 0)
            throw BadLog("it changes what is not there");

        // The headers and the log are never logged themselves (2.3): whoever replays would change what says how to.
        if (offset < VhdxLayout.MiB || ((long)offset < _region.End && _region.Offset < (long)(offset + length)))
            throw BadLog("it changes headers, or itself");
    }

    private static UnsafeContentException BadLog(string what) => new("vhdx-bad-log", $"the VHDX image's log cannot be right: {what}.");
}
