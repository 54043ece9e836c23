namespace Vitrine.Access;

/// <summary>The kinds of things that identity knows.</summary>
public enum IdentityKind
{
    Domain,
    Project,
    User,
    Role,
    RoleAssignment,
    ApplicationCredential,
    Token,
}

public static class IdentityKinds
{
    /// <summary>The kind as people say it: <c>application credential</c>.</summary>
    public static string Phrase(this IdentityKind kind) => kind switch
    {
        IdentityKind.RoleAssignment => "role assignment",
        IdentityKind.ApplicationCredential => "application credential",
        _ => kind.Word(),
    };
}

public sealed class IdentityNotFoundException(IdentityKind kind, string id) : LibraryException($"There is no {kind.Phrase()} {id}.")
{
    public IdentityKind Kind { get; } = kind;

    /// <summary>What was asked for, which need not be an id at all.</summary>
    public string Id { get; } = id;

    public override string Code => "identity-not-found";

    public override string Remedy => $"List the {Kind.Phrase()}s to find its id.";
}

/// <summary>Another one has this name already.</summary>
public sealed class IdentityConflictException(IdentityKind kind, string name)
    : LibraryException($"A {kind.Phrase()} with the name {name} exists already.")
{
    public IdentityKind Kind { get; } = kind;
    public string Name { get; } = name;

    public override string Code => "identity-conflict";

    public override string Remedy => "Use another name, or the one that exists.";
}

/// <summary>The product relies on this one, so it is neither renamed, disabled nor deleted.</summary>
public sealed class BuiltInIdentityException(IdentityKind kind, string name)
    : LibraryException($"The {kind.Phrase()} {name} belongs to the system and stays as it is.")
{
    public IdentityKind Kind { get; } = kind;
    public string Name { get; } = name;

    public override string Code => "identity-built-in";

    public override string Remedy => "Make another one, and leave this one alone.";
}

/// <summary>A domain is deleted with all that is in it, so it must have been out of use before.</summary>
public sealed class DomainEnabledException(string id) : LibraryException($"Domain {id} is enabled and cannot be deleted.")
{
    public string Id { get; } = id;

    public override string Code => "domain-enabled";

    public override string Remedy => "Disable the domain first.";
}
