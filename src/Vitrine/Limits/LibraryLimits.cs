namespace Vitrine.Limits;

public enum LimitName
{
    /// <summary>Imports and copies that a node runs at once.</summary>
    TransfersPerNode,

    /// <summary>Imports that run at once from one host.</summary>
    TransfersPerSource,

    /// <summary>Imports and copies of one project that run at once.</summary>
    TransfersPerProject,

    /// <summary>Resumable uploads of one project that are not over.</summary>
    UploadsPerProject,

    /// <summary>Bytes a second that a node takes in.</summary>
    BytesPerSecond,
}

/// <summary>How much may happen at once, as it is decided at one moment.</summary>
public sealed class LibraryLimits
{
    private readonly IReadOnlyDictionary<LimitName, long?> _decided;
    private readonly LibraryOptions _options;

    /// <param name="decided">What operators decided while the library runs; other limits are as configured.</param>
    public LibraryLimits(IReadOnlyDictionary<LimitName, long?> decided, LibraryOptions options) => (_decided, _options) = (decided, options);

    /// <summary>Null for no limit.</summary>
    public long? this[LimitName name] => _decided.TryGetValue(name, out var value) ? value : Configured(name);

    public bool IsConfigured(LimitName name) => !_decided.ContainsKey(name);

    public long? Configured(LimitName name) => name switch
    {
        LimitName.TransfersPerNode => _options.ConcurrentTransfers,
        LimitName.TransfersPerSource => _options.ConcurrentTransfersPerSource,
        LimitName.TransfersPerProject => _options.ConcurrentTransfersPerProject,
        LimitName.UploadsPerProject => _options.OpenUploadsPerProject,
        LimitName.BytesPerSecond => _options.IncomingBytesPerSecond,
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };
}

/// <summary>The words and bounds of limits.</summary>
public static class LimitNames
{
    /// <summary>A node has no more places than this.</summary>
    public const int MostTransfersPerNode = 256;

    private const long MostOfAnything = 1_000_000;

    /// <summary>Slower than this no image would ever arrive.</summary>
    private const long LeastBytesPerSecond = 64 * 1024;

    private const long MostBytesPerSecond = 1L << 40;

    public static IReadOnlyList<LimitName> All { get; } = Enum.GetValues<LimitName>();

    /// <summary>As <c>transfers-per-node</c>.</summary>
    public static string Spelled(this LimitName name) => name switch
    {
        LimitName.TransfersPerNode => "transfers-per-node",
        LimitName.TransfersPerSource => "transfers-per-source",
        LimitName.TransfersPerProject => "transfers-per-project",
        LimitName.UploadsPerProject => "uploads-per-project",
        LimitName.BytesPerSecond => "bytes-per-second",
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    /// <exception cref="InvalidFieldException">No limit has this name.</exception>
    public static LimitName Parse(string word) => TryParse(word, out var name)
        ? name
        : throw new InvalidFieldException(word.Length <= 64 ? word : word[..64] + "…", $"is no limit; there are {string.Join(", ", All.Select(n => n.Spelled()))}");

    public static bool TryParse(string word, out LimitName name)
    {
        name = All.FirstOrDefault(n => n.Spelled() == word);
        return name.Spelled() == word;
    }

    public static string Meaning(this LimitName name) => name switch
    {
        LimitName.TransfersPerNode => "imports and copies that a node runs at once",
        LimitName.TransfersPerSource => "imports that run at once from one host",
        LimitName.TransfersPerProject => "imports and copies of a project that run at once",
        LimitName.UploadsPerProject => "resumable uploads of a project that are not over",
        LimitName.BytesPerSecond => "bytes a second that a node takes in",
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    /// <exception cref="InvalidFieldException">The value is none that the limit can have.</exception>
    public static void Check(this LimitName name, long? value)
    {
        var (least, most) = name switch
        {
            LimitName.TransfersPerNode => (1, MostTransfersPerNode),
            LimitName.BytesPerSecond => (LeastBytesPerSecond, MostBytesPerSecond),
            _ => (1, MostOfAnything),
        };
        if (value is null && name is LimitName.TransfersPerNode)
            throw new InvalidFieldException(name.Spelled(), $"is never without bound: at most {most}");
        if (value < least || value > most)
            throw new InvalidFieldException(name.Spelled(), $"must be from {least} to {most}");
    }
}
