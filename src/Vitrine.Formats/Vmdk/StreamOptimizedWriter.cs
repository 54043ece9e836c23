using System.Buffers.Binary;
using System.Text;
using Vitrine.Disks;
using Vitrine.Formats.Conversion;

namespace Vitrine.Formats.Vmdk;

/// <summary>The order of a streamOptimized VMDK: VMware's "Virtual Disk Format 5.0", "Stream-Optimized Compressed Sparse Extents".</summary>
/// <remarks>
/// <code>
///  0        512          64 KiB
///  +--------+------------+------------------------+---------------+---+-------------------+--------------+-----+
///  | header | descriptor | up to 512 grains, each | marker, table | … | marker, directory | marker,      | end |
///  |        |            | with a marker          |               |   |                   | header again |     |
///  +--------+------------+------------------------+---------------+---+-------------------+--------------+-----+
/// </code>
/// Every part begins at a sector. Tables and the directory have the sector of what they point to, 0 where there is none. A marker
/// of all but grains: how many sectors follow (8), zero (4), what they are (4). VmdkReader draws the header; the one at the
/// start says that the directory comes later, the one at the end where it is.
/// </remarks>
internal sealed class StreamOptimizedWriter(AppendBytes append, long diskLength, DiskIdentity identity)
{
    public const int GrainSectors = 128;
    public const int GrainLength = GrainSectors * SectorLength;

    /// <summary>The marker and what even bytes without any pattern come to, in whole sectors.</summary>
    public const int MaxStoredGrain = GrainLength + SectorLength;

    private const int SectorLength = 512;
    private const int EntriesOfTable = 512;
    private const int DescriptorSectors = 20;
    private const int Overhead = GrainSectors;

    private readonly byte[] _table = new byte[EntriesOfTable * sizeof(uint)];
    private readonly uint[] _directory = new uint[(Sectors(diskLength) + EntriesOfTable * GrainSectors - 1) / (EntriesOfTable * GrainSectors)];
    private long _tableNumber = -1;
    private long _sector;

    private enum Marker : uint
    {
        EndOfStream = 0,
        GrainTable = 1,
        GrainDirectory = 2,
        Footer = 3,
    }

    public static int RoundUp(int length) => (length + SectorLength - 1) / SectorLength * SectorLength;

    public async ValueTask BeginAsync(CancellationToken cancellationToken)
    {
        const ulong AtEnd = ulong.MaxValue;
        var start = new byte[Overhead * SectorLength];
        WriteHeader(start, AtEnd);
        Encoding.ASCII.GetBytes(Describe(), start.AsSpan(SectorLength, DescriptorSectors * SectorLength));
        await WriteAsync(start, cancellationToken);
    }

    /// <summary>Appends grains that lie together on the disk and belong to one table.</summary>
    /// <param name="first">The number of the first of them.</param>
    /// <param name="starts">Where each begins in the bytes; negative where it is left out.</param>
    /// <param name="bytes">The grains with their markers, in whole sectors.</param>
    public async ValueTask AppendAsync(long first, ReadOnlyMemory<int> starts, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (first / EntriesOfTable != _tableNumber)
            await WriteTableAsync(cancellationToken);

        _tableNumber = first / EntriesOfTable;
        for (var i = 0; i < starts.Length; i++)
        {
            if (starts.Span[i] >= 0)
                BinaryPrimitives.WriteUInt32LittleEndian(_table.AsSpan((int)(first % EntriesOfTable + i) * sizeof(uint)), SectorAt(starts.Span[i]));
        }

        await WriteAsync(bytes, cancellationToken);
    }

    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        await WriteTableAsync(cancellationToken);

        var directory = new byte[RoundUp(_directory.Length * sizeof(uint))];
        for (var i = 0; i < _directory.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(directory.AsSpan(i * sizeof(uint)), _directory[i]);
        await WriteMarkerAsync(Marker.GrainDirectory, directory.Length, cancellationToken);
        var directorySector = SectorAt(0);
        await WriteAsync(directory, cancellationToken);

        var footer = new byte[SectorLength];
        WriteHeader(footer, directorySector);
        await WriteMarkerAsync(Marker.Footer, footer.Length, cancellationToken);
        await WriteAsync(footer, cancellationToken);
        await WriteMarkerAsync(Marker.EndOfStream, 0, cancellationToken);
    }

    private static long Sectors(long length) => (length + SectorLength - 1) / SectorLength;

    private async ValueTask WriteTableAsync(CancellationToken cancellationToken)
    {
        if (_tableNumber < 0)
            return;

        await WriteMarkerAsync(Marker.GrainTable, _table.Length, cancellationToken);
        _directory[_tableNumber] = SectorAt(0);
        await WriteAsync(_table, cancellationToken);
        Array.Clear(_table);
    }

    private async ValueTask WriteMarkerAsync(Marker marker, int length, CancellationToken cancellationToken)
    {
        var bytes = new byte[SectorLength];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length / SectorLength);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), (uint)marker);
        await WriteAsync(bytes, cancellationToken);
    }

    /// <summary>The sector at which something is that begins so many bytes from here.</summary>
    private uint SectorAt(int ahead) => _sector + ahead / SectorLength is <= uint.MaxValue and var sector
        ? (uint)sector
        : throw new FormatNotSupportedException("The disk has more data than vmdk (streamOptimized) can point to: it gets longer than 2 TiB.");

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await append(bytes, cancellationToken);
        _sector += bytes.Length / SectorLength;
    }

    private void WriteHeader(Span<byte> bytes, ulong directory)
    {
        const uint Version = 3;
        const uint ChecksNewlines = 1 << 0;
        const uint IsCompressed = 1 << 16;
        const uint HasMarkers = 1 << 17;
        const ushort Deflate = 1;

        "KDMV"u8.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], ChecksNewlines | IsCompressed | HasMarkers);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[12..], Sectors(diskLength));
        BinaryPrimitives.WriteInt64LittleEndian(bytes[20..], GrainSectors);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[28..], 1);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[36..], DescriptorSectors);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[44..], EntriesOfTable);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[56..], directory);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[64..], Overhead);
        "\n \r\n"u8.CopyTo(bytes[73..]);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[77..], Deflate);
    }

    private string Describe()
    {
        // What programs assume of disks behind a SCSI adapter.
        const int Heads = 255;
        const int SectorsOfTrack = 63;
        var cylinders = Math.Clamp(Sectors(diskLength) / (Heads * SectorsOfTrack), 1, 65535);

        // An id of the content, which is neither all ones, "no parent", nor the number before.
        var id = BinaryPrimitives.ReadUInt32LittleEndian(identity.For("vmdk").ToByteArray()) & 0x7fff_ffff;

        return $"""
            # Disk DescriptorFile
            version=1
            CID={id:x8}
            parentCID=ffffffff
            createType="{StreamOptimizedConversion.Variant}"

            # Extent description
            RW {Sectors(diskLength)} SPARSE "disk.vmdk"

            # The Disk Data Base
            #DDB

            ddb.virtualHWVersion = "4"
            ddb.adapterType = "lsilogic"
            ddb.geometry.cylinders = "{cylinders}"
            ddb.geometry.heads = "{Heads}"
            ddb.geometry.sectors = "{SectorsOfTrack}"

            """;
    }
}

/// <summary>Puts bytes behind all that were written before.</summary>
internal delegate ValueTask AppendBytes(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);
