namespace Vitrine.Formats.Iso9660;

/// <summary>Looks where ISO 9660 (ECMA-119, 8.1) puts its first volume descriptors: three sectors from 32 KiB on.</summary>
/// <remarks>The system area before them is the producer's, so that boot records and partition tables of hybrid media may lie in it.</remarks>
internal sealed class VolumeRecognition
{
    /// <summary>The position at which all that is looked for has passed.</summary>
    public const long End = VolumeDescriptor.FirstOffset + Sectors * VolumeDescriptor.SectorSize;

    // A boot record may stand between the primary descriptor and Joliet's.
    private const int Sectors = 3;

    private readonly byte[] _sector = new byte[VolumeDescriptor.SectorSize];
    private string? _label;
    private string? _jolietLabel;

    public VolumeRecognition() => Look(0);

    public PieceFeed Pieces { get; } = new();

    public bool IsFound { get; private set; }

    public string? Label => VolumeLabel.Choose(_label, _jolietLabel);

    // A descriptor is known by its first bytes even where the content ends within it.
    private void Look(int index)
    {
        if (index == Sectors)
            return;

        var offset = VolumeDescriptor.FirstOffset + index * VolumeDescriptor.SectorSize;
        Pieces.Want(offset, VolumeDescriptor.IdentifierLength, identifier =>
        {
            if (!VolumeDescriptor.IsIn(identifier))
            {
                Look(index + 1);
                return;
            }

            IsFound = true;
            identifier.CopyTo(_sector);
            Pieces.Want(offset + identifier.Length, _sector.Length - identifier.Length, rest =>
            {
                rest.CopyTo(_sector.AsSpan(VolumeDescriptor.IdentifierLength));
                TakeLabel();
                Look(index + 1);
            });
        });
    }

    private void TakeLabel()
    {
        var descriptor = VolumeDescriptor.Read(_sector);
        if (descriptor.Type is DescriptorType.Primary)
            _label ??= descriptor.Label;
        else if (descriptor.IsJoliet)
            _jolietLabel ??= descriptor.Label;
    }
}
