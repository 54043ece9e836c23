using System.Diagnostics.CodeAnalysis;
using Vitrine.Content;

namespace Vitrine.Stores.Rbd;

/// <summary>What the images of a store are called and what they carry; nothing else builds a name inside a pool.</summary>
/// <remarks>
/// <code>
/// vitrine-ab34…ef              committed content, named by its digest; hosts clone its protected snapshot "snap"
/// vitrine-staging.0198c…       content being written, named by its staging key
/// vitrine-staging.deleted-…    what was deleted or discarded and is not removed yet, as long as a reader or a clone needs it
/// vitrine-locks                an object, not an image: see NameLocks
/// vitrine-probe.…              an object that is there only while the store is probed
/// </code>
/// An image is committed when the pool's directory of images has it under its digest, and not before: a name whose entry is missing there counts
/// for nothing, even where an image can be opened by it.
/// </remarks>
internal sealed class RbdLayout(string prefix)
{
    /// <summary>As Glance calls it, so that what clones Glance's images clones ours.</summary>
    public const string Snapshot = "snap";

    /// <summary>The digest of an image that is committed or about to be.</summary>
    public const string DigestKey = "vitrine.digest";

    /// <summary>How many bytes are durable, as a decimal number; of committed content, all.</summary>
    public const string LengthKey = "vitrine.length";

    /// <summary>When the length was last set, in milliseconds since 1970.</summary>
    public const string WrittenKey = "vitrine.written";

    /// <summary>Who has the image for writing: a <see cref="ImageOwner"/>.</summary>
    public const string OwnerKey = "vitrine.owner";

    private const string DeletedPrefix = "deleted-";

    private readonly string _stagingPrefix = prefix + "staging.";

    public string LocksName { get; } = prefix + "locks";

    public string NameOf(Digest digest) => prefix + digest.Hex;

    public string NameOf(StagingKey key) => IsKey(key.Value)
        ? _stagingPrefix + key.Value
        : throw new ArgumentException("A staging key has lower-case letters, digits and dashes only.", nameof(key));

    public string NewProbeName() => $"{prefix}probe.{Guid.NewGuid():N}";

    /// <summary>What deleted content is staged as until nobody needs it.</summary>
    public static StagingKey NewDeletedKey() => new($"{DeletedPrefix}{Guid.NewGuid():N}");

    public static bool IsDeleted(StagingKey key) => key.Value.StartsWith(DeletedPrefix, StringComparison.Ordinal);

    public bool TryParse(string name, [NotNullWhen(true)] out Digest? digest)
    {
        digest = null;
        return name.StartsWith(prefix, StringComparison.Ordinal) && Digest.TryParse(name[prefix.Length..], out digest) && name == NameOf(digest);
    }

    public bool TryParse(string name, [NotNullWhen(true)] out StagingKey? key)
    {
        var isStaged = name.StartsWith(_stagingPrefix, StringComparison.Ordinal) && IsKey(name[_stagingPrefix.Length..]);
        key = isStaged ? new StagingKey(name[_stagingPrefix.Length..]) : null;
        return isStaged;
    }

    private static bool IsKey(string? text) =>
        text is { Length: > 0 and <= 128 } && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
