using Vitrine.Content;
using Vitrine.Formats.Vmdk;
using Vitrine.Images;

namespace Vitrine.Formats.Ova;

/// <summary>OVA: a tar archive of a description, then of what it refers to (DMTF DSP0243, 5.3). Its one disk is a VMDK, in one file or flat.</summary>
/// <remarks>
/// The archive is walked from header to header; of the members only the description, the manifest and the disk's header are read. Where
/// all bytes pass they are held against the manifest too.
/// </remarks>
internal sealed class OvaReader : IFormatReader
{
    private const int BlockLength = TarHeader.BlockLength;
    private const int MostMembers = 64;

    // A member may be preceded by a header with its name and one with its attributes.
    private const int MostHeaders = 3 * MostMembers;

    private static readonly string[] OtherExtensions = [".mf", ".cert", ".vmdk"];

    private readonly PieceFeed _pieces;
    private readonly OvaSums _sums = new();
    private readonly Dictionary<string, OvaMember> _members = new(StringComparer.OrdinalIgnoreCase);
    private int _headers;
    private TarAttributes _attributes;
    private byte[]? _description;
    private string? _disk;
    private IReadOnlyList<FlatExtent>? _extents;
    private FormatVerdict? _verdict;

    public OvaReader(PieceFeed pieces)
    {
        _pieces = pieces;
        _pieces.Watch(_sums.Observe);
        WantHeader(0);
    }

    /// <summary>Whether an archive begins whose first member is one of an OVA's. Every other archive is just bytes.</summary>
    /// <param name="start">The content's first bytes.</param>
    public static bool IsIn(ReadOnlySpan<byte> start)
    {
        for (var at = 0L; at + BlockLength <= start.Length;)
        {
            if (TarHeader.TryRead(start[(int)at..]) is not { } header)
                return false;
            if (header.Type is TarMemberType.File or TarMemberType.OldFile)
                return IsOurs(header.Name);
            if (header.Type is TarMemberType.LongName && at + BlockLength < start.Length)
                return IsOurs(TarHeader.ReadText(start.Slice((int)at + BlockLength, (int)Math.Min(header.Size, start.Length - at - BlockLength))));

            at += BlockLength + Math.Min(header.PaddedSize, start.Length);
        }

        return false;
    }

    public FormatVerdict Complete(long length, ReadOnlySpan<byte> tail)
    {
        FindDisk();
        FindParts();
        _sums.Compare();
        return _verdict!;
    }

    /// <summary>The disk's member, once the whole archive has been walked.</summary>
    public OvaMember FindDisk() => _verdict is not null
        ? _members[_disk!]
        : throw MissingMember();

    /// <summary>Where a flat disk's bytes are in the archive, once the whole of it has been walked; null for a disk in one file.</summary>
    public IReadOnlyList<FlatPart>? FindParts() => _extents?.Select(Place).ToList();

    // Names are compared without regard to case where it is about doubles, since some readers unpack to where case does not count.
    private static bool IsDescription(string name) => name.EndsWith(".ovf", StringComparison.OrdinalIgnoreCase);

    // What else an OVA has. One that begins with it was packed in the wrong order, or lacks its description.
    private static bool IsOurs(string name) =>
        IsDescription(name) || OtherExtensions.Any(e => name.EndsWith(e, StringComparison.OrdinalIgnoreCase));

    private void WantHeader(long offset) => _pieces.Want(offset, BlockLength, block => ReadHeader(block, offset));

    private void ReadHeader(ReadOnlySpan<byte> block, long offset)
    {
        if (!block.ContainsAnyExcept((byte)0))
        {
            _pieces.Want(offset + BlockLength, BlockLength, ReadEnd);
            return;
        }

        if (++_headers > MostHeaders)
            throw TooMany();
        if (TarHeader.TryRead(block) is not { } header)
            throw BadArchive("a header of it is damaged");

        switch (header.Type)
        {
            case TarMemberType.File or TarMemberType.OldFile:
                ReadMember(header, offset + BlockLength);
                break;
            case TarMemberType.HardLink or TarMemberType.SymbolicLink or TarMemberType.LongLink:
                throw new UnsafeContentException("ova-link", "the OVA has a link.");
            case TarMemberType.LongName or TarMemberType.Attributes or TarMemberType.GlobalAttributes:
                ReadExtension(header, offset + BlockLength);
                break;
            case TarMemberType.Directory when header is { Size: 0, Name: "." or "./" }:
                // Whoever packs a directory as a whole packs its own name first.
                _attributes = default;
                WantHeader(offset + BlockLength);
                break;
            default:
                throw new UnsafeContentException("ova-bad-member", "the OVA has something else than files.");
        }
    }

    private static void ReadEnd(ReadOnlySpan<byte> block)
    {
        // Some readers stop at the first block of zeros and some at the second.
        if (block.ContainsAnyExcept((byte)0))
            throw BadArchive("it goes on behind its end");
    }

    private void ReadExtension(TarHeader header, long start)
    {
        if (header.Size is 0 or > PieceFeed.MaxPiece)
            throw BadArchive("a header of it is empty or too long");

        _pieces.Want(start, (int)header.Size, text =>
        {
            _attributes = header.Type is TarMemberType.LongName
                ? _attributes with { Name = TarHeader.ReadText(text) }
                : ReadAttributes(header.Type, text);
            WantHeader(start + header.PaddedSize);
        });
    }

    private TarAttributes ReadAttributes(TarMemberType type, ReadOnlySpan<byte> text)
    {
        if (TarAttributes.TryRead(text) is not { } read)
            throw BadArchive("it has attributes that are not known here");
        if (type is TarMemberType.GlobalAttributes && (read.Name ?? (object?)read.Size) is not null)
            throw BadArchive("all its members have one name or size");

        return new TarAttributes(read.Name ?? _attributes.Name, read.Size ?? _attributes.Size);
    }

    private void ReadMember(TarHeader header, long start)
    {
        header = header with { Name = OvaMember.WithoutPrefix(_attributes.Name ?? header.Name), Size = _attributes.Size ?? header.Size };
        _attributes = default;
        if (!OvaMember.IsPlainName(header.Name))
            throw OvaMember.BadName();
        if (_members.Count == MostMembers)
            throw TooMany();
        if (!_members.TryAdd(header.Name, new OvaMember(header.Name, start, header.Size)))
            throw BadArchive("it has a file twice");

        _sums.Begin(header.Name, header.Size);
        if (_description is null)
            WantDescription(header, start);
        else if (IsDescription(header.Name))
            throw BadArchive("it has two descriptions");
        else if (header.Name == _disk)
            WantDisk(header, start);
        else if (header.Name.EndsWith(".mf", StringComparison.OrdinalIgnoreCase))
            WantManifest(header, start);
        else
        {
            if (_extents?.Any(e => header.Name.Equals(e.File, StringComparison.OrdinalIgnoreCase)) ?? false)
                _pieces.Rows?.Enqueue(start);
            WantHeader(start + header.PaddedSize);
        }
    }

    private void WantDescription(TarHeader header, long start)
    {
        if (!IsDescription(header.Name))
            throw new UnsafeContentException("ova-bad-order", "the OVA does not begin with its description: pack the .ovf file first, then the others.");
        if (header.Size is 0 or > OvfDescriptor.MostLength)
            throw new UnsafeContentException("ova-bad-descriptor", "the OVA's description is not of a length that it can have.");

        _description = new byte[header.Size];
        WantDescriptionFrom(0);

        void WantDescriptionFrom(int done) =>
            _pieces.Want(start + done, Math.Min(_description.Length - done, PieceFeed.MaxPiece), piece =>
            {
                piece.CopyTo(_description.AsSpan(done));
                if (done + piece.Length < _description.Length)
                {
                    WantDescriptionFrom(done + piece.Length);
                    return;
                }

                _disk = OvfDescriptor.ReadDisk(_description);
                WantHeader(start + header.PaddedSize);
            });
    }

    private void WantManifest(TarHeader header, long start)
    {
        if (header.Size is 0 or > OvaSums.MostLength)
            throw new UnsafeContentException("ova-bad-manifest", "the OVA's manifest is not of a length that it can have.");

        _pieces.Want(start, (int)header.Size, text =>
        {
            _sums.ReadManifest(text);
            WantHeader(start + header.PaddedSize);
        });
    }

    private void WantDisk(TarHeader header, long start)
    {
        _pieces.Rows?.Enqueue(start);
        VmdkHeaderReader? disk = null;
        disk = new VmdkHeaderReader(_pieces, start, WantTail, otherwise: head => WantDescriptor(header, start, head));

        // Its end may be where its grain directory is given.
        void WantTail()
        {
            var tailLength = Math.Min(ContentTail.Capacity, header.Size - disk!.HeadLength);
            if (tailLength <= 0)
                throw Refusal.Truncated("VMDK");

            _pieces.Want(start + header.Size - tailLength, (int)tailLength, tail =>
            {
                _verdict = disk.Complete(header.Size, tail) with { Container = ContainerFormat.Ova };
                WantHeader(start + header.PaddedSize);
            });
        }
    }

    // A disk that is kept as it is has a file that only describes it, and its bytes in others.
    private void WantDescriptor(TarHeader header, long start, ReadOnlySpan<byte> head)
    {
        if (!VmdkDescriptor.IsIn(head) || header.Size is 0 or > PieceFeed.MaxPiece)
            throw Refusal.Mistaken("VMDK");

        var text = new byte[header.Size];
        var known = Math.Min(head.Length, text.Length);
        head[..known].CopyTo(text);
        if (known == text.Length)
            ReadText();
        else
            _pieces.Want(start + known, text.Length - known, rest =>
            {
                rest.CopyTo(text.AsSpan(known));
                ReadText();
            });

        void ReadText()
        {
            _extents = VmdkDescriptor.ReadFlat(text);
            _verdict = new FormatVerdict(DiskFormat.Vmdk, _extents.Sum(e => e.Length), Container: ContainerFormat.Ova);
            WantHeader(start + header.PaddedSize);
        }
    }

    private FlatPart Place(FlatExtent extent)
    {
        if (extent.File is null)
            return new FlatPart(extent.Length, Place: null);
        if (!_members.TryGetValue(extent.File, out var member))
            throw MissingMember();
        if (member.Length - extent.Length < extent.Offset)
            throw Refusal.Truncated("VMDK");

        return new FlatPart(extent.Length, member.Start + extent.Offset);
    }

    private static UnsafeContentException MissingMember() => new("ova-missing-member", "the OVA does not have the file that its disk is to be in.");

    private static UnsafeContentException TooMany() => new("ova-too-many-members", $"the OVA has more than {MostMembers} files.");

    private static UnsafeContentException BadArchive(string what) => new("ova-bad-archive", $"the OVA cannot be right: {what}.");
}
