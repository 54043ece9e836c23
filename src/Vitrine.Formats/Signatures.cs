using System.Buffers.Binary;
using Vitrine.Content;
using Vitrine.Formats.Ova;
using Vitrine.Formats.Qcow2;
using Vitrine.Formats.Vdi;
using Vitrine.Formats.Vhd;
using Vitrine.Formats.Vhdx;
using Vitrine.Formats.Vmdk;

namespace Vitrine.Formats;

/// <summary>By which bytes each format is recognised: at its start, and at the end for those that have a trailer only.</summary>
/// <remarks>The formats of the last rows are those that the field's tools open when asked to guess.</remarks>
internal static class Signatures
{
    /// <summary>How much of the content's start is held until it is judged.</summary>
    public const int StartLength = 4096;

    private static readonly Signature[] Starts =
    [
        new("qcow2",     0,                       "QFI\xfb",                                    pieces => new Qcow2HeaderReader(pieces)),
        new("VMDK",      0,                       "KDMV",                                       pieces => new VmdkHeaderReader(pieces)),
        new("VHDX",      0,                       "vhdxfile",                                   pieces => new VhdxHeaderReader(pieces)),
        new("VHD",       0,                       VhdFooter.Cookie,                             pieces => new VhdHeaderReader(pieces)),
        new("VDI",       VdiHeaderReader.MagicOffset,   "\x7f\x10\xda\xbe",                           pieces => new VdiHeaderReader(pieces)),
        new("Parallels", 0,                       "WithoutFreeSpace",                           pieces => new ParallelsReader(pieces)),
        new("Parallels", 0,                       "WithouFreSpacExt",                           pieces => new ParallelsReader(pieces)),
        new("QED",       0,                       "QED\0",                                      Reader: null),
        new("LUKS",      0,                       "LUKS\xba\xbe",                               Reader: null),
        new("COWD",      0,                       "COWD",                                       Reader: null),
        new("Bochs",     0,                       "Bochs Virtual HD Image",                     Reader: null),
        new("cloop",     0,                       "#!/bin/sh\n#V2.0 Format\nmodprobe cloop",    Reader: null),
    ];

    /// <returns>Null where the start is of no known format.</returns>
    /// <exception cref="UnsafeContentException">It is of more than one, or of one that is never kept.</exception>
    public static Signature? Find(ReadOnlySpan<byte> start)
    {
        VmdkDescriptor.RefuseAlone(start);

        Signature? found = null;
        foreach (var signature in Starts)
        {
            if (!signature.IsIn(start))
                continue;
            if (found is not null)
                throw Polyglot(found.Name, signature.Name);

            found = signature;
        }

        if (OvaReader.IsIn(start))
            found = found is null ? new Signature("OVA", 0, "", pieces => new OvaReader(pieces)) : throw Polyglot(found.Name, "OVA");

        return found is { Reader: null } ? throw Refusal.Unsupported($"a {found.Name} image") : found;
    }

    public static UnsafeContentException Polyglot(string one, string other) =>
        new("polyglot", $"it can be read as {one} and as {other}, with different content.");

    /// <param name="tail">The content's last bytes.</param>
    public static Trailer? FindTrailer(ReadOnlySpan<byte> tail)
    {
        if (tail.Length < VhdFooter.Length)
            return null;

        var sector = tail[^VhdFooter.Length..];
        if (VhdFooter.IsIn(sector))
            return new Trailer("VHD", "VHD", VhdHeaderReader.ReadFixed);

        // A disk image of macOS ends in 512 bytes that begin so and give their own length.
        return sector.StartsWith("koly"u8) && BinaryPrimitives.ReadUInt32BigEndian(sector[8..]) == sector.Length
            ? new Trailer("Apple DMG", null, (_, _) => throw Refusal.Unsupported("an Apple DMG image"))
            : null;
    }
}

/// <param name="Magic">One character a byte.</param>
/// <param name="Reader">Null for a format that is refused as such.</param>
internal sealed record Signature(string Name, int Offset, string Magic, Func<PieceFeed, IFormatReader>? Reader)
{
    public IFormatReader BeginReading(PieceFeed pieces) => Reader!(pieces);

    public bool IsIn(ReadOnlySpan<byte> start)
    {
        if (start.Length < Offset + Magic.Length)
            return false;

        for (var i = 0; i < Magic.Length; i++)
        {
            if (start[Offset + i] != Magic[i])
                return false;
        }

        return true;
    }
}

/// <param name="Owner">The format whose own trailer this is also where it has a header; null for none.</param>
internal sealed record Trailer(string Name, string? Owner, TrailerReader Read)
{
    public bool MayFollow(Signature? start) => start is null || start.Name == Owner;
}

internal delegate FormatVerdict TrailerReader(ReadOnlySpan<byte> tail, long length);
