namespace Vitrine.Formats.Iso9660;

/// <summary>Makes small media, such as config drives, in memory and without any other program: ISO 9660 with Rock Ridge and Joliet.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Equal files, label and time give equal bytes, in whatever order things are added.</item>
/// <item>Rock Ridge keeps names exactly, up to 255 bytes of UTF-8. Everybody may read everything; all belongs to root.</item>
/// <item>
/// Joliet has room for 64 characters of UCS-2: longer names are cut before their extension and numbered where they would be
/// equal then; characters that Joliet does not have (<c>* / : ; ? \</c>, and those beyond 16 bits) become underscores.
/// </item>
/// <item>Symbolic links are Rock Ridge's; Joliet leaves them out. Files of 4 GiB and more have several extents (interchange level 3).</item>
/// <item>Plain ISO 9660 names are of interchange level 2, but directories may be deeper than its eight levels, as all readers of today allow.</item>
/// </list>
/// </remarks>
public sealed class IsoBuilder
{
    private const int MostLabel = 32;
    private const int MostPublisher = 128;
    private const int MostName = 255;
    private const int MostDepth = 32;

    // So that the fields of any target fit into one sector behind a name.
    private const int MostTarget = 1023;

    // Half of what the numbers of sectors reach to.
    private const long MostFile = 4L << 40;

    private readonly IsoDirectory _root = new("");
    private readonly IsoFacts _facts;
    private readonly SortedDictionary<BootPlatform, IsoContent> _boot = [];
    private IsoContent? _informed;

    /// <param name="label">1 to 32 printable ASCII characters, in any case. Joliet's has room for the first 16.</param>
    /// <param name="time">Of the medium and of all that is on it, to the second; from the year 1900 to 2155.</param>
    /// <param name="publisher">Up to 128 printable ASCII characters, for those who ask who made the medium.</param>
    /// <exception cref="ArgumentException">A medium cannot say that.</exception>
    public IsoBuilder(string label, DateTimeOffset time, string publisher = "")
    {
        if (label.Length is 0 or > MostLabel || !IsPrintable(label))
            throw new ArgumentException($"A label is 1 to {MostLabel} printable ASCII characters.", nameof(label));
        if (publisher.Length > MostPublisher || !IsPrintable(publisher))
            throw new ArgumentException($"A publisher is up to {MostPublisher} printable ASCII characters.", nameof(publisher));
        if (!IsoTime.CanWrite(time))
            throw new ArgumentOutOfRangeException(nameof(time), time, "A medium cannot say that time.");

        _facts = new IsoFacts(label, publisher, time);
    }

    /// <summary>Adds a directory, and those above it; what is there already stays.</summary>
    /// <param name="path">Names from the root, divided by slashes.</param>
    /// <exception cref="ArgumentException">The path is none, or a file's.</exception>
    public IsoBuilder AddDirectory(string path)
    {
        Enter(path.Split('/'), path);
        return this;
    }

    /// <summary>Adds a file, and the directories above it.</summary>
    /// <param name="path">Names from the root, divided by slashes.</param>
    /// <param name="content">Must not change until the image has been written.</param>
    /// <exception cref="ArgumentException">The path is none, or taken.</exception>
    public IsoBuilder AddFile(string path, ReadOnlyMemory<byte> content) => Add(path, new IsoContent(content.Length, content, Open: null));

    /// <summary>Adds a file that is read when the image is written.</summary>
    /// <param name="length">In bytes, up to 4 TiB. No more than that is read.</param>
    /// <param name="open">Called each time that the image is written; the stream is closed after it was read.</param>
    /// <inheritdoc cref="AddFile(string, ReadOnlyMemory{byte})"/>
    public IsoBuilder AddFile(string path, long length, Func<CancellationToken, Task<Stream>> open)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MostFile);
        return Add(path, new IsoContent(length, default, open));
    }

    /// <summary>Gives a file a second name; its content is on the medium once.</summary>
    /// <param name="existing">The path of a file that has been added.</param>
    /// <exception cref="ArgumentException">There is no such file, or the path is none or taken.</exception>
    public IsoBuilder AddLink(string path, string existing) => Add(path, Get(existing));

    /// <summary>Adds a symbolic link, and the directories above it.</summary>
    /// <param name="target">What stands in it, as it is: up to 1023 bytes, a path in the form of Unix. It need not lead anywhere.</param>
    /// <exception cref="ArgumentException">The path is none, or taken, or the target none.</exception>
    public IsoBuilder AddSymbolicLink(string path, string target)
    {
        if (target.Length == 0 || target.Contains('\0', StringComparison.Ordinal) || IsoText.GetUtf8(target).Length > MostTarget)
            throw new ArgumentException($"A target is a path of 1 to {MostTarget} bytes.", nameof(target));

        return Add(path, name => new IsoSymbolicLink(name, target));
    }

    /// <summary>Lets a BIOS start what is in a file: it loads the first 2 KiB of it and jumps there.</summary>
    /// <param name="hasInfoTable">
    /// Whether the file is told where it lies, in its bytes 8 to 63, as isolinux needs it. It has to be in memory, and of 64 bytes or more.
    /// </param>
    /// <inheritdoc cref="AddLink"/>
    public IsoBuilder BootByBios(string existing, bool hasInfoTable = false)
    {
        var content = Get(existing);
        if (hasInfoTable && (content.Open is not null || content.Length < BootInfoTable.End))
            throw new ArgumentException($"'{existing}' is not in memory, or has no room for the table.", nameof(existing));

        _informed = hasInfoTable ? content : null;
        return Boot(BootPlatform.Bios, existing);
    }

    /// <summary>Lets UEFI start what is in a file, which is the image of a FAT file system.</summary>
    /// <inheritdoc cref="AddLink"/>
    public IsoBuilder BootByUefi(string existing) => Boot(BootPlatform.Uefi, existing);

    /// <summary>Lays out what has been added up to now.</summary>
    public IsoImage Build() => IsoImage.Lay(_root, _facts, _boot, _informed);

    private IsoBuilder Boot(BootPlatform platform, string existing)
    {
        _boot[platform] = Get(existing);
        return this;
    }

    private IsoBuilder Add(string path, IsoContent content) => Add(path, name => new IsoFile(name, content));

    private IsoBuilder Add(string path, Func<string, IsoNode> make)
    {
        var names = path.Split('/');
        var directory = Enter(names.AsSpan(0, names.Length - 1), path);
        var name = Check(names[^1], path);
        if (directory.Find(name) is not null)
            throw new ArgumentException($"There is a '{path}' already.", nameof(path));

        directory.Add(make(name));
        return this;
    }

    private IsoDirectory Enter(ReadOnlySpan<string> names, string path)
    {
        if (names.Length > MostDepth)
            throw new ArgumentException($"'{path}' is deeper than {MostDepth} directories.", nameof(path));

        var directory = _root;
        foreach (var name in names)
        {
            if (directory.Find(Check(name, path)) is not { } found)
                directory.Add(found = new IsoDirectory(name));

            directory = found as IsoDirectory ?? throw new ArgumentException($"'{path}' leads through a file.", nameof(path));
        }

        return directory;
    }

    private IsoContent Get(string path)
    {
        IsoNode? node = _root;
        foreach (var name in path.Split('/'))
            node = (node as IsoDirectory)?.Find(name);

        return (node as IsoFile)?.Content ?? throw new ArgumentException($"There is no file '{path}'.", nameof(path));
    }

    private static string Check(string name, string path)
    {
        if (name is "" or "." or ".." || name.Contains('\0', StringComparison.Ordinal) || IsoText.GetUtf8(name).Length > MostName)
            throw new ArgumentException($"'{path}' is not a path of names of 1 to {MostName} bytes.", nameof(path));

        return name;
    }

    private static bool IsPrintable(string text) => text.All(c => c is >= ' ' and <= '~');
}
