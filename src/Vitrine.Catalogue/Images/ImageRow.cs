using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Transfers;

namespace Vitrine.Catalogue.Images;

/// <summary>An image as its table has it: all but tags and properties, which have tables of their own.</summary>
internal class ImageRow
{
    public string Id { get; init; } = "";
    public string Owner { get; init; } = "";
    public string Domain { get; init; } = "";
    public string? Name { get; init; }

    /// <summary>The name without its letter case, for searching.</summary>
    public string? NameFolded { get; init; }

    public string Description { get; init; } = "";
    public string Status { get; init; } = "";
    public bool Enabled { get; init; }
    public string Kind { get; init; } = "";
    public string? DiskFormat { get; init; }
    public string? ContainerFormat { get; init; }
    public string? Architecture { get; init; }
    public string? Platform { get; init; }
    public string? Os { get; init; }
    public bool VirtIo { get; init; }
    public string? Firmware { get; init; }
    public bool Csm { get; init; }
    public bool BareMetal { get; init; }
    public int MinDisk { get; init; }
    public int MinMemory { get; init; }
    public string Visibility { get; init; } = "";
    public bool Protected { get; init; }
    public bool Hidden { get; init; }
    public bool AllZones { get; init; }
    public string? SourceUrl { get; init; }
    public string? SourceKey { get; init; }
    public string? SourceHash { get; init; }
    public long? Size { get; init; }
    public string? ContentDigest { get; init; }
    public long? ContentSize { get; init; }
    public string? ContentMd5 { get; init; }
    public string? ContentSha512 { get; init; }
    public string? ContentFormat { get; init; }
    public long? ContentVirtualSize { get; init; }
    public string? SourceFileDigest { get; init; }
    public long? SourceFileSize { get; init; }
    public string? SourceFileWrapper { get; init; }
    public string? SourceFileFormat { get; init; }
    public string? Transfer { get; init; }
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }
    public long? DeletedAt { get; init; }
    public long Version { get; init; }

    /// <summary>The row that is to be stored for an image: its version is the next.</summary>
    public static ImageRow From(Image image) => new()
    {
        Id = image.Id.ToString(),
        Owner = image.Owner.Value,
        Domain = image.Domain,
        Name = image.Name,
        NameFolded = image.Name is null ? null : Fold(image.Name),
        Description = image.Description,
        Status = image.Status.Word(),
        Enabled = image.Enabled,
        Kind = image.Kind.Word(),
        DiskFormat = Stored.Word(image.DiskFormat),
        ContainerFormat = Stored.Word(image.ContainerFormat),
        Architecture = Stored.Word(image.Hardware.Architecture),
        Platform = Stored.Word(image.Hardware.Platform),
        Os = image.Hardware.Os,
        VirtIo = image.Hardware.VirtIo,
        Firmware = Stored.Word(image.Hardware.Firmware),
        Csm = image.Hardware.Csm,
        BareMetal = image.Hardware.BareMetal,
        MinDisk = image.Hardware.MinDisk,
        MinMemory = image.Hardware.MinMemory,
        Visibility = image.Visibility.Word(),
        Protected = image.Protected,
        Hidden = image.Hidden,
        AllZones = image.AllZones,
        SourceUrl = image.SourceUrl,
        SourceKey = image.SourceKey,
        SourceHash = image.SourceKey is null ? null : HashSource(image.SourceKey),
        Size = image.Size,
        ContentDigest = image.Content?.Digest.Hex,
        ContentSize = image.Content?.Size,
        ContentMd5 = image.Content?.Md5,
        ContentSha512 = image.Content?.Sha512,
        ContentFormat = image.Content?.Format.Word(),
        ContentVirtualSize = image.Content?.VirtualSize,
        SourceFileDigest = image.Content?.Source?.Digest.Hex,
        SourceFileSize = image.Content?.Source?.Size,
        SourceFileWrapper = Stored.Word(image.Content?.Source?.Wrapper),
        SourceFileFormat = Stored.Word(image.Content?.Source?.Format),
        Transfer = image.Transfer?.ToString(),
        CreatedAt = Stored.Micros(image.CreatedAt),
        UpdatedAt = Stored.Micros(image.UpdatedAt),
        DeletedAt = Stored.Micros(image.DeletedAt),
        Version = image.Version + 1,
    };

    public static string Fold(string name) => name.ToUpperInvariant();

    public static string HashSource(string sourceKey) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sourceKey)));
}

/// <summary>An image as one statement reads it, so that no reader sees the tags of one version with the name of another.</summary>
internal sealed class WholeImageRow : ImageRow
{
    /// <summary>A JSON array; null where there are none.</summary>
    public string? Tags { get; init; }

    /// <summary>A JSON object; null where there are none.</summary>
    public string? Properties { get; init; }

    /// <summary>What a SELECT from <c>images</c> asks for to fill such a row.</summary>
    public static string Selection(Dialect dialect) => $"""
        {string.Join(", ", Row<ImageRow>.Columns.Split(", ").Select(column => $"images.{column}"))},
        (select {dialect.JsonArray("tag")} from image_tags where image = images.id) as tags,
        (select {dialect.JsonObject("name", "value")} from image_properties where image = images.id) as properties
        """;

    public Image ToImage() => new()
    {
        Id = ImageId.Parse(Id),
        Owner = new ProjectId(Owner),
        Domain = Domain,
        Name = Name,
        Description = Description,
        Status = Stored.Enum<ImageStatus>(Status),
        Enabled = Enabled,
        Kind = Stored.Enum<ImageKind>(Kind),
        DiskFormat = Stored.EnumOrNull<DiskFormat>(DiskFormat),
        ContainerFormat = Stored.EnumOrNull<ContainerFormat>(ContainerFormat),
        Hardware = ToHardware(),
        Visibility = Stored.Enum<Visibility>(Visibility),
        Protected = Protected,
        Hidden = Hidden,
        AllZones = AllZones,
        Tags = Tags is null ? [] : [.. JsonSerializer.Deserialize<string[]>(Tags)!],
        Properties = Properties is null
            ? ImmutableSortedDictionary<string, string>.Empty
            : JsonSerializer.Deserialize<Dictionary<string, string>>(Properties)!.ToImmutableSortedDictionary(),
        SourceUrl = SourceUrl,
        SourceKey = SourceKey,
        Size = Size,
        Content = ToContent(),
        Transfer = Transfer is null ? null : TransferId.Parse(Transfer),
        CreatedAt = Stored.Time(CreatedAt),
        UpdatedAt = Stored.Time(UpdatedAt),
        DeletedAt = Stored.Time(DeletedAt),
        Version = Version,
    };

    private HardwareProfile ToHardware() => new()
    {
        Architecture = Stored.EnumOrNull<CpuArchitecture>(Architecture),
        Platform = Stored.EnumOrNull<Platform>(Platform),
        Os = Os,
        VirtIo = VirtIo,
        Firmware = Stored.EnumOrNull<Firmware>(Firmware),
        Csm = Csm,
        BareMetal = BareMetal,
        MinDisk = MinDisk,
        MinMemory = MinMemory,
    };

    private ContentFacts? ToContent() => ContentDigest is null ? null : new ContentFacts(
        Digest.Parse(ContentDigest), ContentSize!.Value, ContentMd5!, ContentSha512!,
        Stored.Enum<DiskFormat>(ContentFormat!), ContentVirtualSize, ToSourceFile())
    {
        // An image that says so is one: anything else was refused.
        Container = Stored.EnumOrNull<ContainerFormat>(ContainerFormat) is Vitrine.Images.ContainerFormat.Ova ? Vitrine.Images.ContainerFormat.Ova : Vitrine.Images.ContainerFormat.Bare,
    };

    private SourceFile? ToSourceFile() => SourceFileDigest is null
        ? null
        : new SourceFile(Digest.Parse(SourceFileDigest), SourceFileSize!.Value, Stored.EnumOrNull<Wrapper>(SourceFileWrapper), Stored.EnumOrNull<DiskFormat>(SourceFileFormat));
}
