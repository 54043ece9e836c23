using System.Collections.Immutable;
using System.Text.Json;
using Vitrine.Client;
using Vitrine.Images;

namespace Vitrine.Server.Rest;

/// <summary>Puts what a request says of an image on the image. What may stand together is for <see cref="ImageRules"/> to say.</summary>
internal static class ImageDescriptions
{
    /// <summary>Fields of an image that users see and nobody changes.</summary>
    private static readonly string[] Immutable =
    [
        "id", "kind", "status", "enabled", "owner", "domain", "size", "virtualSize", "sha256", "md5", "sha512", "source", "upload", "transfer",
        "failure", "replicas", "warnings", "effectiveFirmware", "createdAt", "updatedAt",
    ];

    /// <summary>Fields that an image may be without.</summary>
    private static readonly string[] Clearable =
        ["description", "format", "container", "architecture", "platform", "os", "firmware", "tags", "properties"];

    public static Image Describe(Image image, ImageCreate said) => image with
    {
        Name = ImageRules.CheckName(said.Name),
        Description = said.Description ?? "",
        Kind = Word<ImageKind>(said.Kind, "kind") ?? ImageKind.System,
        DiskFormat = Word<DiskFormat>(said.Format, "format"),
        ContainerFormat = Word<ContainerFormat>(said.Container, "container"),
        Visibility = Word<Visibility>(said.Visibility, "visibility") ?? Visibility.Private,
        Protected = said.Protected ?? false,
        AllZones = said.AllZones ?? false,
        Tags = TagsOf(said.Tags),
        Properties = Merge(ImmutableSortedDictionary<string, string>.Empty, said.Properties!),
        Hardware = new HardwareProfile
        {
            Architecture = said.Architecture is { } architecture ? CpuArchitectures.Parse(architecture) : null,
            Platform = Word<Platform>(said.Platform, "platform"),
            Os = said.Os,
            VirtIo = said.Virtio ?? true,
            Firmware = Word<Firmware>(said.Firmware, "firmware"),
            Csm = said.Csm ?? false,
            BareMetal = said.BareMetal ?? false,
            MinDisk = said.MinDisk ?? 0,
            MinMemory = said.MinMemory ?? 0,
        },
    };

    /// <summary>Reads a merge patch (RFC 7396).</summary>
    /// <exception cref="InvalidFieldException">A field is unknown, cannot be changed or cannot be cleared.</exception>
    public static Func<Image, Image> ReadChange(JsonElement patch)
    {
        var fields = patch.Fields();
        if (fields.Keys.FirstOrDefault(Immutable.Contains) is { } immutable)
            throw new InvalidFieldException(immutable, "cannot be changed here");
        if (fields.FirstOrDefault(f => f.Value && !Clearable.Contains(f.Key)).Key is { } bare)
            throw new InvalidFieldException(bare, "cannot be null");

        var change = patch.As(LibraryJson.Default.ImageChange);
        return image => Change(image, change, fields);
    }

    private static Image Change(Image image, ImageChange said, IReadOnlyDictionary<string, bool> fields) => image with
    {
        Name = said.Name is null ? image.Name : ImageRules.CheckName(said.Name),
        Description = fields.IsCleared("description") ? "" : said.Description ?? image.Description,
        DiskFormat = fields.IsCleared("format") ? null : Word<DiskFormat>(said.Format, "format") ?? image.DiskFormat,
        ContainerFormat = fields.IsCleared("container") ? null : Word<ContainerFormat>(said.Container, "container") ?? image.ContainerFormat,
        Visibility = Word<Visibility>(said.Visibility, "visibility") ?? image.Visibility,
        Protected = said.Protected ?? image.Protected,
        Hidden = said.Hidden ?? image.Hidden,
        AllZones = said.AllZones ?? image.AllZones,
        Tags = fields.ContainsKey("tags") ? TagsOf(said.Tags) : image.Tags,
        Properties = fields.IsCleared("properties") ? image.Properties.Clear() : Merge(image.Properties, said.Properties),
        Hardware = image.Hardware with
        {
            Architecture = fields.IsCleared("architecture") ? null
                : said.Architecture is { } architecture ? CpuArchitectures.Parse(architecture) : image.Hardware.Architecture,
            Platform = fields.IsCleared("platform") ? null : Word<Platform>(said.Platform, "platform") ?? image.Hardware.Platform,
            Os = fields.IsCleared("os") ? null : said.Os ?? image.Hardware.Os,
            VirtIo = said.Virtio ?? image.Hardware.VirtIo,
            Firmware = fields.IsCleared("firmware") ? null : Word<Firmware>(said.Firmware, "firmware") ?? image.Hardware.Firmware,
            Csm = said.Csm ?? image.Hardware.Csm,
            BareMetal = said.BareMetal ?? image.Hardware.BareMetal,
            MinDisk = said.MinDisk ?? image.Hardware.MinDisk,
            MinMemory = said.MinMemory ?? image.Hardware.MinMemory,
        },
    };

    private static bool IsCleared(this IReadOnlyDictionary<string, bool> fields, string field) => fields.GetValueOrDefault(field);

    private static T? Word<T>(string? text, string field) where T : struct, Enum => text is null ? null : EnumWords.Parse<T>(text, field);

    private static ImmutableSortedSet<string> TagsOf(IReadOnlyList<string>? tags) => tags is null
        ? []
        : tags.Any(string.IsNullOrEmpty)
            ? throw new InvalidFieldException("tags", "a tag has at least one character")
            : tags.ToImmutableSortedSet(StringComparer.Ordinal);

    private static ImmutableSortedDictionary<string, string> Merge(
        ImmutableSortedDictionary<string, string> properties, IReadOnlyDictionary<string, string?>? said)
    {
        var merged = properties.ToBuilder();
        foreach (var (name, value) in said ?? ImmutableDictionary<string, string?>.Empty)
        {
            if (value is null)
                merged.Remove(name);
            else
                merged[name] = value;
        }

        return merged.ToImmutable();
    }
}
