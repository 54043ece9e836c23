using System.Buffers.Binary;

namespace Vitrine.FormatTests.Vdi;

/// <summary>VDI written byte by byte, to be changed where a tool would not.</summary>
internal static class VdiFile
{
    public const int MapOffset = 512;
    public const int BlockLength = 64 * 1024;

    /// <param name="zeroBlocks">Whether blocks of zeros are said to be such, and not left out.</param>
    /// <param name="backwards">Whether the last block of the disk lies first.</param>
    public static byte[] Dynamic(ReadOnlySpan<byte> guest, bool zeroBlocks = false, bool backwards = false)
    {
        var blocks = (guest.Length + BlockLength - 1) / BlockLength;
        var dataOffset = (MapOffset + 4 * blocks + 511) / 512 * 512;
        var image = new MemoryStream();
        image.Write(new byte[dataOffset]);
        var map = new uint[blocks];
        for (var i = 0; i < blocks; i++)
        {
            var block = backwards ? blocks - 1 - i : i;
            var bytes = guest.Slice(block * BlockLength, Math.Min(BlockLength, guest.Length - block * BlockLength));
            map[block] = zeroBlocks ? uint.MaxValue - 1 : uint.MaxValue;
            if (!bytes.ContainsAnyExcept((byte)0))
                continue;

            map[block] = (uint)((image.Length - dataOffset) / BlockLength);
            image.Write(bytes);
            image.Write(new byte[BlockLength - bytes.Length]);
        }

        var file = image.ToArray();
        "<<< a virtual disk >>>\n"u8.CopyTo(file);
        ((ReadOnlySpan<byte>)[0x7f, 0x10, 0xda, 0xbe]).CopyTo(file.AsSpan(0x40));
        Put(file, 0x44, 0x0001_0001);
        Put(file, 0x48, 0x180);
        Put(file, 0x4c, 1);
        Put(file, 0x154, MapOffset);
        Put(file, 0x158, (uint)dataOffset);
        Put(file, 0x168, 512);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(0x170), (ulong)guest.Length);
        Put(file, 0x178, BlockLength);
        Put(file, 0x180, (uint)blocks);
        Put(file, 0x184, (uint)((file.Length - dataOffset) / BlockLength));
        for (var block = 0; block < blocks; block++)
            WithEntry(file, block, map[block]);

        return file;
    }

    public static byte[] WithEntry(byte[] image, int block, uint entry) => Put(image, MapOffset + 4 * block, entry);

    public static byte[] Put(byte[] image, int at, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), value);
        return image;
    }
}
