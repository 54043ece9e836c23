using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Vitrine.Stores.FileSystem;

/// <summary>Remembers beside staged content how much of it is durable, and in which run of which machine it was written.</summary>
/// <remarks>
/// Two slots of one record each, at 0 and at 512, written in turn so that a power cut can spoil only the older one.
/// All numbers are little-endian:
/// <code>
///  0       4         8          16         24        40         48
///  +-------+---------+----------+----------+---------+----------+
///  | magic | version | sequence | durable  | boot id | checksum |
///  |  VCHK |    1    |          |  length  |         |          |
///  +-------+---------+----------+----------+---------+----------+
/// </code>
/// The checksum is the first eight bytes of the SHA-256 of what precedes it. The slot with the higher sequence counts.
/// </remarks>
internal sealed class StagingCheckpoint : IDisposable
{
    private const uint Magic = 0x4b48_4356; // "VCHK"
    private const uint Version = 1;
    private const int SlotDistance = 512;
    private const int ChecksumOffset = 40;
    private const int RecordLength = 48;

    private readonly FileStream _file;
    private Record _latest;

    private StagingCheckpoint(FileStream file)
    {
        _file = file;
        _latest = Latest(ReadSlot(0), ReadSlot(1));
    }

    /// <summary>How many bytes a power cut has left for certain. Zero where there is no valid record.</summary>
    public long DurableLength => _latest.DurableLength;

    /// <summary>The run in which the content was last written; null where there is no valid record.</summary>
    public BootId? Boot => _latest.Sequence == 0 ? null : _latest.Boot;

    /// <summary>Opens the checkpoint of a key, or begins one, and holds the key's lock until it is disposed.</summary>
    /// <exception cref="WriterBusyException">Somebody else holds it.</exception>
    public static StagingCheckpoint Open(string path, StagingKey key)
    {
        var file = StagingLock.Take(path, key);
        try
        {
            return new StagingCheckpoint(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Says, durably, that so many bytes are durable. They must have been synced before.</summary>
    public void Save(long durableLength, BootId boot)
    {
        var next = new Record(_latest.Sequence + 1, durableLength, boot);
        Span<byte> bytes = stackalloc byte[RecordLength];
        next.Write(bytes);
        RandomAccess.Write(_file.SafeFileHandle, bytes, SlotOffset(next.Sequence));
        NativeFile.SyncData(_file.SafeFileHandle);
        _latest = next;
    }

    public void Dispose() => _file.Dispose();

    private Record ReadSlot(long slot)
    {
        Span<byte> bytes = stackalloc byte[RecordLength];
        return RandomAccess.Read(_file.SafeFileHandle, bytes, SlotOffset(slot)) == RecordLength && Record.TryRead(bytes, out var record) ? record : default;
    }

    private static long SlotOffset(long sequence) => sequence % 2 * SlotDistance;

    private static Record Latest(Record first, Record second) => first.Sequence >= second.Sequence ? first : second;

    private readonly record struct Record(long Sequence, long DurableLength, BootId Boot)
    {
        public void Write(Span<byte> bytes)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], Version);
            BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], Sequence);
            BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], DurableLength);
            Boot.Value.TryWriteBytes(bytes[24..]);
            Checksum(bytes).CopyTo(bytes[ChecksumOffset..]);
        }

        public static bool TryRead(ReadOnlySpan<byte> bytes, out Record record)
        {
            record = default;
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
                || BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != Version
                || !Checksum(bytes).SequenceEqual(bytes[ChecksumOffset..RecordLength]))
            {
                return false;
            }

            record = new Record(
                BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
                new BootId(new Guid(bytes[24..ChecksumOffset])));
            return true;
        }

        private static ReadOnlySpan<byte> Checksum(ReadOnlySpan<byte> bytes) =>
            SHA256.HashData(bytes[..ChecksumOffset]).AsSpan(0, RecordLength - ChecksumOffset);
    }
}
