using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Vitrine.Images;

namespace Vitrine.Bench.Hostile;

/// <summary>An image that is right, and whose tables lie as far from one another as its format allows and name places in no order.</summary>
/// <param name="Write">Makes the file at a path, of a disk of so many bytes.</param>
internal sealed record HostileImage(string Name, DiskFormat Format, Action<string, long> Write)
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;
    private const int Sector = 512;

    public static readonly IReadOnlyList<HostileImage> All =
    [
        new("qcow2-64k", DiskFormat.Qcow2, (path, size) => WriteQcow2(path, size, clusterBits: 16, spread: 1L << 40)),
        new("qcow2-4k", DiskFormat.Qcow2, (path, size) => WriteQcow2(path, size, clusterBits: 12, spread: 1L << 36)),
        new("vmdk", DiskFormat.Vmdk, WriteVmdk),
        new("vhd", DiskFormat.Vhd, WriteVhd),
        new("vhdx", DiskFormat.Vhdx, WriteVhdx),
        new("vdi", DiskFormat.Vdi, WriteVdi),
    ];

    // Goes through all numbers below a power of two in no order.
    private static long Shuffle(long index, long count) => index * 0x9e37_79b1 & count - 1;

    private static long PowerOver(long count) => (long)BitOperations.RoundUpToPowerOf2((ulong)count);

    // The directory is full; tables are at most so many, since a check reads each, and each names its first cluster alone.
    private static void WriteQcow2(string path, long size, int clusterBits, long spread)
    {
        const int mostTables = 32 * KiB;
        var cluster = 1L << clusterBits;
        var entries = size / cluster * sizeof(ulong) / cluster;
        var tables = PowerOver(Math.Min(entries, mostTables));
        var l1 = 3 * cluster;
        var first = (l1 + entries * sizeof(ulong) + cluster - 1) / cluster * cluster;
        var stride = Math.Max(2 * cluster, Math.Min(spread, size) / tables / cluster * cluster);
        using var file = new SparseFile(path);
        file.SetLength(first + tables * stride);
        file.PutBig(0, 0x5146_49fb_0000_0003, 0, (ulong)clusterBits, (ulong)size, (ulong)entries, (ulong)l1, (ulong)cluster, 1UL << 32);
        file.PutBig(96, 4UL << 32 | 104);
        file.PutBig(cluster, (ulong)(2 * cluster));
        for (var i = 0L; i < tables; i++)
        {
            var place = (ulong)(first + Shuffle(i, tables) * stride);
            file.PutBig(l1 + i * (entries / tables) * sizeof(ulong), place);
            file.PutBig((long)place, place + (ulong)cluster);
        }
    }

    private static void WriteVmdk(string path, long size)
    {
        const int grainSectors = 128;
        const int tableEntries = 512;
        const int directory = 21;
        const int overhead = 128 + directory;
        var tables = PowerOver(size / Sector / grainSectors / tableEntries);
        var first = (long)overhead + tables * sizeof(uint) / Sector;
        var stride = (uint.MaxValue - first) / tables;
        using var file = new SparseFile(path);
        var header = new byte[2 * Sector];
        "KDMV"u8.CopyTo(header);
        Little(header, 4, 1);
        Little(header, 8, 1);
        Little(header, 12, (ulong)(size / Sector));
        Little(header, 20, grainSectors);
        Little(header, 28, 1);
        Little(header, 36, directory - 1);
        Little(header, 44, tableEntries);
        Little(header, 56, directory);
        Little(header, 64, (ulong)first);
        "\n \r\n"u8.CopyTo(header.AsSpan(73));
        Encoding.ASCII.GetBytes($"# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicSparse\"\nRW {size / Sector} SPARSE \"x.vmdk\"\n")
            .CopyTo(header.AsSpan(Sector));
        file.SetLength((first + tables * stride) * Sector);
        file.Put(0, header);
        var entries = new uint[tables];
        for (var i = 0L; i < tables; i++)
        {
            var place = (uint)(first + Shuffle(i, tables) * stride);
            entries[i] = place;
            file.Put((long)place * Sector, BitConverter.GetBytes(place + 2 * KiB / Sector));
        }

        file.Put(directory * Sector, MemoryMarshal.AsBytes(entries.AsSpan()));
    }

    private static void WriteVhd(string path, long size)
    {
        const int blockSectors = 2 * MiB / Sector;
        const int tableOffset = 3 * Sector;
        size = Math.Min(size, 2040L << 30);
        var blocks = size / (2 * MiB);
        var order = PowerOver(blocks);
        var first = (tableOffset + order * sizeof(uint)) / Sector + 1;
        using var file = new SparseFile(path);
        var footer = VhdFooter(size);
        var header = new byte[2 * Sector];
        "cxsparse"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt64BigEndian(header.AsSpan(8), ulong.MaxValue);
        BinaryPrimitives.WriteUInt64BigEndian(header.AsSpan(16), tableOffset);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(24), 0x10000);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(28), (uint)blocks);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(32), 2 * MiB);
        PutComplement(header, 36);
        file.Put(0, footer);
        file.Put(Sector, header);
        var table = new byte[blocks * sizeof(uint)];
        for (var block = 0L; block < blocks; block++)
        {
            // A number beyond the last block is its own successor's.
            var place = Shuffle(block, order);
            while (place >= blocks)
                place = Shuffle(place, order);
            BinaryPrimitives.WriteUInt32BigEndian(table.AsSpan((int)block * sizeof(uint)), (uint)(first + place * (blockSectors + 1)));
        }

        file.Put(tableOffset, table);
        file.Put((first + blocks * (blockSectors + 1)) * Sector, footer);
    }

    private static byte[] VhdFooter(long size)
    {
        var footer = new byte[Sector];
        "conectix"u8.CopyTo(footer);
        BinaryPrimitives.WriteUInt32BigEndian(footer.AsSpan(8), 2);
        BinaryPrimitives.WriteUInt32BigEndian(footer.AsSpan(12), 0x10000);
        BinaryPrimitives.WriteUInt64BigEndian(footer.AsSpan(16), Sector);
        "win "u8.CopyTo(footer.AsSpan(28));
        BinaryPrimitives.WriteUInt64BigEndian(footer.AsSpan(40), (ulong)size);
        BinaryPrimitives.WriteUInt64BigEndian(footer.AsSpan(48), (ulong)size);
        BinaryPrimitives.WriteUInt32BigEndian(footer.AsSpan(60), 3);
        PutComplement(footer, 64);
        return footer;
    }

    private static void WriteVhdx(string path, long size)
    {
        const long stride = 4 * MiB;
        const int chunk = 4096;
        var blocks = size / MiB;
        var order = PowerOver(blocks);
        var batLength = (blocks + blocks / chunk) * sizeof(ulong) / MiB * MiB + MiB;
        var first = 3 * MiB + batLength;
        using var file = new SparseFile(path);
        file.SetLength(first + order * stride);
        file.Put(0, "vhdxfile"u8);
        foreach (var at in (int[])[64 * KiB, 128 * KiB])
        {
            var header = new byte[4 * KiB];
            "head"u8.CopyTo(header);
            Little(header, 8, (ulong)at);
            header[66] = 1;
            Little(header, 68, MiB);
            Little(header, 72, MiB);
            file.Put(at, Summed(header));
        }

        var regions = new byte[64 * KiB];
        "regi"u8.CopyTo(regions);
        Little(regions, 8, 2);
        PutRegion(regions.AsSpan(16), "2dc27766-f623-4200-9d64-115e9bfd4a08", 3 * MiB, (uint)batLength);
        PutRegion(regions.AsSpan(48), "8b7ca206-4790-4b9a-b8fe-575f050f886e", 2 * MiB, MiB);
        file.Put(192 * KiB, Summed(regions));
        file.Put(256 * KiB, regions);
        PutMetadata(file, size);
        var bat = new ulong[blocks + blocks / chunk];
        for (var block = 0L; block < blocks; block++)
            bat[block + block / chunk] = (ulong)(first + Shuffle(block, order) * stride) | 6;
        file.Put(3 * MiB, MemoryMarshal.AsBytes(bat.AsSpan()));
    }

    private static void PutRegion(Span<byte> entry, string id, ulong offset, uint length)
    {
        new Guid(id).TryWriteBytes(entry);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], offset);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[24..], length);
        entry[28] = 1;
    }

    private static void PutMetadata(SparseFile file, long size)
    {
        (string Id, byte[] Value)[] items =
        [
            ("caa16737-fa36-4d43-b3b6-33f0aa44e76b", BitConverter.GetBytes((ulong)MiB)),
            ("2fa54224-cd1b-4876-b211-5dbed83bf4b8", BitConverter.GetBytes((ulong)size)),
            ("8141bf1d-a96f-4709-ba47-f233a8faab5f", BitConverter.GetBytes((uint)Sector)),
        ];
        var table = new byte[KiB];
        "metadata"u8.CopyTo(table);
        table[10] = (byte)items.Length;
        for (var i = 0; i < items.Length; i++)
        {
            var entry = 32 + 32 * i;
            new Guid(items[i].Id).TryWriteBytes(table.AsSpan(entry));
            Little(table, entry + 16, (ulong)(64 * KiB + 8 * i));
            Little(table, entry + 20, (ulong)items[i].Value.Length);
            table[entry + 24] = 4;
            file.Put(2 * MiB + 64 * KiB + 8 * i, items[i].Value);
        }

        file.Put(2 * MiB, table);
    }

    private static void WriteVdi(string path, long size)
    {
        var blocks = size / MiB;
        var data = Sector + blocks * sizeof(uint);
        data = (data + Sector - 1) / Sector * Sector;
        using var file = new SparseFile(path);
        var header = new byte[Sector];
        ((ReadOnlySpan<byte>)[0x7f, 0x10, 0xda, 0xbe]).CopyTo(header.AsSpan(0x40));
        Little(header, 0x44, 0x0001_0001);
        Little(header, 0x48, 0x180);
        Little(header, 0x4c, 1);
        Little(header, 0x154, Sector);
        Little(header, 0x158, (ulong)data);
        Little(header, 0x168, Sector);
        Little(header, 0x170, (ulong)size);
        Little(header, 0x178, MiB);
        Little(header, 0x180, (ulong)blocks);
        Little(header, 0x184, (ulong)blocks);
        file.SetLength(data + size);
        file.Put(0, header);
        var map = new uint[blocks];
        for (var block = 0L; block < blocks; block++)
            map[block] = (uint)Shuffle(block, blocks);
        file.Put(Sector, MemoryMarshal.AsBytes(map.AsSpan()));
    }

    // Fields are put down in their order, so that what a short one has too much is overwritten by the next.
    private static void Little(byte[] bytes, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), value);

    private static byte[] Summed(byte[] structure)
    {
        structure.AsSpan(4, 4).Clear();
        var crc = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(structure))
            crc = BitOperations.Crc32C(crc, word);
        BinaryPrimitives.WriteUInt32LittleEndian(structure.AsSpan(4), ~crc);
        return structure;
    }

    private static void PutComplement(byte[] structure, int at)
    {
        var sum = 0u;
        foreach (var b in structure)
            sum += b;
        BinaryPrimitives.WriteUInt32BigEndian(structure.AsSpan(at), ~sum);
    }
}
