using System.Buffers.Binary;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Formats.Vmdk;

/// <summary>VMDK in one file: monolithicSparse and streamOptimized, as VMware's "Virtual Disk Format 5.0" draws them.</summary>
/// <remarks>
/// The descriptor is text and follows in the sectors after the header. Where the grain directory is given as all ones it stands at
/// the end, and the last three sectors are a marker, a second copy of the header, which counts, and an end marker.
/// </remarks>
internal sealed class VmdkHeaderReader : IFormatReader
{
    private const int SectorSize = VmdkHeader.SectorSize;
    private const uint FooterMarker = 3;

    // Readers look for a parent in this many sectors after the header, whatever the header says of the descriptor.
    private const uint LeastDescriptorSectors = 20;
    private const uint MostDescriptorSectors = PieceFeed.MaxPiece / SectorSize;

    private readonly PieceFeed _pieces;
    private readonly long _origin;
    private readonly Action? _next;
    private readonly PieceHandler? _otherwise;
    private VmdkHeader _header;

    /// <param name="origin">Where the image begins in what is fed: not at its first byte where it is a member of an archive.</param>
    /// <param name="next">Called when the header and the descriptor have been read.</param>
    /// <param name="otherwise">Given the first bytes where no header is in them; without it they are refused.</param>
    public VmdkHeaderReader(PieceFeed pieces, long origin = 0, Action? next = null, PieceHandler? otherwise = null)
    {
        (_pieces, _origin, _next, _otherwise) = (pieces, origin, next, otherwise);
        _pieces.Want(origin, VmdkHeader.Length, ReadHeader);
    }

    /// <summary>How much of the image's start has been read.</summary>
    public long HeadLength { get; private set; }

    public FormatVerdict Complete(long length, ReadOnlySpan<byte> tail) => new(DiskFormat.Vmdk, Finish(length, tail).DiskLength);

    /// <summary>The header that counts, once the image's end has been seen too.</summary>
    /// <param name="length">Of the whole image.</param>
    /// <param name="tail">Its last bytes: at least three sectors, or all if there are fewer.</param>
    public VmdkHeader Finish(long length, ReadOnlySpan<byte> tail)
    {
        if (HeadLength > length)
            throw Refusal.Truncated("VMDK");

        var counts = _header.GrainDirectory == VmdkHeader.AtEnd ? ReadFooter(tail) : _header;
        counts.CheckDirectories(length);
        return counts;
    }

    private void ReadHeader(ReadOnlySpan<byte> bytes)
    {
        if (!VmdkHeader.IsIn(bytes))
        {
            (_otherwise ?? throw Refusal.Mistaken("VMDK"))(bytes);
            return;
        }

        _header = VmdkHeader.Read(bytes);
        _header.Check();
        if (_header.DescriptorOffset == 0)
            throw new UnsafeContentException("vmdk-foreign-extent", "the VMDK file is one part of a disk that has others.");
        if (_header.DescriptorOffset != 1 || _header.DescriptorLength is 0 or > MostDescriptorSectors)
            throw new UnsafeContentException("vmdk-bad-descriptor", "the VMDK image's descriptor is not where it belongs.");

        var sectors = (int)Math.Max((uint)_header.DescriptorLength, LeastDescriptorSectors);
        HeadLength = (1 + sectors) * SectorSize;
        _pieces.Want(_origin + SectorSize, sectors * SectorSize, ReadDescriptor);
    }

    private void ReadDescriptor(ReadOnlySpan<byte> sectors)
    {
        VmdkDescriptor.Check(sectors, (int)_header.DescriptorLength * SectorSize);
        _next?.Invoke();
    }

    private VmdkHeader ReadFooter(ReadOnlySpan<byte> tail)
    {
        if (tail.Length < 3 * SectorSize)
            throw Refusal.Truncated("VMDK");

        var marker = tail[^(3 * SectorSize)..];
        var footer = tail[^(2 * SectorSize)..];
        var end = tail[^SectorSize..];
        var isWhole = BinaryPrimitives.ReadUInt64LittleEndian(marker) == 1
            && BinaryPrimitives.ReadUInt32LittleEndian(marker[8..]) == 0
            && BinaryPrimitives.ReadUInt32LittleEndian(marker[12..]) == FooterMarker
            && VmdkHeader.IsIn(footer)
            && !end[..16].ContainsAnyExcept((byte)0);
        if (!isWhole)
            throw Refusal.Truncated("VMDK");

        // The footer may differ from the header in where the grain directory is, and in nothing that has been judged.
        var found = VmdkHeader.Read(footer);
        var isSame = found with { GrainDirectory = VmdkHeader.AtEnd, SecondDirectory = 0, Overhead = 0 }
            == _header with { SecondDirectory = 0, Overhead = 0 };
        return isSame ? found with { Overhead = _header.Overhead, IsFooter = true } : throw VmdkHeader.BadGeometry("its header and footer contradict each other");
    }
}
