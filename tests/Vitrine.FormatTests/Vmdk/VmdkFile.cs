using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Vitrine.FormatTests.Vmdk;

/// <summary>VMDK written byte by byte, to be changed where a tool would not.</summary>
internal static class VmdkFile
{
    public const int SectorSize = 512;
    public const int GrainSectors = 16;
    public const int GrainLength = GrainSectors * SectorSize;
    public const int TableEntries = 512;
    public const int Overhead = 32;

    /// <summary>In a sparse image: the two directories, each with its tables behind it.</summary>
    public const int SecondDirectory = 21;
    public const int SecondTables = 22;

    /// <summary>monolithicSparse, for disks of one grain table: 4 MiB at most.</summary>
    /// <param name="zeroGrains">Whether grains of zeros are said to be such, and not left out.</param>
    public static byte[] Sparse(ReadOnlySpan<byte> guest, bool zeroGrains = false)
    {
        // header, descriptor (20), directory, table (4), directory, table (4), grains
        const int directory = SecondTables + 4;
        const int table = directory + 1;
        var image = new MemoryStream();
        image.Write(Header(guest.Length, zeroGrains ? 7u : 3u, directory, SecondDirectory, zeroGrains ? 2u : 1u));
        Pad(image, Overhead);
        var entries = new uint[TableEntries];
        for (var grain = 0; grain * GrainLength < guest.Length; grain++)
        {
            var bytes = guest.Slice(grain * GrainLength, Math.Min(GrainLength, guest.Length - grain * GrainLength));
            if (!bytes.ContainsAnyExcept((byte)0))
            {
                entries[grain] = zeroGrains ? 1u : 0u;
                continue;
            }

            entries[grain] = (uint)(image.Length / SectorSize);
            image.Write(bytes);
            Pad(image, (int)(entries[grain] + GrainSectors));
        }

        var file = image.ToArray();
        Put(file, SecondDirectory, [SecondTables]);
        Put(file, SecondTables, entries);
        Put(file, directory, [table]);
        Put(file, table, entries);
        return file;
    }

    /// <summary>streamOptimized as VMware writes it: grains behind their markers, then tables, directory and footer.</summary>
    public static byte[] Stream(ReadOnlySpan<byte> guest)
    {
        var image = new MemoryStream();
        image.Write(Header(guest.Length, 0x30001, ulong.MaxValue, 0, 3));
        Pad(image, Overhead);
        var grains = (guest.Length + GrainLength - 1) / GrainLength;
        var tables = new uint[(grains + TableEntries - 1) / TableEntries];
        for (var table = 0; table < tables.Length; table++)
        {
            var entries = new uint[TableEntries];
            for (var i = 0; i < TableEntries && table * TableEntries + i < grains; i++)
                entries[i] = WriteGrain(image, guest, table * TableEntries + i);
            if (entries.All(e => e == 0))
                continue;

            WriteMarker(image, TableEntries * 4 / SectorSize, 1);
            tables[table] = (uint)(image.Length / SectorSize);
            image.Write(Words(entries));
        }

        var directorySectors = (tables.Length * 4 + SectorSize - 1) / SectorSize;
        WriteMarker(image, directorySectors, 2);
        var directory = (ulong)image.Length / SectorSize;
        image.Write(Words(tables));
        Pad(image, (int)directory + directorySectors);
        WriteMarker(image, 1, 3);
        image.Write(Header(guest.Length, 0x30001, directory, 0, 3));
        Pad(image, (int)(image.Length / SectorSize) + (image.Length % SectorSize == 0 ? 0 : 1));
        WriteMarker(image, 0, 0);
        return image.ToArray();
    }

    /// <summary>Makes one entry of the grain tables another, in both copies of a sparse image.</summary>
    public static byte[] WithEntry(byte[] image, int grain, uint entry)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(SecondTables * SectorSize + grain * 4), entry);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan((SecondTables + 5) * SectorSize + grain * 4), entry);
        return image;
    }

    private static uint WriteGrain(MemoryStream image, ReadOnlySpan<byte> guest, int grain)
    {
        var bytes = guest.Slice(grain * GrainLength, Math.Min(GrainLength, guest.Length - grain * GrainLength));
        if (!bytes.ContainsAnyExcept((byte)0))
            return 0;

        var at = (uint)(image.Length / SectorSize);
        image.Write(Grain((ulong)grain * GrainSectors, bytes));
        return at;
    }

    /// <summary>A compressed grain with its marker, in whole sectors.</summary>
    public static byte[] Grain(ulong sector, ReadOnlySpan<byte> bytes)
    {
        var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            zlib.Write(bytes);

        var grain = new byte[(12 + packed.Length + SectorSize - 1) / SectorSize * SectorSize];
        BinaryPrimitives.WriteUInt64LittleEndian(grain, sector);
        BinaryPrimitives.WriteUInt32LittleEndian(grain.AsSpan(8), (uint)packed.Length);
        packed.ToArray().CopyTo(grain.AsSpan(12));
        return grain;
    }

    private static void WriteMarker(MemoryStream image, int sectors, uint type)
    {
        var marker = new byte[SectorSize];
        BinaryPrimitives.WriteUInt64LittleEndian(marker, (ulong)sectors);
        BinaryPrimitives.WriteUInt32LittleEndian(marker.AsSpan(12), type);
        image.Write(marker);
    }

    private static byte[] Header(int length, uint flags, ulong directory, ulong second, uint version)
    {
        var isStream = (flags & 0x10000) != 0;
        var header = new byte[21 * SectorSize];
        var sectors = (ulong)(length + SectorSize - 1) / SectorSize;
        "KDMV"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), version);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), flags);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(12), sectors);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(20), GrainSectors);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(28), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(36), 20);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(44), TableEntries);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(48), second);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(56), directory);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(64), Overhead);
        "\n \r\n"u8.CopyTo(header.AsSpan(73));
        header[77] = (byte)(isStream ? 1 : 0);

        var isFooter = isStream && directory != ulong.MaxValue;
        if (isFooter)
            return header[..SectorSize];

        Encoding.ASCII.GetBytes($"""
            # Disk DescriptorFile
            version=1
            CID=12345678
            parentCID=ffffffff
            createType="{(isStream ? "streamOptimized" : "monolithicSparse")}"

            # Extent description
            RW {sectors} SPARSE "disk.vmdk"

            # The Disk Data Base
            ddb.virtualHWVersion = "4"
            ddb.geometry.cylinders = "2"
            ddb.geometry.heads = "16"
            ddb.geometry.sectors = "63"
            ddb.adapterType = "ide"

            """).CopyTo(header.AsSpan(SectorSize));
        return header;
    }

    private static void Pad(MemoryStream image, int sectors)
    {
        image.SetLength((long)sectors * SectorSize);
        image.Position = image.Length;
    }

    private static byte[] Words(uint[] words)
    {
        var bytes = new byte[words.Length * 4];
        for (var i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * 4), words[i]);

        return bytes;
    }

    private static void Put(byte[] image, int sector, uint[] words) => Words(words).CopyTo(image.AsSpan(sector * SectorSize));
}
