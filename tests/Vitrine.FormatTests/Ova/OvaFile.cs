using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;

namespace Vitrine.FormatTests.Ova;

/// <summary>OVA written by the framework's archive writer, to be changed where a tool would not.</summary>
internal static class OvaFile
{
    private const int Block = 512;

    public static byte[] Of(byte[] disk, TarEntryFormat format = TarEntryFormat.Ustar) =>
        Of([("machine.ovf", Encoding.UTF8.GetBytes(Ovf())), ("machine.mf", Manifest(("disk.vmdk", disk))), ("disk.vmdk", disk)], format);

    public static byte[] Of((string Name, byte[] Bytes)[] members, TarEntryFormat format = TarEntryFormat.Ustar) =>
        Of([.. members.Select(m => File(m.Name, m.Bytes, format))], format);

    public static byte[] Of(TarEntry[] entries, TarEntryFormat format = TarEntryFormat.Ustar)
    {
        var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, format, leaveOpen: true))
        {
            foreach (var entry in entries)
                writer.WriteEntry(entry);
        }

        return archive.ToArray();
    }

    /// <summary>A disk that a descriptor finds in two files beside it, which have the same bytes: <c>flat.vmdk</c> and <c>more flat.vmdk</c>.</summary>
    public static byte[] Flat(string extents, byte[] guest, string kind = "monolithicFlat") => Of(
    [
        ("machine.ovf", Encoding.UTF8.GetBytes(Ovf())),
        ("disk.vmdk", Encoding.UTF8.GetBytes(
            $"# Disk DescriptorFile\nversion=1\nCID=01234567\nparentCID=ffffffff\ncreateType=\"{kind}\"\n{extents}\nddb.adapterType = \"ide\"\n")),
        ("flat.vmdk", guest),
        ("more flat.vmdk", guest),
    ]);

    public static byte[] Manifest(params (string Name, byte[] Bytes)[] files) => Encoding.UTF8.GetBytes(
        string.Concat(files.Select(f => $"SHA256({f.Name})= {Convert.ToHexStringLower(SHA256.HashData(f.Bytes))}\n")));

    public static TarEntry File(string name, byte[] bytes, TarEntryFormat format = TarEntryFormat.Ustar)
    {
        TarEntry entry = format switch
        {
            TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
            TarEntryFormat.Pax => new PaxTarEntry(TarEntryType.RegularFile, name),
            _ => new UstarTarEntry(TarEntryType.RegularFile, name),
        };
        entry.DataStream = new MemoryStream(bytes);
        return entry;
    }

    /// <summary>Makes the checksums of all headers right again.</summary>
    /// <param name="sound">The archive as it was, by which the headers are found.</param>
    public static void Repair(byte[] archive, byte[] sound)
    {
        for (var at = 0; at < sound.Length; at += Block)
        {
            if (!sound.AsSpan(at + 257).StartsWith("ustar"u8))
                continue;

            var checksum = archive.AsSpan(at + 148, 8);
            checksum.Fill((byte)' ');
            var sum = 0;
            foreach (var b in archive.AsSpan(at, Block))
                sum += b;

            Encoding.ASCII.GetBytes($"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 ", checksum);
        }
    }

    public static string Ovf(
        string files = """<File ovf:id="file1" ovf:href="disk.vmdk" ovf:size="1"/>""",
        string disks = """<Disk ovf:capacity="1" ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>""",
        string before = "") => $"""
        <?xml version="1.0" encoding="UTF-8"?>
        {before}
        <Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
          <References>
            {files}
          </References>
          <DiskSection>
            <Info>Disks</Info>
            {disks}
          </DiskSection>
          <VirtualSystem ovf:id="machine"><Info>A machine</Info></VirtualSystem>
        </Envelope>
        """;
}
