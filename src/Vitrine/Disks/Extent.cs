namespace Vitrine.Disks;

/// <summary>A range of a disk that is all of one kind.</summary>
/// <param name="Start">In bytes from the disk's first one.</param>
/// <param name="Length">In bytes; never zero.</param>
public readonly record struct Extent(long Start, long Length, ExtentKind Kind)
{
    public long End => Start + Length;
}

public enum ExtentKind
{
    /// <summary>Bytes that are kept as such. They may still be zeros.</summary>
    Data,

    /// <summary>Zeros that the content speaks of without keeping them.</summary>
    Zero,

    /// <summary>The content says nothing of it. It reads as zeros.</summary>
    Absent,
}
