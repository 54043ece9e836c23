namespace Vitrine.Formats.Iso9660;

/// <summary>A name in the tree that a medium is to hold.</summary>
internal abstract class IsoNode(string name)
{
    public string Name { get; } = name;
}

/// <summary>One name of some content, which may have others.</summary>
internal sealed class IsoFile(string name, IsoContent content) : IsoNode(name)
{
    public IsoContent Content { get; } = content;
}

/// <summary>A path that stands for another; nobody looks whether anything is there.</summary>
internal sealed class IsoSymbolicLink(string name, string target) : IsoNode(name)
{
    public string Target { get; } = target;
}

internal sealed class IsoDirectory(string name) : IsoNode(name)
{
    // In one order, so that the order of adding does not show in the medium.
    private readonly SortedDictionary<string, IsoNode> _children = new(StringComparer.Ordinal);

    public IReadOnlyCollection<IsoNode> Children => _children.Values;

    public IsoNode? Find(string name) => _children.GetValueOrDefault(name);

    public void Add(IsoNode child) => _children.Add(child.Name, child);

    /// <summary>All files below, with one entry for each name.</summary>
    public IEnumerable<IsoFile> Files => _children.Values.SelectMany(c => c switch
    {
        IsoDirectory directory => directory.Files,
        IsoFile file => [file],
        _ => Enumerable.Empty<IsoFile>(),
    });
}

/// <summary>What a file holds: bytes in memory, or what a stream will give.</summary>
/// <param name="Open">Null where the bytes are in memory.</param>
internal sealed record IsoContent(long Length, ReadOnlyMemory<byte> Bytes, Func<CancellationToken, Task<Stream>>? Open)
{
    /// <summary>What a record has that is of no file.</summary>
    public static readonly IsoContent None = new(0, default, Open: null);

    // Two files are one only where the caller says so, however equal they are.
    public bool Equals(IsoContent? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
