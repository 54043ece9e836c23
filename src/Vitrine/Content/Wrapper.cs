namespace Vitrine.Content;

/// <summary>The kinds of compressed files in which publishers offer one image.</summary>
public enum Wrapper
{
    Gzip,
    Bzip2,
    Xz,
    Zstd,

    /// <summary>An archive, which may be one only where it has exactly one member.</summary>
    Zip,
}
