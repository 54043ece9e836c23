namespace Vitrine.Server;

/// <summary>Where a store lies, so that two stores are not put in one place: each would sweep away what the other has.</summary>
/// <param name="Server">Whose names are below.</param>
/// <param name="Path">What all names of the store begin with there.</param>
internal readonly record struct StorePlace(string Server, string Path)
{
    /// <exception cref="IOException">The directory cannot be looked at.</exception>
    public static StorePlace Of(StoreOptions options) => options.Kind switch
    {
        "s3" => new($"s3 {new Uri(options.S3!.Endpoint).Authority}/{options.S3.Bucket}", options.S3.Prefix),
        "rbd" => new($"rbd {options.Rbd!.ConfigFile} {options.Rbd.Monitors} {options.Rbd.Pool}/{options.Rbd.Namespace}", options.Rbd.Prefix),
        _ => new("", RealPath(options.Path) + '/'),
    };

    /// <summary>The same, where links in the path of a directory cannot be followed.</summary>
    public static StorePlace AsWritten(StoreOptions options) =>
        options.IsInDirectory ? new("", System.IO.Path.GetFullPath(options.Path) + '/') : Of(options);

    public bool Overlaps(StorePlace other) => Server == other.Server
        && (Path.StartsWith(other.Path, StringComparison.Ordinal) || other.Path.StartsWith(Path, StringComparison.Ordinal));

    /// <summary>The path without links, as far as it exists.</summary>
    /// <exception cref="IOException">Links lead in a circle.</exception>
    public static string RealPath(string path)
    {
        var real = "";
        foreach (var part in System.IO.Path.GetFullPath(path).Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            real += '/' + part;
            if (new DirectoryInfo(real).ResolveLinkTarget(returnFinalTarget: true) is { } target)
                real = RealPath(target.FullName);
        }

        return real;
    }
}
