using System.Buffers;

namespace Vitrine.Formats.Iso9660;

/// <summary>A medium that has been laid out: all that it says of its files is in memory, and their content follows when it is written.</summary>
/// <remarks>
/// <code>
///  sector 0   16                                            then                   then                  then
///    +--------+------------------------------------------+----------------------+---------------------+--------------
///    | zeros  | descriptors: volume, boot, Joliet, end   | boot catalogue       | plain hierarchy,    | contents, each
///    |        |                                          | if it is for booting | Joliet's hierarchy  | from a sector on
///    +--------+------------------------------------------+----------------------+---------------------+--------------
/// </code>
/// </remarks>
public sealed class IsoImage
{
    private const int SectorSize = VolumeDescriptor.SectorSize;
    private const uint FirstDescriptor = 16;
    private const int BufferLength = 64 * 1024;
    private const ushort BiosLoadSectors = 4;

    private readonly byte[] _head;
    private readonly IReadOnlyList<IsoContent> _contents;

    private IsoImage(byte[] head, IReadOnlyList<IsoContent> contents, uint sectors)
    {
        (_head, _contents) = (head, contents);
        Length = (long)sectors * SectorSize;
    }

    /// <summary>In bytes; whole sectors of 2 KiB.</summary>
    public long Length { get; }

    /// <summary>Writes the medium from its first byte to its last.</summary>
    /// <exception cref="EndOfStreamException">A file ended before the length that was said of it.</exception>
    public async Task CopyToAsync(Stream output, CancellationToken cancellationToken)
    {
        // Not disposed: the stream under it is the caller's.
        var gathered = new BufferedStream(output, BufferLength);
        await gathered.WriteAsync(_head, cancellationToken);
        foreach (var content in _contents)
        {
            await CopyAsync(content, gathered, cancellationToken);
            var padding = (int)(-content.Length & (SectorSize - 1));
            await gathered.WriteAsync(Zeros.AsMemory(0, padding), cancellationToken);
        }

        await gathered.FlushAsync(cancellationToken);
    }

    /// <summary>The whole medium, where it is small.</summary>
    /// <inheritdoc cref="CopyToAsync"/>
    public async Task<byte[]> ToArrayAsync(CancellationToken cancellationToken)
    {
        var bytes = new byte[Length];
        await CopyToAsync(new MemoryStream(bytes), cancellationToken);
        return bytes;
    }

    /// <param name="informed">What gets a <see cref="BootInfoTable"/>; null for nothing.</param>
    internal static IsoImage Lay(IsoDirectory root, IsoFacts facts, IReadOnlyDictionary<BootPlatform, IsoContent> boot, IsoContent? informed)
    {
        var links = root.Files.CountBy(f => f.Content).ToDictionary();
        var plain = new IsoHierarchy(root, IsoText.Ascii, facts.Time, links);
        var joliet = new IsoHierarchy(root, IsoText.Ucs2, facts.Time, links);

        // The set has one descriptor more where the medium boots, and its catalogue comes right after it.
        var afterDescriptors = FirstDescriptor + 3;
        if (boot.Count > 0)
            afterDescriptors += 2;
        var headEnd = joliet.Place(plain.Place(afterDescriptors));
        var places = Place(root, headEnd, out var end);

        var head = new byte[checked((int)headEnd * SectorSize)];
        var next = FirstDescriptor;
        plain.WriteDescriptor(Next(), facts, end);
        if (boot.Count > 0)
        {
            VolumeDescriptor.WriteBootRecord(Next(), afterDescriptors - 1);
            BootCatalogue.Write(head.AsSpan((int)(afterDescriptors - 1) * SectorSize, SectorSize), [.. boot.Select(b => EntryOf(b.Key, b.Value, places))]);
        }

        joliet.WriteDescriptor(Next(), facts, end);
        VolumeDescriptor.WriteEnd(Next());
        plain.Write(head, places);
        joliet.Write(head, places);
        return new IsoImage(head, [.. places.OrderBy(p => p.Value).Where(p => p.Key.Length > 0).Select(p => Inform(p.Key, p.Value))], end);

        IsoContent Inform(IsoContent content, uint sector) => content == informed
            ? content with { Bytes = BootInfoTable.PutInto(content.Bytes.Span, FirstDescriptor, sector) }
            : content;

        Span<byte> Next() => head.AsSpan((int)next++ * SectorSize, SectorSize);
    }

    private static readonly byte[] Zeros = new byte[SectorSize];

    private static Dictionary<IsoContent, uint> Place(IsoDirectory root, uint sector, out uint end)
    {
        var places = new Dictionary<IsoContent, uint>();
        foreach (var content in root.Files.Select(f => f.Content))
        {
            // What is empty is nowhere.
            if (places.TryAdd(content, content.Length == 0 ? 0 : sector))
                sector = checked(sector + (uint)((content.Length + SectorSize - 1) / SectorSize));
        }

        end = sector;
        return places;
    }

    private static BootEntry EntryOf(BootPlatform platform, IsoContent content, Dictionary<IsoContent, uint> places) => new(
        platform,
        IsBootable: true,
        Emulation: 0,
        platform is BootPlatform.Bios ? BiosLoadSectors : (ushort)Math.Min(ushort.MaxValue, (content.Length + 511) / 512),
        places[content]);

    private static async Task CopyAsync(IsoContent content, Stream output, CancellationToken cancellationToken)
    {
        if (content.Open is null)
        {
            await output.WriteAsync(content.Bytes, cancellationToken);
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            await using var input = await content.Open(cancellationToken);
            for (var left = content.Length; left > 0;)
            {
                var count = (int)Math.Min(left, buffer.Length);
                await input.ReadExactlyAsync(buffer.AsMemory(0, count), cancellationToken);
                await output.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                left -= count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
