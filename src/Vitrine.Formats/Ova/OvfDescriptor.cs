using System.Xml;
using Vitrine.Content;

namespace Vitrine.Formats.Ova;

/// <summary>What an OVF document (DMTF DSP0243) says of the disk's file. Everything else in it is about a machine, and not read.</summary>
/// <remarks>
/// <code>
/// &lt;Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" …&gt;
///   &lt;References&gt;
///     &lt;File ovf:id="file1" ovf:href="disk.vmdk" ovf:size="…"/&gt;
///   &lt;/References&gt;
///   &lt;DiskSection&gt;
///     &lt;Disk ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:capacity="…" ovf:format="…#streamOptimized"/&gt;
/// </code>
/// </remarks>
internal static class OvfDescriptor
{
    /// <summary>No document is longer, in bytes.</summary>
    public const int MostLength = 1024 * 1024;

    private const int MostDepth = 64;

    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        MaxCharactersInDocument = MostLength,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
        IgnoreWhitespace = true,
    };

    /// <summary>The name of the one disk's file.</summary>
    public static string ReadDisk(byte[] document)
    {
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(document), Settings);
            return Read(reader);
        }
        catch (Exception failure) when (failure is XmlException or ArgumentException)
        {
            throw Bad("it is no XML that can be accepted");
        }
    }

    private static string Read(XmlReader reader)
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        var disks = new List<string>();
        while (reader.Read())
        {
            if (reader.Depth > MostDepth)
                throw Bad("it is nested too deep");
            if (reader.NodeType is not XmlNodeType.Element)
                continue;

            if (reader is { Depth: 2, LocalName: "File" } && !files.TryAdd(Require(reader, "id"), ReadFile(reader)))
                throw Bad("two of its files have one id");
            if (reader is { Depth: 2, LocalName: "Disk" })
                disks.Add(ReadFileOfDisk(reader));
        }

        return disks.Count switch
        {
            0 => throw new UnsafeContentException("ova-no-disk", "the OVA has no disk."),
            1 => files.TryGetValue(disks[0], out var name) ? name : throw Bad("its disk is in a file that it does not list"),
            _ => throw new UnsafeContentException("ova-many-disks", $"the OVA has {disks.Count} disks where an image has one."),
        };
    }

    private static string ReadFile(XmlReader reader)
    {
        if (Find(reader, "chunkSize") is not null)
            throw new UnsafeContentException("ova-chunked", "the OVA has a file that is cut into pieces.");
        if (Find(reader, "compression") is { } compression && compression != "identity")
            throw new UnsafeContentException("ova-compressed", "the OVA has a file that is compressed as a whole.");

        var name = Require(reader, "href");
        return OvaMember.IsPlainName(name) ? name : throw OvaMember.BadName();
    }

    private static string ReadFileOfDisk(XmlReader reader) => Find(reader, "parentRef") is null
        ? Find(reader, "fileRef") ?? throw new UnsafeContentException("ova-no-disk", "the OVA has a disk without a file.")
        : throw new UnsafeContentException("ova-parent", "the OVA has a disk that is based on another one.");

    private static string Require(XmlReader reader, string attribute) =>
        Find(reader, attribute) ?? throw Bad($"a file has no {attribute}");

    // Attributes are in the namespace of the envelope, of which there are several, or by mistake of some writers in none.
    private static string? Find(XmlReader reader, string attribute)
    {
        string? found = null;
        for (var isThere = reader.MoveToFirstAttribute(); isThere; isThere = reader.MoveToNextAttribute())
        {
            if (reader.LocalName != attribute)
                continue;
            if (found is not null)
                throw Bad("it says one thing twice");

            found = reader.Value;
        }

        reader.MoveToElement();
        return found;
    }

    private static UnsafeContentException Bad(string what) => new("ova-bad-descriptor", $"the OVA's description cannot be right: {what}.");
}
