using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Vitrine.FormatTests.Vhdx;

/// <summary>VHDX written byte by byte, to be changed where a tool would not. Log, metadata and block table have a MiB each.</summary>
internal static class VhdxFile
{
    public const int KiB = 1024;
    public const int MiB = 1024 * KiB;
    public const int Log = MiB;
    public const int Metadata = 2 * MiB;
    public const int Bat = 3 * MiB;
    public const int Data = 4 * MiB;
    public const int BlockLength = MiB;

    public const ulong Zero = 2;
    public const ulong Unmapped = 3;
    public const ulong Present = 6;

    private static readonly Guid LogId = new("11223344-5566-7788-99aa-bbccddeeff00");

    /// <param name="state">Of blocks that have only zeros.</param>
    public static byte[] Dynamic(ReadOnlySpan<byte> guest, uint sectorSize = 512, ulong state = 0, bool backwards = false)
    {
        var blocks = (guest.Length + BlockLength - 1) / BlockLength;
        var image = new MemoryStream();
        image.Write(new byte[Data]);
        var entries = new ulong[blocks];
        for (var i = 0; i < blocks; i++)
        {
            var block = backwards ? blocks - 1 - i : i;
            var bytes = guest.Slice(block * BlockLength, Math.Min(BlockLength, guest.Length - block * BlockLength));
            entries[block] = state;
            if (!bytes.ContainsAnyExcept((byte)0))
                continue;

            entries[block] = (ulong)image.Length | Present;
            image.Write(bytes);
            image.Write(new byte[BlockLength - bytes.Length]);
        }

        var file = image.ToArray();
        "vhdxfile"u8.CopyTo(file);
        WriteHeader(file, 64 * KiB, sequence: 1, Guid.Empty);
        WriteHeader(file, 128 * KiB, sequence: 2, Guid.Empty);
        WriteRegions(file, 192 * KiB);
        WriteRegions(file, 256 * KiB);
        WriteMetadata(file, (ulong)guest.Length, sectorSize);
        for (var block = 0; block < blocks; block++)
            WithEntry(file, block, entries[block]);

        return file;
    }

    /// <param name="index">In the table, the entries of bitmaps counted too.</param>
    public static byte[] WithEntry(byte[] image, int index, ulong entry)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(Bat + 8 * index), entry);
        return image;
    }

    /// <summary>Lets the image say that its log is not empty.</summary>
    public static byte[] WithLogId(byte[] image)
    {
        WriteHeader(image, 64 * KiB, sequence: 3, LogId);
        return image;
    }

    /// <summary>Writes an entry of the log, and lets the image say that its log is not empty.</summary>
    /// <param name="at">Where in the log; it goes on at the log's start where it does not fit.</param>
    /// <param name="flushed">How long the file is said to have been; as long as it is, if null.</param>
    /// <param name="last">How long the file is to be; as long as it is, if null.</param>
    /// <returns>Where the next entry goes.</returns>
    public static int WriteLogEntry(
        byte[] image, int at, ulong sequence, int tail, LogChange[] changes, long? flushed = null, long? last = null)
    {
        WithLogId(image);
        var data = (64 + 32 * changes.Length + 4095) / 4096 * 4096;
        var entry = new byte[data + 4096 * changes.Count(c => c.Page is not null)];
        "loge"u8.CopyTo(entry);
        BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(8), (uint)entry.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(12), (uint)tail);
        BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(16), sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(24), (uint)changes.Length);
        LogId.TryWriteBytes(entry.AsSpan(32));
        BinaryPrimitives.WriteInt64LittleEndian(entry.AsSpan(48), flushed ?? image.Length);
        BinaryPrimitives.WriteInt64LittleEndian(entry.AsSpan(56), last ?? image.Length);
        for (var i = 0; i < changes.Length; i++)
        {
            var descriptor = entry.AsSpan(64 + 32 * i, 32);
            BinaryPrimitives.WriteInt64LittleEndian(descriptor[16..], changes[i].Offset);
            BinaryPrimitives.WriteUInt64LittleEndian(descriptor[24..], sequence);
            if (changes[i].Page is not { } page)
            {
                "zero"u8.CopyTo(descriptor);
                BinaryPrimitives.WriteInt64LittleEndian(descriptor[8..], changes[i].ZeroLength);
                continue;
            }

            "desc"u8.CopyTo(descriptor);
            page.AsSpan(4092).CopyTo(descriptor[4..]);
            page.AsSpan(0, 8).CopyTo(descriptor[8..]);
            var sector = entry.AsSpan(data, 4096);
            "data"u8.CopyTo(sector);
            BinaryPrimitives.WriteUInt32LittleEndian(sector[4..], (uint)(sequence >> 32));
            page.AsSpan(8, 4084).CopyTo(sector[8..]);
            BinaryPrimitives.WriteUInt32LittleEndian(sector[4092..], (uint)sequence);
            data += 4096;
        }

        Sum(entry);
        for (var i = 0; i < entry.Length; i++)
            image[Log + (at + i) % MiB] = entry[i];

        return (at + entry.Length) % MiB;
    }

    /// <summary>Makes the checksums of headers, region tables and the log's first entry right again.</summary>
    public static void Repair(byte[] image)
    {
        Sum(image.AsSpan(64 * KiB, 4 * KiB));
        Sum(image.AsSpan(128 * KiB, 4 * KiB));
        Sum(image.AsSpan(192 * KiB, 64 * KiB));
        Sum(image.AsSpan(256 * KiB, 64 * KiB));
        var length = BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan(Log + 8));
        if (length is > 0 and <= MiB && length % 4096 == 0)
            Sum(image.AsSpan(Log, (int)length));
    }

    private static void WriteHeader(byte[] image, int at, ulong sequence, Guid logId)
    {
        var header = image.AsSpan(at, 4 * KiB);
        header.Clear();
        "head"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], sequence);
        logId.TryWriteBytes(header[48..]);
        header[66] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(header[68..], MiB);
        BinaryPrimitives.WriteUInt64LittleEndian(header[72..], Log);
        Sum(header);
    }

    private static void WriteRegions(byte[] image, int at)
    {
        var table = image.AsSpan(at, 64 * KiB);
        "regi"u8.CopyTo(table);
        BinaryPrimitives.WriteUInt32LittleEndian(table[8..], 2);
        WriteEntry(table[16..], new Guid("2dc27766-f623-4200-9d64-115e9bfd4a08"), Bat);
        WriteEntry(table[48..], new Guid("8b7ca206-4790-4b9a-b8fe-575f050f886e"), Metadata);
        Sum(table);

        static void WriteEntry(Span<byte> entry, Guid id, ulong offset)
        {
            id.TryWriteBytes(entry);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], offset);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[24..], MiB);
            entry[28] = 1;
        }
    }

    private static void WriteMetadata(byte[] image, ulong length, uint sectorSize)
    {
        var region = image.AsSpan(Metadata, MiB);
        (Guid Id, byte[] Value)[] items =
        [
            (new Guid("caa16737-fa36-4d43-b3b6-33f0aa44e76b"), [.. BitConverter.GetBytes((uint)BlockLength), 0, 0, 0, 0]),
            (new Guid("2fa54224-cd1b-4876-b211-5dbed83bf4b8"), BitConverter.GetBytes(length)),
            (new Guid("beca12ab-b2e6-4523-93ef-c309e000c746"), Guid.NewGuid().ToByteArray()),
            (new Guid("8141bf1d-a96f-4709-ba47-f233a8faab5f"), BitConverter.GetBytes(sectorSize)),
            (new Guid("cda348c7-445d-4471-9cc9-e9885251c556"), BitConverter.GetBytes(4096u)),
        ];
        "metadata"u8.CopyTo(region);
        region[10] = (byte)items.Length;
        var offset = 64 * KiB;
        for (var i = 0; i < items.Length; i++)
        {
            var (id, value) = items[i];
            var entry = region[(32 + 32 * i)..];
            id.TryWriteBytes(entry);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], (uint)offset);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[20..], (uint)value.Length);
            entry[24] = 4;
            value.CopyTo(region[offset..]);
            offset += value.Length;
        }
    }

    private static void Sum(Span<byte> structure)
    {
        structure.Slice(4, 4).Clear();
        var crc = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(structure))
            crc = BitOperations.Crc32C(crc, word);

        BinaryPrimitives.WriteUInt32LittleEndian(structure[4..], ~crc);
    }
}

/// <param name="Page">What the page at the offset becomes; null for zeros.</param>
/// <param name="ZeroLength">How many bytes of zeros.</param>
internal sealed record LogChange(long Offset, byte[]? Page, long ZeroLength = 4096);
