using System.Diagnostics.CodeAnalysis;

namespace Vitrine.Access;

/// <summary>Names a project. 32 hexadecimal digits when made here; other services may use other text.</summary>
public readonly record struct ProjectId(string Value)
{
    public static ProjectId New() => new(IdentityIds.New());

    public override string ToString() => Value;
}

/// <summary>Names a user. 32 hexadecimal digits when made here; other services may use other text.</summary>
public readonly record struct UserId(string Value)
{
    public static UserId New() => new(IdentityIds.New());

    public override string ToString() => Value;
}

/// <summary>Identities are spelt as Keystone spells them: a UUID without dashes.</summary>
public static class IdentityIds
{
    /// <summary>The domain that is always there.</summary>
    public const string DefaultDomain = "default";

    /// <summary>The longest identifier that is looked up at all.</summary>
    public const int MaxLength = 64;

    public static string New() => Guid.NewGuid().ToString("N");

    public static bool IsPlausible([NotNullWhen(true)] string? id) => id is { Length: > 0 and <= MaxLength } && !id.Contains('\0');
}
