namespace Vitrine.Access;

/// <summary>A person or a program that can log in.</summary>
public sealed record User
{
    public required UserId Id { get; init; }
    public required string Name { get; init; }

    /// <summary>The id of the identity domain; it never changes.</summary>
    public required string Domain { get; init; }

    public string Description { get; init; } = "";
    public string? Email { get; init; }

    /// <summary>The project of a login that asks for none; ignored where the user has no role in it.</summary>
    public ProjectId? DefaultProject { get; init; }

    /// <summary>Made by <see cref="IPasswordHasher"/>; null for a user that logs in by application credentials alone.</summary>
    public string? PasswordHash { get; init; }

    /// <summary>
    /// Tokens carry this as it stood when they were issued, and hold only as long as it stands. It grows with every change
    /// of the password and every disabling.
    /// </summary>
    public DateTimeOffset TokensValidFrom { get; init; } = DateTimeOffset.UnixEpoch;

    public bool Enabled { get; init; } = true;
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Counts the changes; the catalogue accepts the next version only.</summary>
    public long Version { get; init; }

    /// <summary>The user has another password, or none, and must log in again everywhere.</summary>
    public User WithPassword(string? hash, DateTimeOffset now) => this with { PasswordHash = hash, TokensValidFrom = NextValidFrom(now) };

    /// <summary>Logins of before a disabling stay void when the user is enabled again.</summary>
    public User SetEnabled(bool enabled, DateTimeOffset now) => enabled || !Enabled
        ? this with { Enabled = enabled }
        : this with { Enabled = false, TokensValidFrom = NextValidFrom(now) };

    /// <summary>Never prints the hash, as logs print records.</summary>
    public override string ToString() => $"user {Name} ({Id})";

    // Clocks of nodes differ, and two changes may fall in one microsecond; the next value must be another one all the same.
    private DateTimeOffset NextValidFrom(DateTimeOffset now) =>
        now > TokensValidFrom ? now : TokensValidFrom.AddMicroseconds(1);
}
