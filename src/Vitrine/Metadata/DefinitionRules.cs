using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.Metadata;

/// <summary>What definitions may be called, and how much a namespace may hold.</summary>
public static class DefinitionRules
{
    public const int MaxNameLength = 80;
    public const int MaxNamespaceDescriptionLength = 500;
    public const int MaxResourceTypes = 100;
    public const int MaxProperties = 1000;
    public const int MaxObjects = 500;
    public const int MaxTags = 1000;

    /// <summary>How many characters all that is in a namespace may have together: it is stored and shown as a whole.</summary>
    public const int MaxText = 1 << 20;

    /// <exception cref="InvalidFieldException">The first rule that is broken.</exception>
    /// <exception cref="LimitExceededException">There is too much of something.</exception>
    /// <exception cref="DefinitionExistsException">Two of one kind have the same name.</exception>
    public static DefinitionNamespace Check(DefinitionNamespace space)
    {
        CheckName("namespace", space.Name);
        CheckOptional("display_name", space.DisplayName, MaxNameLength);
        CheckOptional("description", space.Description, MaxNamespaceDescriptionLength);
        if (space.Owner is { } owner && !IdentityIds.IsPlausible(owner.Value))
            throw new InvalidFieldException("owner", "is no project id");

        CheckCount("resource types", space.ResourceTypes.Count, MaxResourceTypes);
        CheckCount("properties", space.Properties.Count, MaxProperties);
        CheckCount("objects", space.Objects.Count, MaxObjects);
        CheckCount("tags", space.Tags.Count, MaxTags);
        space.ResourceTypes.RequireDistinct();
        space.Properties.RequireDistinct();
        space.Objects.RequireDistinct();
        space.Tags.RequireDistinct();
        CheckResourceTypes(space.ResourceTypes);
        foreach (var tag in space.Tags)
            CheckName("tags.name", tag.Name);

        var text = space.Properties.Sum(Check) + space.Objects.Sum(Check) + space.Tags.Sum(t => t.Name.Length);
        CheckCount("characters of a namespace", text, MaxText);
        return space;
    }

    private static void CheckResourceTypes(IEnumerable<ResourceTypeLink> links)
    {
        foreach (var link in links)
        {
            CheckName("resource_types.name", link.Name);
            CheckOptional("resource_types.prefix", link.Prefix, MaxNameLength);
            CheckOptional("resource_types.properties_target", link.Target, MaxNameLength);
        }
    }

    /// <returns>How many characters it has.</returns>
    private static long Check(DefinedObject defined)
    {
        CheckName("objects.name", defined.Name);
        CheckCount("properties of an object", defined.Properties.Count, MaxProperties);
        CheckCount("required properties", defined.Required.Count, MaxProperties);
        CheckOptional("objects.description", defined.Description, MaxText);
        return defined.Name.Length + (defined.Description?.Length ?? 0) + LengthOf("objects.required", defined.Required) + defined.Properties.Sum(Check);
    }

    /// <returns>How many characters it has.</returns>
    private static long Check(DefinedProperty property)
    {
        CheckName("properties.name", property.Name);
        var texts = new[] { property.Title, property.Description, property.Default, property.Pattern };
        return property.Name.Length
            + LengthOf("properties", texts.OfType<string>())
            + LengthOf("properties.operators", property.Operators ?? [])
            + LengthOf("properties.enum", property.Values ?? [])
            + LengthOf("properties.items.enum", property.Items?.Values ?? []);
    }

    private static long LengthOf(string field, IEnumerable<string> texts)
    {
        // A text of no length takes room all the same.
        return texts.Sum(text => ImageRules.CheckText(field, text, MaxText).Length + 1L);
    }

    /// <summary>Names stand in paths, where they must arrive as they left.</summary>
    private static void CheckName(string field, string name)
    {
        if (ImageRules.CheckText(field, name, MaxNameLength).Length == 0)
            throw new InvalidFieldException(field, $"needs 1 to {MaxNameLength} characters");
        if (name is "." or ".." || name.Contains('/', StringComparison.Ordinal))
            throw new InvalidFieldException(field, "may not hold a slash, nor be a dot or two");
    }

    private static void CheckOptional(string field, string? text, int maxLength)
    {
        if (text is not null)
            ImageRules.CheckText(field, text, maxLength);
    }

    private static void CheckCount(string what, long count, int limit)
    {
        if (count > limit)
            throw new LimitExceededException(what, limit);
    }
}
