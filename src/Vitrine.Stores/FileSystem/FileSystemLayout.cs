using Vitrine.Content;

namespace Vitrine.Stores.FileSystem;

/// <summary>Where a file-system store keeps things; nothing else builds a path inside a store.</summary>
/// <remarks>
/// <code>
/// root/
/// ├── layout                  the number of this layout: 1
/// ├── content/
/// │   └── ab/
/// │       └── ab34…ef         committed content, named by its digest
/// └── staging/
///     ├── 0198c…              content being written, named by its staging key
///     ├── 0198c….checkpoint   how much of it is durable (StagingCheckpoint)
///     └── .probe              there only while the store is probed
/// </code>
/// </remarks>
internal sealed class FileSystemLayout(string root)
{
    public const string Number = "1";

    private const string CheckpointSuffix = ".checkpoint";
    private const string LayoutName = "layout";

    public string Root => root;

    public string LayoutPath => Path.Combine(root, LayoutName);

    public string ContentRoot => Path.Combine(root, "content");

    public string StagingRoot => Path.Combine(root, "staging");

    public string ProbePath => Path.Combine(StagingRoot, ".probe");

    public string DirectoryOf(Digest digest) => Path.Combine(ContentRoot, digest.Hex[..2]);

    public string PathOf(Digest digest) => Path.Combine(DirectoryOf(digest), digest.Hex);

    public string PathOf(StagingKey key) => Path.Combine(StagingRoot, Name(key));

    public string CheckpointPathOf(StagingKey key) => PathOf(key) + CheckpointSuffix;

    /// <summary>Where the layout file is written before it gets its name.</summary>
    public string NewLayoutPath() => Path.Combine(root, $"{LayoutName}.{Guid.NewGuid():N}");

    /// <summary>
    /// Whether an entry of the root may be there before the store is: what a new file system has of its own, and what
    /// a first start that was cut off has left.
    /// </summary>
    public static bool MayPrecedeStore(string name) => name is "lost+found" || name.StartsWith(LayoutName + ".", StringComparison.Ordinal);

    /// <summary>The key that a name under staging/ belongs to, as content or as checkpoint.</summary>
    public static StagingKey? KeyOf(string name)
    {
        var key = name.EndsWith(CheckpointSuffix, StringComparison.Ordinal) ? name[..^CheckpointSuffix.Length] : name;
        return IsKey(key) ? new StagingKey(key) : null;
    }

    // A key becomes a file's name, so that one that is not made of harmless letters must not get here.
    private static string Name(StagingKey key) =>
        IsKey(key.Value) ? key.Value : throw new ArgumentException("A staging key has lower-case letters, digits and dashes only.", nameof(key));

    private static bool IsKey(string? text) =>
        text is { Length: > 0 and <= 128 } && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
