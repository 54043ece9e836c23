using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Vitrine.Images;

namespace Vitrine.Testing;

/// <summary>An image that is to be accepted.</summary>
/// <param name="VirtualSize">What its header says of the guest's disk; null where it says nothing.</param>
public sealed record ValidImage(string Name, DiskFormat Format, long? VirtualSize, byte[] Bytes)
{
    public override string ToString() => Name;
}

/// <summary>An image that is to be refused.</summary>
/// <param name="Feature">The word for what is not safe in it.</param>
public sealed record HostileImage(string Name, string Feature, byte[] Bytes)
{
    public override string ToString() => Name;
}

/// <summary>The smallest images of each format that a careful reader accepts, and those that it must not.</summary>
/// <remarks>Written byte by byte, so that they say what no tool would write. Each call answers an array of its own.</remarks>
public static class SampleImages
{
    public const long VirtualSize = 64 * 1024 * 1024;

    private const int Sector = 512;
    private const int KiB = 1024;
    private const int MiB = 1024 * 1024;

    private const string ForeignFile = "/etc/passwd";

    public static IReadOnlyList<ValidImage> Valid =>
    [
        new("raw of zeros",              DiskFormat.Raw,   null,        new byte[64 * KiB]),
        new("raw of one byte",           DiskFormat.Raw,   null,        [7]),
        new("raw with an MBR",           DiskFormat.Raw,   null,        RawWithMbr()),
        new("qcow2 version 2",           DiskFormat.Qcow2, VirtualSize, Qcow2(version: 2)),
        new("qcow2 version 3",           DiskFormat.Qcow2, VirtualSize, Qcow2()),
        new("VMDK sparse",               DiskFormat.Vmdk,  VirtualSize, Vmdk()),
        new("VMDK stream",               DiskFormat.Vmdk,  VirtualSize, VmdkStream()),
        new("VHD dynamic",               DiskFormat.Vhd,   VirtualSize, VhdDynamic()),
        new("VHD fixed",                 DiskFormat.Vhd,   64 * KiB,    VhdFixed()),
        new("VHDX",                      DiskFormat.Vhdx,  VirtualSize, Vhdx()),
        new("VDI",                       DiskFormat.Vdi,   VirtualSize, Vdi()),
        new("Parallels",                 DiskFormat.Ploop, VirtualSize, Parallels()),
        new("ISO 9660",                  DiskFormat.Iso,   null,        Iso()),
        new("ISO 9660 with an MBR",      DiskFormat.Iso,   null,        IsoWithMbr()),
    ];

    public static IReadOnlyList<HostileImage> Hostile =>
    [
        new("qcow2 with a backing file",              "qcow2-backing-file",          Qcow2WithBackingFile(ForeignFile)),
        new("qcow2 with the data file bit",           "qcow2-data-file",             Patch(Qcow2(), 72, Big(1UL << 2))),
        new("qcow2 with a data file name only",       "qcow2-data-file",             Qcow2WithExtension(0x4441_5441, ForeignFile)),
        new("qcow2 with the corrupt bit",             "qcow2-corrupt",               Patch(Qcow2(), 72, Big(1UL << 1))),
        new("qcow2 with an unknown feature",          "qcow2-incompatible-features", Patch(Qcow2(), 72, Big(1UL << 40))),
        new("qcow2 with an unknown extension",        "qcow2-unknown-extension",     Qcow2WithExtension(0x1234_5678, "?")),
        new("qcow2 with an unknown compression",      "qcow2-incompatible-features", Patch(Patch(Qcow2(), 72, Big(1UL << 3)), 104, [2])),
        new("qcow2 with AES encryption",              "qcow2-encrypted",             Patch(Qcow2(), 32, Big(1u))),
        new("qcow2 with LUKS encryption",             "qcow2-encrypted",             Patch(Qcow2(), 32, Big(2u))),
        new("qcow2 with an unknown encryption",       "qcow2-encrypted",             Patch(Qcow2(), 32, Big(3u))),
        new("qcow2 with clusters of 256 bytes",       "qcow2-bad-geometry",          Patch(Qcow2(), 20, Big(8u))),
        new("qcow2 with clusters of 4 MiB",           "qcow2-bad-geometry",          Patch(Qcow2(), 20, Big(22u))),
        new("qcow2 with a disk of 2^61 bytes",        "qcow2-bad-geometry",          Patch(Qcow2(), 24, Big(1UL << 61))),
        new("qcow2 with an L1 table that is short",   "qcow2-bad-geometry",          Patch(Qcow2(), 24, Big(1UL << 50))),
        new("qcow2 with a huge L1 table",             "qcow2-bad-geometry",          Patch(Qcow2(), 36, Big(0x4000_0000u))),
        new("qcow2 with refcounts of 128 bits",       "qcow2-bad-geometry",          Patch(Qcow2(), 96, Big(7u))),
        new("qcow2 with a short header",              "qcow2-bad-geometry",          Patch(Qcow2(), 100, Big(96u))),
        new("qcow2 with a huge header",               "qcow2-bad-geometry",          Patch(Qcow2(), 100, Big(0x8000_0000u))),
        new("qcow2 with endless extensions",          "qcow2-bad-geometry",          Patch(Qcow2(), 112, [.. Big(0xe279_2acau), .. Big(uint.MaxValue)])),
        new("qcow2 with tables beyond its end",       "truncated",                   Patch(Qcow2(), 40, Big(1UL << 32))),
        new("qcow2 version 1",                        "unsupported-format",          Patch(Qcow2(), 4, Big(1u))),
        new("qcow2 version 4",                        "unsupported-format",          Patch(Qcow2(), 4, Big(4u))),
        new("qcow2 magic alone",                      "truncated",                   Qcow2()[..4]),
        new("qcow2 header cut short",                 "truncated",                   Qcow2()[..80]),

        new("VMDK flat descriptor",                   "vmdk-foreign-extent",         VmdkText("monolithicFlat", $"RW 8 FLAT \"{ForeignFile}\" 0")),
        new("VMDK descriptor behind comments",        "vmdk-foreign-extent",         Text("#\n# a note\n\nversion=1\ncreateType=\"monolithicFlat\"\n")),
        new("VMDK of two extents",                    "vmdk-foreign-extent",         VmdkWithDescriptor(Descriptor("monolithicSparse", "RW 8 SPARSE \"a.vmdk\"\nRW 8 SPARSE \"b.vmdk\""))),
        new("VMDK split",                             "vmdk-foreign-extent",         VmdkWithDescriptor(Descriptor("twoGbMaxExtentSparse", "RW 8 SPARSE \"a.vmdk\""))),
        new("VMDK flat inside sparse",                "vmdk-foreign-extent",         VmdkWithDescriptor(Descriptor("monolithicFlat", $"RW 8 FLAT \"{ForeignFile}\" 0"))),
        new("VMDK flat extent of a sparse type",      "vmdk-foreign-extent",         VmdkWithDescriptor(Descriptor("monolithicSparse", $"RW 8 FLAT \"{ForeignFile}\" 0"))),
        new("VMDK of VMFS",                           "vmdk-foreign-extent",         VmdkWithDescriptor(Descriptor("vmfs", "RW 8 VMFS \"a-flat.vmdk\""))),
        new("VMDK of a device",                       "vmdk-foreign-extent",         VmdkWithDescriptor(Descriptor("fullDevice", "RW 8 FLAT \"/dev/sda\" 0"))),
        new("VMDK with a path as its name",           "vmdk-foreign-extent",         VmdkWithDescriptor(Descriptor("monolithicSparse", $"RW 8 SPARSE \"{ForeignFile}\""))),
        new("VMDK without an extent",                 "vmdk-foreign-extent",         VmdkWithDescriptor(Descriptor("monolithicSparse", ""))),
        new("VMDK without a descriptor",              "vmdk-foreign-extent",         Patch(Vmdk(), 28, new byte[16])),
        new("VMDK with a parent id",                  "vmdk-parent",                 VmdkWithDescriptor(Descriptor("monolithicSparse").Replace("parentCID=ffffffff", "parentCID=12345678"))),
        new("VMDK with a parent's name",              "vmdk-parent",                 VmdkWithDescriptor(Descriptor("monolithicSparse") + $"parentFileNameHint=\"{ForeignFile}\"\n")),
        new("VMDK with a parent in a comment",        "vmdk-parent",                 VmdkWithDescriptor(Descriptor("monolithicSparse") + $"# parentFileNameHint=\"{ForeignFile}\"\n")),
        new("VMDK with a native parent",              "vmdk-parent",                 VmdkWithDescriptor(Descriptor("monolithicSparse") + $"ddb.nativeParentHint=\"{ForeignFile}\"\n")),
        new("VMDK with a tracking file",              "vmdk-bad-descriptor",         VmdkWithDescriptor(Descriptor("monolithicSparse") + $"changeTrackPath=\"{ForeignFile}\"\n")),
        new("VMDK of two types",                      "vmdk-bad-descriptor",         VmdkWithDescriptor(Descriptor("monolithicSparse") + "createType=\"monolithicFlat\"\n")),
        new("VMDK with text behind the end",          "vmdk-bad-descriptor",         VmdkWithDescriptor(Descriptor("monolithicSparse") + "\0parentFileNameHint=\"x\"\n")),
        new("VMDK with its descriptor elsewhere",     "vmdk-bad-descriptor",         Patch(Vmdk(), 28, Little(2UL))),
        new("VMDK with an unknown flag",              "vmdk-incompatible-features",  Patch(Vmdk(), 8, Little(1u << 20))),
        new("VMDK altered by a text transfer",        "vmdk-damaged",                Patch(Vmdk(), 73, "\n \n\n"u8.ToArray())),
        new("VMDK without capacity",                  "vmdk-bad-geometry",           Patch(Vmdk(), 12, Little(0UL))),
        new("VMDK of 2^61 bytes",                     "vmdk-bad-geometry",           Patch(Vmdk(), 12, Little(1UL << 52))),
        new("VMDK stream of two minds",               "vmdk-bad-geometry",           Patch(VmdkStream(), ^(2 * Sector - 12), Little(1UL << 30))),
        new("VMDK stream cut short",                  "truncated",                   VmdkStream()[..^Sector]),
        new("VMDK magic alone",                       "truncated",                   Vmdk()[..4]),
        new("VMDK of ESX 3",                          "unsupported-format",          Padded("COWD"u8)),

        new("VHD differencing",                       "vhd-parent",                  VhdDynamic(type: 4)),
        new("VHD differencing, footer alone",         "vhd-parent",                  VhdFixed(type: 4)),
        new("VHD with a parent locator",              "vhd-parent",                  VhdDynamic(locator: 0x5732_6b75)),
        new("VHD of an unknown type",                 "vhd-incompatible-features",   VhdDynamic(type: 5)),
        new("VHD with a wrong checksum",              "vhd-bad-geometry",            Patch(VhdDynamic(), 64, Big(1u))),
        new("VHD with a table that is short",         "vhd-bad-geometry",            VhdDynamic(tableEntries: 1)),
        new("VHD fixed of another length",            "vhd-bad-geometry",            [.. new byte[Sector], .. VhdFixed()]),
        new("VHD without its footer",                 "truncated",                   VhdDynamic()[..^Sector]),
        new("VHD dynamic without its start",          "truncated",                   [.. new byte[Sector], .. VhdDynamic()[Sector..]]),

        new("VHDX with a parent",                     "vhdx-parent",                 Vhdx(fileFlags: 2)),
        new("VHDX with a parent locator",             "vhdx-parent",                 Vhdx(lastItem: new Guid("a8d35f2d-b30b-454d-abf7-d3d84834ab0c"))),
        new("VHDX with unknown metadata",             "vhdx-incompatible-features",  Vhdx(lastItem: new Guid("00000000-0000-0000-0000-000000000001"))),
        new("VHDX with damaged headers",              "vhdx-bad-geometry",           Patch(Patch(Vhdx(), 64 * KiB + 8, [99]), 128 * KiB + 8, [99])),
        new("VHDX with tables of two minds",          "vhdx-bad-geometry",           Vhdx(secondMetadataOffset: 5 * MiB)),
        new("VHDX of 2^61 bytes",                     "vhdx-bad-geometry",           Vhdx(size: 1UL << 61)),
        new("VHDX cut short",                         "truncated",                   Vhdx()[..(2 * MiB)]),

        new("VDI differencing",                       "vdi-parent",                  Patch(Vdi(), 0x4c, Little(4u))),
        new("VDI undo",                               "vdi-parent",                  Patch(Vdi(), 0x4c, Little(3u))),
        new("VDI with a parent's id",                 "vdi-parent",                  Patch(Vdi(), 0x1b8, [1])),
        new("VDI of an unknown type",                 "vdi-incompatible-features",   Patch(Vdi(), 0x4c, Little(9u))),
        new("VDI with blocks of 3 bytes",             "vdi-bad-geometry",            Patch(Vdi(), 0x178, Little(3u))),
        new("VDI of 2^61 bytes",                      "vdi-bad-geometry",            Patch(Vdi(), 0x170, Little(1UL << 61))),
        new("VDI cut short",                          "truncated",                   Vdi()[..0x100]),

        new("Parallels with an extension",            "ploop-incompatible-features", Patch(Parallels(), 56, Little(8UL))),
        new("Parallels with a map that is short",     "ploop-bad-geometry",          Patch(Parallels(), 32, Little(1u))),

        new("QED",                                    "unsupported-format",          Padded("QED\0"u8)),
        new("LUKS",                                   "unsupported-format",          Padded([.. "LUKS"u8, 0xba, 0xbe])),
        new("Bochs",                                  "unsupported-format",          Padded("Bochs Virtual HD Image"u8)),
        new("Apple DMG",                              "unsupported-format",          [.. new byte[8 * KiB], .. Patch(new byte[Sector], 0, [.. "koly"u8, .. Big(4u), .. Big(512u)])]),

        new("qcow2 and ISO",                          "polyglot",                    Patch(Qcow2(), 0x8001, "CD001"u8.ToArray())),
        new("qcow2 and VDI",                          "polyglot",                    Patch(Qcow2(version: 2), 0x40, [0x7f, 0x10, 0xda, 0xbe])),
        new("qcow2 and VHD",                          "polyglot",                    [.. Qcow2(), .. VhdFixed()[^Sector..]]),
        new("VMDK and VDI",                           "polyglot",                    Patch(Vmdk(), 0x40, [0x7f, 0x10, 0xda, 0xbe])),
        new("ISO and VHD",                            "polyglot",                    [.. Iso(), .. VhdFixed()[^Sector..]]),
        new("VDI and ISO",                            "polyglot",                    Patch(Vdi(), 0x8001, "CD001"u8.ToArray())),
    ];

    public static byte[] RawWithMbr() => Patch(new byte[64 * KiB], 510, [0x55, 0xaa]);

    /// <summary>A web page such as a server sends instead of a file.</summary>
    public static byte[] WebPage() => Text("\r\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>\n");

    /// <summary>One L1 entry, no data. The header has 112 bytes in version 3.</summary>
    public static byte[] Qcow2(int version = 3, int clusterBits = 16, long virtualSize = VirtualSize)
    {
        var cluster = 1 << clusterBits;
        var image = new byte[4 * cluster];
        Patch(image, 0, [.. "QFI"u8, 0xfb, .. Big((uint)version)]);
        Patch(image, 20, Big((uint)clusterBits));
        Patch(image, 24, Big((ulong)virtualSize));
        Patch(image, 36, Big(1u));
        Patch(image, 40, Big((ulong)(3 * cluster)));
        Patch(image, 48, Big((ulong)cluster));
        Patch(image, 56, Big(1u));
        if (version == 3)
            Patch(image, 96, [.. Big(4u), .. Big(112u)]);

        return image;
    }

    public static byte[] Qcow2WithBackingFile(string name)
    {
        var image = Qcow2();
        Patch(image, 1024, Encoding.UTF8.GetBytes(name));
        Patch(image, 8, Big(1024UL));
        return Patch(image, 16, Big((uint)name.Length));
    }

    public static byte[] Qcow2WithExtension(uint type, string text) =>
        Patch(Qcow2(), 112, [.. Big(type), .. Big((uint)text.Length), .. Encoding.UTF8.GetBytes(text)]);

    /// <summary>A monolithicSparse image without data.</summary>
    public static byte[] Vmdk() => VmdkWithDescriptor(Descriptor("monolithicSparse"));

    public static byte[] VmdkWithDescriptor(string descriptor) =>
        Patch(VmdkHeader(flags: 3, grainDirectory: 21, sectors: 128), Sector, Encoding.Latin1.GetBytes(descriptor));

    /// <summary>A streamOptimized image without data, whose grain directory stands at the end.</summary>
    public static byte[] VmdkStream()
    {
        var image = VmdkHeader(flags: 0x30001, grainDirectory: ulong.MaxValue, sectors: 128);
        Patch(image, Sector, Encoding.Latin1.GetBytes(Descriptor("streamOptimized")));
        var footer = VmdkHeader(flags: 0x30001, grainDirectory: 100, sectors: 1);
        byte[] marker = [.. Little(1UL), .. Little(0u), .. Little(3u), .. new byte[Sector - 16]];
        return [.. image, .. marker, .. footer, .. new byte[Sector]];
    }

    /// <summary>A descriptor alone, which names other files.</summary>
    public static byte[] VmdkText(string createType, string extent) => Text(Descriptor(createType, extent));

    public static byte[] VhdDynamic(uint type = 3, uint tableEntries = 32, uint locator = 0)
    {
        var footer = VhdFooter(type, VirtualSize, headerOffset: Sector);
        var header = new byte[1024];
        Patch(header, 0, "cxsparse"u8.ToArray());
        Patch(header, 8, Big(ulong.MaxValue));
        Patch(header, 16, Big(1536UL));
        Patch(header, 24, [.. Big(0x0001_0000u), .. Big(tableEntries), .. Big(2u * MiB)]);
        Patch(header, 576, Big(locator));
        VhdChecksum(header, at: 36);

        var table = new byte[Sector];
        Array.Fill(table, (byte)0xff);
        return [.. footer, .. header, .. table, .. footer];
    }

    public static byte[] VhdFixed(uint type = 2) => [.. new byte[64 * KiB], .. VhdFooter(type, 64 * KiB, headerOffset: ulong.MaxValue)];

    public static byte[] Vdi()
    {
        var image = new byte[MiB];
        Patch(image, 0, "<<< a virtual disk >>>\n"u8.ToArray());
        Patch(image, 0x40, [0x7f, 0x10, 0xda, 0xbe, .. Little(0x0001_0001u), .. Little(0x180u), .. Little(1u)]);
        Patch(image, 0x154, [.. Little(512u), .. Little(1024u)]);
        Patch(image, 0x168, Little(512u));
        Patch(image, 0x170, [.. Little((ulong)VirtualSize), .. Little((uint)MiB), .. Little(0u), .. Little(64u), .. Little(0u)]);
        return image;
    }

    public static byte[] Parallels()
    {
        var image = new byte[2 * MiB];
        Patch(image, 0, "WithouFreSpacExt"u8.ToArray());
        Patch(image, 16, [.. Little(2u), .. Little(16u), .. Little(130u), .. Little(2048u), .. Little(64u), .. Little((ulong)VirtualSize / Sector)]);
        return Patch(image, 48, Little(2048u));
    }

    /// <summary>A primary volume descriptor and the one that ends the set.</summary>
    public static byte[] Iso()
    {
        var image = new byte[64 * KiB];
        Patch(image, 0x8000, [1, .. "CD001"u8, 1]);
        Patch(image, 0x8000 + 40, Encoding.ASCII.GetBytes("SAMPLE".PadRight(32)));
        return Patch(image, 0x8800, [255, .. "CD001"u8, 1]);
    }

    /// <summary>A hybrid, as Linux distributions publish: it boots from a disc and from a stick.</summary>
    public static byte[] IsoWithMbr() => Patch(Iso(), 510, [0x55, 0xaa]);

    /// <param name="lastItem">The id of the last of the metadata.</param>
    public static byte[] Vhdx(
        uint fileFlags = 0, ulong size = VirtualSize, Guid? lastItem = null, ulong secondMetadataOffset = 2 * MiB)
    {
        var image = new byte[4 * MiB];
        Patch(image, 0, "vhdxfile"u8.ToArray());
        WriteVhdxHeader(image.AsSpan(64 * KiB, 4 * KiB), sequence: 1);
        WriteVhdxHeader(image.AsSpan(128 * KiB, 4 * KiB), sequence: 2);
        WriteVhdxRegions(image.AsSpan(192 * KiB, 64 * KiB), 2 * MiB);
        WriteVhdxRegions(image.AsSpan(256 * KiB, 64 * KiB), secondMetadataOffset);
        WriteVhdxMetadata(image.AsSpan(2 * MiB, MiB), fileFlags, size, lastItem ?? new Guid("cda348c7-445d-4471-9cc9-e9885251c556"));
        return image;
    }

    /// <summary>Overwrites some bytes of an image and answers it.</summary>
    public static byte[] Patch(byte[] image, Index at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(image.AsSpan(at.GetOffset(image.Length)));
        return image;
    }

    private static string Descriptor(string createType, string extent = "RW 131072 SPARSE \"disk.vmdk\"") => $"""
        # Disk DescriptorFile
        version=1
        CID=4cb4c0c7
        parentCID=ffffffff
        createType="{createType}"

        # Extent description
        {extent}

        # The Disk Data Base
        ddb.virtualHWVersion = "4"
        ddb.uuid.parent="00000000-0000-0000-0000-000000000000"

        """;

    private static byte[] VmdkHeader(uint flags, ulong grainDirectory, int sectors)
    {
        var image = new byte[sectors * Sector];
        Patch(image, 0, [.. "KDMV"u8, .. Little(1u), .. Little(flags), .. Little((ulong)VirtualSize / Sector), .. Little(128UL)]);
        Patch(image, 28, [.. Little(1UL), .. Little(20UL), .. Little(512u), .. Little(0UL), .. Little(grainDirectory), .. Little(128UL)]);
        return Patch(image, 72, [0, .. "\n \r\n"u8, (byte)(flags >> 16 & 1), 0]);
    }

    private static byte[] VhdFooter(uint type, long size, ulong headerOffset)
    {
        var footer = new byte[Sector];
        Patch(footer, 0, [.. "conectix"u8, .. Big(2u), .. Big(0x0001_0000u), .. Big(headerOffset)]);
        Patch(footer, 28, "vtrn"u8);
        Patch(footer, 40, [.. Big((ulong)size), .. Big((ulong)size)]);
        Patch(footer, 60, Big(type));
        VhdChecksum(footer, at: 64);
        return footer;
    }

    private static void VhdChecksum(byte[] structure, int at)
    {
        Patch(structure, at, new byte[4]);
        Patch(structure, at, Big(~(uint)structure.Sum(b => b)));
    }

    private static void WriteVhdxHeader(Span<byte> header, ulong sequence)
    {
        "head"u8.CopyTo(header);
        Little(sequence).CopyTo(header[8..]);
        header[66] = 1;
        Little((uint)MiB).CopyTo(header[68..]);
        Little((ulong)MiB).CopyTo(header[72..]);
        VhdxChecksum(header);
    }

    private static void WriteVhdxRegions(Span<byte> table, ulong metadataOffset)
    {
        "regi"u8.CopyTo(table);
        Little(2u).CopyTo(table[8..]);
        WriteEntry(table[16..], new Guid("2dc27766-f623-4200-9d64-115e9bfd4a08"), [.. Little(3UL * MiB), .. Little((uint)MiB), .. Little(1u)]);
        WriteEntry(table[48..], new Guid("8b7ca206-4790-4b9a-b8fe-575f050f886e"), [.. Little(metadataOffset), .. Little((uint)MiB), .. Little(1u)]);
        VhdxChecksum(table);
    }

    private static void WriteVhdxMetadata(Span<byte> region, uint fileFlags, ulong size, Guid lastItem)
    {
        (Guid Id, byte[] Value)[] items =
        [
            (new Guid("caa16737-fa36-4d43-b3b6-33f0aa44e76b"), [.. Little(32u * MiB), .. Little(fileFlags)]),
            (new Guid("2fa54224-cd1b-4876-b211-5dbed83bf4b8"), Little(size)),
            (new Guid("beca12ab-b2e6-4523-93ef-c309e000c746"), new byte[16]),
            (new Guid("8141bf1d-a96f-4709-ba47-f233a8faab5f"), Little(512u)),
            (lastItem, Little(512u)),
        ];
        "metadata"u8.CopyTo(region);
        region[10] = (byte)items.Length;
        var offset = 64 * KiB;
        for (var i = 0; i < items.Length; i++)
        {
            var (id, value) = items[i];
            WriteEntry(region[(32 + 32 * i)..], id, [.. Little((uint)offset), .. Little((uint)value.Length), .. Little(4u)]);
            value.CopyTo(region[offset..]);
            offset += value.Length;
        }
    }

    private static void WriteEntry(Span<byte> entry, Guid id, ReadOnlySpan<byte> rest)
    {
        id.TryWriteBytes(entry);
        rest.CopyTo(entry[16..]);
    }

    private static void VhdxChecksum(Span<byte> structure)
    {
        structure.Slice(4, 4).Clear();
        var crc = uint.MaxValue;
        foreach (var b in structure)
            crc = BitOperations.Crc32C(crc, b);

        Little(~crc).CopyTo(structure[4..]);
    }

    private static byte[] Padded(ReadOnlySpan<byte> beginning) => Patch(new byte[8 * KiB], 0, beginning);

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Big(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Big(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Little(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Little(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return bytes;
    }
}
