using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.OpenStack.Images;

/// <summary>What stands in the JSON of an image: which attributes are Glance's own, which of them clients set, and what they are in the library.</summary>
internal static class ImageAttributes
{
    /// <summary>Attributes in this name space say how an import goes; only we write them.</summary>
    private const string OwnPrefix = "os_glance_";

    private static readonly FrozenDictionary<string, Func<Image, JsonElement, Image>> Settable =
        new Dictionary<string, Func<Image, JsonElement, Image>>
        {
            ["name"] = (image, value) => image with { Name = ImageRules.CheckLooseName(GlanceBody.TextOrNull(value, "name")) },
            ["disk_format"] = (image, value) => WithDiskFormat(image, Word<DiskFormat>(value, "disk_format")),
            ["container_format"] = (image, value) => image with { ContainerFormat = Word<ContainerFormat>(value, "container_format") },
            ["visibility"] = (image, value) => image with { Visibility = Word<Visibility>(value, "visibility") ?? throw Missing("visibility") },
            ["protected"] = (image, value) => image with { Protected = GlanceBody.Flag(value, "protected") },
            ["os_hidden"] = (image, value) => image with { Hidden = GlanceBody.Flag(value, "os_hidden") },
            ["min_disk"] = (image, value) => image with { Hardware = image.Hardware with { MinDisk = GlanceBody.Number(value, "min_disk") } },
            ["min_ram"] = (image, value) => image with { Hardware = image.Hardware with { MinMemory = GlanceBody.Number(value, "min_ram") } },
            ["owner"] = (image, value) => image with { Owner = Owner(value) },
            ["tags"] = (image, value) => WithTags(image, [.. GlanceBody.Texts(value, "tags")]),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenSet<string> ReadOnly = new[]
    {
        "id", "status", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value", "stores", "direct_url",
        "created_at", "updated_at", "self", "file", "schema",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Reserved = new[] { "deleted", "deleted_at", "location" }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> GlanceNames = new Dictionary<string, string>
    {
        ["format"] = "disk_format",
        ["minDisk"] = "min_disk",
        ["minMemory"] = "min_ram",
        ["firmware"] = "hw_firmware_type",
        ["platform"] = "os_type",
        ["url"] = "uri",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The library's name of a field as Glance's users know it.</summary>
    public static string GlanceNameOf(string field) => GlanceNames.GetValueOrDefault(field, field);

    /// <summary>Whether the name is Glance's own, so that no custom property can have it.</summary>
    public static bool IsGlancesOwn(string name) =>
        Settable.ContainsKey(name) || ReadOnly.Contains(name) || IsReserved(name) || IsLocations(name);

    /// <summary>Whether the image shows something under this name.</summary>
    public static bool Has(Image image, string name) => IsGlancesOwn(name) || FindProperty(image, name) is not null;

    /// <summary>Gives an attribute or a custom property a value.</summary>
    /// <exception cref="GlanceRefusalException">Clients may not set it, or the value is of a wrong type.</exception>
    /// <exception cref="InvalidFieldException">The value breaks a rule of the library.</exception>
    public static Image Set(Image image, string name, JsonElement value)
    {
        if (Settable.TryGetValue(name, out var set))
            return set(image, value);

        CheckIsCustom(name);
        return WithProperty(image, name, GlanceBody.Text(value, name));
    }

    /// <summary>Takes a custom property away; Glance's own attributes stay.</summary>
    public static Image Remove(Image image, string name)
    {
        if (Settable.ContainsKey(name))
            throw GlanceRefusalException.Forbidden($"Property {name} may not be removed.");

        CheckIsCustom(name);
        return image with
        {
            Properties = image.Properties.Remove(name),
            Hardware = HardwareProperties.Without(image.Hardware, name),
        };
    }

    /// <summary>The custom properties as Glance shows them, by name.</summary>
    public static IEnumerable<(string Name, string Value)> PropertiesOf(Image image)
    {
        foreach (var shown in HardwareProperties.Of(image.Hardware))
            yield return shown;

        foreach (var (name, value) in image.Properties)
        {
            // Other faces may have made properties of names that mean something else here.
            if (!IsGlancesOwn(name) && HardwareProperties.Find(image.Hardware, name) is null)
                yield return (name, value);
        }
    }

    private static string? FindProperty(Image image, string name) =>
        HardwareProperties.Find(image.Hardware, name) ?? image.Properties.GetValueOrDefault(name);

    private static Image WithProperty(Image image, string name, string value) => HardwareProperties.With(image.Hardware, name, value) is { } hardware
        ? image with { Hardware = hardware, Properties = image.Properties.Remove(name) }
        : image with
        {
            Hardware = HardwareProperties.Without(image.Hardware, name),
            Properties = image.Properties.SetItem(name, value),
        };

    private static void CheckIsCustom(string name)
    {
        if (IsReserved(name))
            throw GlanceRefusalException.Forbidden($"Attribute '{name}' is reserved.");
        if (ReadOnly.Contains(name))
            throw GlanceRefusalException.Forbidden($"Attribute '{name}' is read-only.");
        if (IsLocations(name))
            throw GlanceRefusalException.Forbidden("It's not allowed to change locations if locations are invisible.");
    }

    private static bool IsReserved(string name) => Reserved.Contains(name) || name.StartsWith(OwnPrefix, StringComparison.Ordinal);

    private static bool IsLocations(string name) => name == "locations";

    /// <summary>Glance says with the format alone what the library also calls the kind of the image.</summary>
    private static Image WithDiskFormat(Image image, DiskFormat? format) => image with
    {
        DiskFormat = format,
        Kind = format is DiskFormat.Iso ? ImageKind.Iso : image.Kind is ImageKind.Iso ? ImageKind.System : image.Kind,
    };

    private static Image WithTags(Image image, ImmutableSortedSet<string> tags) =>
        tags.SetEquals(image.Tags) ? image : image with { Tags = tags };

    private static ProjectId Owner(JsonElement value)
    {
        var owner = GlanceBody.Text(value, "owner");
        return IdentityIds.IsPlausible(owner) ? new ProjectId(owner) : throw new InvalidFieldException("owner", "is no project id");
    }

    /// <summary>The words as they are spelt; Glance's clients never write them in capitals.</summary>
    private static T? Word<T>(JsonElement value, string field) where T : struct, Enum
    {
        if (GlanceBody.TextOrNull(value, field) is not { } text)
            return null;

        return EnumWords.TryParse<T>(text, out var parsed) && parsed.Word() == text
            ? parsed
            : throw new InvalidFieldException(field, $"must be one of {string.Join(", ", Enum.GetValues<T>().Select(v => v.Word()))}");
    }

    private static InvalidFieldException Missing(string field) => new(field, "needs a value");
}
