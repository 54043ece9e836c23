using Vitrine.Disks;

namespace Vitrine.Formats.Iso9660;

/// <summary>A file or directory of a volume.</summary>
/// <param name="Path">From the root, its parts divided by slashes, without one at its beginning.</param>
/// <param name="Extents">Where the content is, in order; none for what is not a file, and for files that are empty.</param>
internal sealed record IsoEntry(string Path, IsoEntryKind Kind, IReadOnlyList<Extent> Extents)
{
    /// <summary>In bytes.</summary>
    public long Length => Extents.Sum(e => e.Length);
}

internal enum IsoEntryKind
{
    File,
    Directory,
    SymbolicLink,

    /// <summary>A device, pipe or socket.</summary>
    Special,
}

/// <summary>By which names a volume's files are known, from the poorest on.</summary>
internal enum IsoNaming
{
    Plain,
    Joliet,
    RockRidge,
}
