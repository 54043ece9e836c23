using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Vitrine.Access;

/// <summary>Which values identity accepts, and which roles follow from which.</summary>
public static class IdentityRules
{
    public const int MaxNameLength = 255;
    public const int MaxDescriptionLength = 4096;

    /// <summary>In bytes of UTF-8. Hashing costs time by length, so it is bounded before it starts.</summary>
    public const int MaxPasswordBytes = 4096;

    // The order matters: each implies the next.
    private static readonly string[] Ladder = [RoleNames.Admin, RoleNames.Member, RoleNames.Reader];

    public static IReadOnlyList<string> BuiltInRoles => Ladder;

    /// <exception cref="InvalidFieldException">Empty, too long, or with control characters.</exception>
    public static string CheckName(string name)
    {
        if (name.Length is 0 or > MaxNameLength || string.IsNullOrWhiteSpace(name))
            throw new InvalidFieldException("name", $"must have 1 to {MaxNameLength} characters");
        if (name.Any(char.IsControl))
            throw new InvalidFieldException("name", "must not contain control characters");

        return name;
    }

    /// <summary>Whether something can have this name at all, so that it is worth a question to the catalogue.</summary>
    public static bool IsPossibleName([NotNullWhen(true)] string? name) =>
        name is { Length: > 0 and <= MaxNameLength } && !name.Any(char.IsControl);

    /// <exception cref="InvalidFieldException">Too long, or with a character that no database keeps.</exception>
    public static string CheckText(string field, string text)
    {
        if (text.Length > MaxDescriptionLength)
            throw new InvalidFieldException(field, $"must have at most {MaxDescriptionLength} characters");
        if (text.Contains('\0'))
            throw new InvalidFieldException(field, "must not contain NUL");

        return text;
    }

    /// <exception cref="InvalidFieldException">Empty or too long.</exception>
    public static string CheckPassword(string field, string password) => IsPossiblePassword(password)
        ? password
        : throw new InvalidFieldException(field, $"must have 1 to {MaxPasswordBytes} bytes");

    public static bool IsPossiblePassword(string password) =>
        password.Length is > 0 and <= MaxPasswordBytes && Encoding.UTF8.GetByteCount(password) <= MaxPasswordBytes;

    /// <summary>The roles held and those that follow from them: admin implies member, and member implies reader.</summary>
    /// <param name="all">Every role there is, to take the implied ones from.</param>
    public static IReadOnlyList<Role> WithImplied(IReadOnlySet<RoleId> held, IReadOnlyList<Role> all)
    {
        var highest = Array.FindIndex(Ladder, name => all.Any(r => r.Name == name && held.Contains(r.Id)));
        var implied = highest < 0 ? [] : Ladder[highest..];
        return [.. all.Where(r => held.Contains(r.Id) || implied.Contains(r.Name))];
    }
}
