using System.Runtime.CompilerServices;
using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Formats.Iso9660;

/// <summary>An ISO 9660 volume: its label, its files by their best names, and what it boots.</summary>
/// <remarks>Refuses what no honest tool makes: loops, depths, numbers and lengths beyond all use, and what lies outside the content.</remarks>
internal sealed class IsoVolume
{
    public const string Format = "ISO 9660";

    private readonly ContentReader _content;
    private readonly DirectoryRecord _root;
    private readonly int _skip;

    private IsoVolume(ContentReader content, DescriptorSet set, DirectoryRecord root, IsoNaming naming, int skip)
    {
        (_content, _root, _skip, Naming) = (content, root, skip, naming);
        Label = VolumeLabel.Choose(set.Primary.Label, set.Joliet?.Label);
        BootEntries = set.BootEntries;
    }

    /// <summary>Null where it says nothing.</summary>
    public string? Label { get; }

    public IsoNaming Naming { get; }

    /// <summary>None where the volume is not for booting; the first is the usual choice.</summary>
    public IReadOnlyList<BootEntry> BootEntries { get; }

    /// <param name="content">Stays the caller's, and open as long as the volume is used.</param>
    /// <param name="best">Better names than these are not used.</param>
    /// <exception cref="UnsafeContentException">It is no volume, or none that can be right.</exception>
    public static async Task<IsoVolume> OpenAsync(
        ContentReader content, CancellationToken cancellationToken, IsoNaming best = IsoNaming.RockRidge)
    {
        var set = await DescriptorSet.ReadAsync(content, cancellationToken);
        var root = set.Primary.Root ?? throw IsoRefusal.BadGeometry("it has no root directory");
        if (best is IsoNaming.RockRidge && await FindSkipAsync(content, root, cancellationToken) is { } skip)
            return new IsoVolume(content, set, root, IsoNaming.RockRidge, skip);

        return best is not IsoNaming.Plain && set.Joliet?.Root is { } joliet
            ? new IsoVolume(content, set, joliet, IsoNaming.Joliet, skip: 0)
            : new IsoVolume(content, set, root, IsoNaming.Plain, skip: 0);
    }

    /// <summary>All files and directories, each directory before what is in it.</summary>
    /// <exception cref="UnsafeContentException">The directories cannot be right.</exception>
    public async IAsyncEnumerable<IsoEntry> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var walk = new IsoWalk(_content, Naming, _skip);
        walk.Enter(_root.Sector, _root.ContentLength, path: "");
        while (await walk.NextAsync(cancellationToken) is { } entry)
            yield return entry;
    }

    private static async Task<int?> FindSkipAsync(ContentReader content, DirectoryRecord root, CancellationToken cancellationToken)
    {
        var sector = new byte[VolumeDescriptor.SectorSize];
        await content.ReadExactlyAsync(Format, (long)root.Sector * sector.Length, sector, cancellationToken);
        return DirectoryRecord.TryRead(sector) is { IsSelf: true } self ? RockRidge.FindSkip(self.SystemUse.Span) : null;
    }
}
