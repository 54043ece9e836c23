using System.Buffers.Binary;

namespace Vitrine.FormatTests.Vhd;

/// <summary>VHD written byte by byte, to be changed where a tool would not.</summary>
internal static class VhdFile
{
    public const int SectorSize = 512;
    public const int BlockLength = 64 * 1024;
    public const int TableOffset = 3 * SectorSize;

    /// <param name="creator">Four letters, which decide whose length of the disk counts.</param>
    /// <param name="cylinders">With 16 heads and 63 sectors: 504 KiB each.</param>
    public static byte[] Dynamic(ReadOnlySpan<byte> guest, string creator = "win ", int cylinders = 0, int blockLength = BlockLength)
    {
        var blocks = (guest.Length + blockLength - 1) / blockLength;
        var bitmapLength = ((blockLength / SectorSize + 7) / 8 + SectorSize - 1) / SectorSize * SectorSize;
        var footer = Footer(guest.Length, 3, SectorSize, creator, cylinders);
        var header = new byte[2 * SectorSize];
        "cxsparse"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt64BigEndian(header.AsSpan(8), ulong.MaxValue);
        BinaryPrimitives.WriteUInt64BigEndian(header.AsSpan(16), TableOffset);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(24), 0x10000);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(28), (uint)blocks);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(32), (uint)blockLength);
        Sum(header, 36);

        var image = new MemoryStream();
        image.Write(footer);
        image.Write(header);
        var table = new byte[(blocks * 4 + SectorSize - 1) / SectorSize * SectorSize];
        table.AsSpan().Fill(0xff);
        image.Write(table);
        for (var block = 0; block < blocks; block++)
        {
            var bytes = guest.Slice(block * blockLength, Math.Min(blockLength, guest.Length - block * blockLength));
            if (!bytes.ContainsAnyExcept((byte)0))
                continue;

            BinaryPrimitives.WriteUInt32BigEndian(table.AsSpan(block * 4), (uint)(image.Length / SectorSize));
            var bitmap = new byte[bitmapLength];
            for (var sector = 0; sector * SectorSize < bytes.Length; sector++)
            {
                if (bytes.Slice(sector * SectorSize, SectorSize).ContainsAnyExcept((byte)0))
                    bitmap[sector / 8] |= (byte)(0x80 >> sector % 8);
            }

            image.Write(bitmap);
            image.Write(bytes);
            image.Write(new byte[blockLength - bytes.Length]);
        }

        image.Write(footer);
        var file = image.ToArray();
        table.CopyTo(file.AsSpan(TableOffset));
        return file;
    }

    public static byte[] Fixed(ReadOnlySpan<byte> guest, string creator = "win ", int cylinders = 0) =>
        [.. guest, .. Footer(guest.Length, 2, ulong.MaxValue, creator, cylinders)];

    public static byte[] WithEntry(byte[] image, int block, uint sector)
    {
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(TableOffset + 4 * block), sector);
        return image;
    }

    /// <summary>Makes the checksums of header and footers right again, and the footers equal.</summary>
    public static void Repair(byte[] image)
    {
        Sum(image.AsSpan(0, SectorSize), 64);
        Sum(image.AsSpan(SectorSize, 2 * SectorSize), 36);
        image.AsSpan(0, SectorSize).CopyTo(image.AsSpan(image.Length - SectorSize));
    }

    private static byte[] Footer(long length, uint type, ulong headerOffset, string creator, int cylinders)
    {
        var footer = new byte[SectorSize];
        "conectix"u8.CopyTo(footer);
        BinaryPrimitives.WriteUInt32BigEndian(footer.AsSpan(8), 2);
        BinaryPrimitives.WriteUInt32BigEndian(footer.AsSpan(12), 0x10000);
        BinaryPrimitives.WriteUInt64BigEndian(footer.AsSpan(16), headerOffset);
        System.Text.Encoding.ASCII.GetBytes(creator).CopyTo(footer.AsSpan(28));
        BinaryPrimitives.WriteUInt64BigEndian(footer.AsSpan(40), (ulong)length);
        BinaryPrimitives.WriteUInt64BigEndian(footer.AsSpan(48), (ulong)length);
        BinaryPrimitives.WriteUInt16BigEndian(footer.AsSpan(56), (ushort)cylinders);
        footer[58] = 16;
        footer[59] = 63;
        BinaryPrimitives.WriteUInt32BigEndian(footer.AsSpan(60), type);
        Sum(footer, 64);
        return footer;
    }

    private static void Sum(Span<byte> structure, int at)
    {
        structure.Slice(at, 4).Clear();
        var sum = 0u;
        foreach (var b in structure)
            sum += b;

        BinaryPrimitives.WriteUInt32BigEndian(structure[at..], ~sum);
    }
}
