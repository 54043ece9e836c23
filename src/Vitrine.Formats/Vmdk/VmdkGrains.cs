using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Formats.Vmdk;

/// <summary>The compressed grains of a streamOptimized VMDK. Each begins a sector, with a marker:</summary>
/// <remarks>
/// <code>
///  0                    8          12
///  +--------------------+----------+------------------
///  | first sector (8)   | size (4) | zlib stream …          little-endian; the sector is the guest's
///  +--------------------+----------+------------------
/// </code>
/// </remarks>
internal sealed class VmdkGrains
{
    private const long MaxHeldLength = 8 * 1024 * 1024;

    private readonly ContentReader _content;
    private readonly VmdkHeader _header;
    private readonly RecentlyLoaded<(long Place, long Start), byte[]> _grains;

    public VmdkGrains(ContentReader content, VmdkHeader header)
    {
        (_content, _header) = (content, header);
        _grains = new RecentlyLoaded<(long, long), byte[]>((int)Math.Max(MaxHeldLength / header.GrainLength, 1), InflateAsync);
    }

    public async ValueTask ReadAsync(Stretch stretch, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var start = stretch.Start - stretch.Within;

        // Whoever takes a grain whole does not come back for it.
        if (buffer.Length == _header.GrainLength)
        {
            await InflateAsync(stretch.Place, start, buffer, cancellationToken);
            return;
        }

        var grain = await _grains.GetAsync((stretch.Place, start), cancellationToken);
        grain.AsSpan(stretch.Within, buffer.Length).CopyTo(buffer.Span);
    }

    /// <summary>Reads the marker that stands somewhere.</summary>
    /// <param name="place">In bytes.</param>
    /// <exception cref="UnsafeContentException">The content ends before.</exception>
    public async ValueTask<VmdkMarker> ReadMarkerAsync(long place, CancellationToken cancellationToken)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(VmdkMarker.Length);
        try
        {
            await _content.ReadExactlyAsync("VMDK", place, bytes.AsMemory(0, VmdkMarker.Length), cancellationToken);
            return VmdkMarker.Read(bytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Whether a marker can be that of a certain grain. Deflate never makes one much longer than it was.</summary>
    /// <param name="start">The grain's first byte on the guest's disk.</param>
    public bool IsOf(VmdkMarker marker, long start) =>
        marker.Sector == (ulong)start / VmdkHeader.SectorSize && marker.Size != 0 && marker.Size <= 2 * _header.GrainLength;

    private async ValueTask<byte[]> InflateAsync((long Place, long Start) place)
    {
        var grain = new byte[_header.GrainLength];
        await InflateAsync(place.Place, place.Start, grain, CancellationToken.None);
        return grain;
    }

    private async ValueTask InflateAsync(long place, long start, Memory<byte> grain, CancellationToken cancellationToken)
    {
        var marker = await ReadMarkerAsync(place, cancellationToken);
        if (!IsOf(marker, start))
            throw Damaged();

        var bytes = ArrayPool<byte>.Shared.Rent((int)marker.Size);
        try
        {
            var compressed = bytes.AsMemory(0, (int)marker.Size);
            await _content.ReadExactlyAsync("VMDK", place + VmdkMarker.GrainDataOffset, compressed, cancellationToken);

            // The disk may end inside its last grain, and then so may the grain.
            Inflate(bytes, compressed.Length, grain.Span, least: (int)Math.Min(_header.GrainLength, _header.DiskLength - start));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static void Inflate(byte[] compressed, int length, Span<byte> grain, int least)
    {
        try
        {
            using var stream = new ZLibStream(new MemoryStream(compressed, 0, length), CompressionMode.Decompress);
            var count = stream.ReadAtLeast(grain, grain.Length, throwOnEndOfStream: false);
            if (count < least || stream.ReadByte() >= 0)
                throw Damaged();

            grain[count..].Clear();
        }
        catch (Exception failure) when (failure is InvalidDataException or IOException)
        {
            throw Damaged();
        }
    }

    private static UnsafeContentException Damaged() =>
        new("vmdk-damaged", "a compressed part of the VMDK image does not unfold to what it should.");
}

/// <summary>What begins each part of a streamOptimized VMDK: a grain where it has a size, and otherwise metadata.</summary>
/// <param name="Sector">Of the guest's disk, for a grain; how many sectors follow, for metadata.</param>
/// <param name="Type">Only of metadata.</param>
internal readonly record struct VmdkMarker(ulong Sector, uint Size, VmdkMarkerType Type)
{
    public const int Length = 16;
    public const int GrainDataOffset = 12;

    public static VmdkMarker Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
        (VmdkMarkerType)BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]));
}

internal enum VmdkMarkerType : uint
{
    EndOfStream = 0,
    GrainTable = 1,
    GrainDirectory = 2,
    Footer = 3,
}
