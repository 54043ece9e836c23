namespace Vitrine;

/// <summary>The root of every failure that this service can explain to its caller.</summary>
/// <remarks>Each face answers each of them in its own words; the message holds no secret and no path of ours.</remarks>
public abstract class LibraryException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>A word for the failure that never changes, for programs: <c>checksum-mismatch</c>.</summary>
    public abstract string Code { get; }

    /// <summary>What the caller can do about it, as a sentence.</summary>
    public abstract string Remedy { get; }
}

/// <summary>A value from outside that breaks a rule.</summary>
public sealed class InvalidFieldException(string field, string reason) : LibraryException($"{field}: {reason}")
{
    /// <summary>The field in the domain's words, as <c>name</c> or <c>minDisk</c>.</summary>
    public string Field { get; } = field;

    public string Reason { get; } = reason;

    public override string Code => "invalid-field";

    public override string Remedy => $"Correct {Field} and send the request again.";
}

/// <summary>More of something than is allowed, as a body over its limit or one property too many.</summary>
public sealed class LimitExceededException(string what, long limit) : LibraryException($"{what}: at most {limit} are allowed.")
{
    public string What { get; } = what;
    public long Limit { get; } = limit;

    public override string Code => "limit-exceeded";

    public override string Remedy => "Send less, or ask the operator to raise the limit.";
}

/// <summary>The record was changed by somebody else between reading and writing it.</summary>
public sealed class ConcurrentChangeException(string what) : LibraryException($"{what} was changed by another request at the same time.")
{
    public override string Code => "concurrent-change";

    public override string Remedy => "Read it again and repeat the change.";
}
