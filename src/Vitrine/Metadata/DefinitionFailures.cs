namespace Vitrine.Metadata;

/// <summary>Also thrown for what is in a namespace that the caller may not know of.</summary>
public sealed class DefinitionNotFoundException(DefinitionKind kind, string name) : LibraryException($"There is no metadata {kind.Title()} '{name}'.")
{
    public DefinitionKind Kind { get; } = kind;
    public string Name { get; } = name;

    public override string Code => "definition-not-found";

    public override string Remedy => "List the metadata definitions to find its name.";
}

public sealed class DefinitionExistsException(DefinitionKind kind, string name) : LibraryException($"There is a metadata {kind.Title()} '{name}' already.")
{
    public DefinitionKind Kind { get; } = kind;
    public string Name { get; } = name;

    public override string Code => "definition-exists";

    public override string Remedy => "Choose another name, or change the one that is there.";
}

/// <summary>The namespace is protected, and with it all that is in it.</summary>
public sealed class DefinitionProtectedException(DefinitionKind kind, string name)
    : LibraryException($"The metadata {kind.Title()} '{name}' is protected and cannot be deleted.")
{
    public DefinitionKind Kind { get; } = kind;
    public string Name { get; } = name;

    public override string Code => "definition-protected";

    public override string Remedy => "Remove the protection of the namespace first.";
}

internal static class DefinitionTitles
{
    public static string Title(this DefinitionKind kind) => kind is DefinitionKind.ResourceType ? "resource type" : kind.Word();
}
