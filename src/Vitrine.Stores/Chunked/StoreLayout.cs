using Vitrine.Content;

namespace Vitrine.Stores.Chunked;

/// <summary>What each object is called. The first digits of what is numerous are folders, for directories' sake.</summary>
internal static class StoreLayout
{
    public const string FoundationName = "store.json";
    public const string PackPrefix = "packs/";
    public const string MapPrefix = "maps/";
    public const string ContentPrefix = "contents/";
    public const string StagingPrefix = "staging/";
    public const string CondemnedPrefix = "condemned/";
    public const string DamagedPrefix = "damaged/";

    private const string LogSuffix = ".log";
    private const string PackSuffix = ".pack";

    public static string PackName(Guid id) => Fold(PackPrefix, id.ToString("N"));

    public static string MapName(Guid id) => Fold(MapPrefix, id.ToString("N"));

    /// <summary>Of the sign that a pack is about to be removed.</summary>
    public static string SignName(Guid pack) => Fold(CondemnedPrefix, pack.ToString("N"));

    /// <summary>Of the sign that a pack has bytes that are not what was written.</summary>
    public static string DamagedName(Guid pack) => Fold(DamagedPrefix, pack.ToString("N"));

    public static string ContentName(Digest digest) => Fold(ContentPrefix, digest.Hex);

    /// <summary>Of the log of what was written under a key.</summary>
    public static string LogName(StagingKey key) => $"{StagingPrefix}{key}{LogSuffix}";

    /// <summary>Of a pack that is not sealed yet.</summary>
    public static string OpenPackName(StagingKey key, Guid id) => $"{StagingPrefix}{key}.{id:N}{PackSuffix}";

    /// <summary>What all staged objects of a key begin with.</summary>
    public static string StagedPrefix(StagingKey key) => $"{StagingPrefix}{key}.";

    public static string LockName(StagingKey key) => $"{StagingPrefix}{key}";

    /// <summary>The key of a staged object.</summary>
    public static StagingKey? KeyOf(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return name.StartsWith(StagingPrefix, StringComparison.Ordinal) && dot > 0 ? new StagingKey(name[StagingPrefix.Length..dot]) : null;
    }

    /// <summary>The key of a log; null where the name is not a log's.</summary>
    public static StagingKey? KeyOfLog(string name) => name.EndsWith(LogSuffix, StringComparison.Ordinal) ? KeyOf(name) : null;

    /// <summary>The id of a pack that is not sealed yet; null where the name is not one's.</summary>
    public static Guid? PackOfOpen(string name) =>
        name.EndsWith(PackSuffix, StringComparison.Ordinal) && name.Split('.') is [_, var id, _] && Guid.TryParseExact(id, "N", out var pack) ? pack : null;

    /// <summary>The id of a sealed pack, of the pack of a sign, or of a map.</summary>
    public static Guid? IdOf(string name) => Guid.TryParseExact(LastWord(name), "N", out var id) ? id : null;

    /// <summary>The digest of a content.</summary>
    public static Digest? DigestOf(string name) => Digest.TryParse(LastWord(name), out var digest) ? digest : null;

    public static string LastWord(string name) => name[(name.LastIndexOf('/') + 1)..];

    private static string Fold(string prefix, string hex) => $"{prefix}{hex[^2..]}/{hex}";
}
