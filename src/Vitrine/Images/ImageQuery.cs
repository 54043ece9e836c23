using Vitrine.Access;

namespace Vitrine.Images;

/// <summary>A question for images. Whatever it asks, the answer holds only what <see cref="Sight"/> may see.</summary>
public sealed record ImageQuery
{
    public required ImageSight Sight { get; init; }

    /// <summary>Empty lists ask for nothing in particular; so do nulls.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Part of a name, whatever its letter case.</summary>
    public string? NameContains { get; init; }

    public IReadOnlyList<ImageId> Ids { get; init; } = [];
    public IReadOnlyList<StatusFilter> Statuses { get; init; } = [];
    public IReadOnlyList<ImageKind> Kinds { get; init; } = [];
    public IReadOnlyList<DiskFormat> DiskFormats { get; init; } = [];
    public IReadOnlyList<ContainerFormat> ContainerFormats { get; init; } = [];
    public CpuArchitecture? Architecture { get; init; }
    public Firmware? Firmware { get; init; }
    public Platform? Platform { get; init; }
    public ProjectId? Owner { get; init; }
    public Visibility? Visibility { get; init; }
    public bool? Hidden { get; init; }
    public bool? Protected { get; init; }
    public IReadOnlyList<string> Tags { get; init; } = [];
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
    public long? Size { get; init; }
    public long? SizeMin { get; init; }
    public long? SizeMax { get; init; }
    public int? MinDisk { get; init; }
    public int? MinMemory { get; init; }
    public string? Md5 { get; init; }
    public string? Sha512 { get; init; }
    public string? Sha256 { get; init; }

    /// <summary>All must hold.</summary>
    public IReadOnlyList<TimeFilter> Times { get; init; } = [];

    /// <summary>The order; the newest first where empty. The id, in the direction of the last key, settles ties.</summary>
    public IReadOnlyList<ImageSort> Sort { get; init; } = [];

    /// <summary>The last image of the page before. The caller has made sure that it exists.</summary>
    public Image? After { get; init; }

    public int Limit { get; init; } = 25;
}

/// <summary>Whose eyes see the answer, and which of the shared images they look for.</summary>
/// <param name="Everything">An administrator's eyes.</param>
/// <param name="Project">Sees its own images, those shared with it, and the public ones of its domain.</param>
/// <param name="Membership">
/// Which answer the project gave for images shared with it; null for any answer.
/// </param>
/// <param name="Community">Also lists community images of others.</param>
public sealed record ImageSight(
    bool Everything, ProjectId? Project, string Domain, MemberStatus? Membership = MemberStatus.Accepted, bool Community = false)
{
    public static ImageSight Of(Caller caller) => new(caller.IsAdmin, caller.Project, caller.Domain);
}

/// <param name="Enabled">Null for either.</param>
public readonly record struct StatusFilter(ImageStatus Status, bool? Enabled = null);

public readonly record struct TimeFilter(TimeField Field, Comparison Comparison, DateTimeOffset Time);

public enum TimeField
{
    Created,
    Updated,
}

public enum Comparison
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

public readonly record struct ImageSort(ImageSortKey Key, bool Descending);

public enum ImageSortKey
{
    CreatedAt,
    UpdatedAt,
    Name,
    Status,
    DiskFormat,
    ContainerFormat,
    Size,
    Id,
}
