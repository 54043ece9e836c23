using System.Runtime.CompilerServices;
using Vitrine.Content;
using Vitrine.Stores.Objects;

namespace Vitrine.Stores.FileSystem;

/// <summary>Keeps each content as one whole file in a directory, on a disk of this machine or a mount that machines share.</summary>
/// <remarks>
/// The configured kind is <c>directory</c>. Machines that share the mount exclude each other's writers as far as its file
/// system carries locks. Calls to the file system wait on the pool's threads, because Linux has no others.
/// </remarks>
public sealed class FileSystemStore : IContentStore
{
    private readonly FileSystemLayout _layout;
    private readonly FileSystemErrors _errors;
    private readonly BootId _boot;
    private readonly bool _isNew;

    private FileSystemStore(string name, FileSystemLayout layout, FileSystemErrors errors, BootId boot, bool isNew)
    {
        // Beside the contents, a store of whole files is what the objects of a directory are.
        var objects = new DirectoryObjects(name, layout.Root, Path.GetFileName(layout.LayoutPath), TimeProvider.System);
        Descriptions = new ObjectDescriptions(_ => Task.FromResult<IObjectStore>(objects));
        _layout = layout;
        _errors = errors;
        _boot = boot;
        _isNew = isNew;
    }

    /// <summary>Whether anybody has made a store of a directory.</summary>
    public static bool IsIn(string root) => File.Exists(new FileSystemLayout(Path.GetFullPath(root)).LayoutPath);

    /// <summary>Opens the store in a directory, or makes one of a directory that is empty.</summary>
    /// <param name="name">The store's configured name, for failures.</param>
    /// <param name="root">The directory. It must exist: a mount that is missing must not be taken for an empty store.</param>
    /// <exception cref="StoreUnavailableException">
    /// The directory is missing, cannot be used, or holds something else than a store that this version knows.
    /// </exception>
    public static FileSystemStore Open(string name, string root) => Open(name, root, BootId.Present());

    internal static FileSystemStore Open(string name, string root, BootId boot)
    {
        var layout = new FileSystemLayout(Path.GetFullPath(root));
        var errors = new FileSystemErrors(name, layout.Root);
        try
        {
            return new FileSystemStore(name, layout, errors, boot, FileSystemFoundation.Ensure(layout, errors));
        }
        catch (Exception error) when (UnixError.IsBehind(error))
        {
            throw errors.Explain(error);
        }
    }

    public IImageDescriptions Descriptions { get; }

    public Task DissolveAsync(CancellationToken cancellationToken) => _isNew
        ? RunAsync(() => FileSystemFoundation.Dissolve(_layout), cancellationToken)
        : Task.CompletedTask;

    public Task<StoredContent?> FindAsync(Digest digest, CancellationToken cancellationToken) =>
        RunAsync(() => Find(digest), cancellationToken);

    public Task<ContentReader> OpenAsync(Digest digest, CancellationToken cancellationToken) =>
        RunAsync(() => Open(digest), cancellationToken);

    public Task<ContentWriter> OpenWriterAsync(StagingKey key, CancellationToken cancellationToken) =>
        RunAsync<ContentWriter>(() => AgainIfStale(() => FileSystemWriter.Open(_layout, _errors, key, _boot)), cancellationToken);

    public Task DiscardAsync(StagingKey key, CancellationToken cancellationToken) =>
        RunAsync(() => Discard(key), cancellationToken);

    public Task DeleteAsync(Digest digest, CancellationToken cancellationToken) =>
        RunAsync(() => Delete(digest), cancellationToken);

    public async IAsyncEnumerable<StoredContent> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var directory in await RunAsync(() => Directory.GetDirectories(_layout.ContentRoot), cancellationToken))
        {
            foreach (var content in await RunAsync(() => ListContent(directory), cancellationToken))
                yield return content;
        }
    }

    public async IAsyncEnumerable<StagedContent> ListStagedAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var staged in await RunAsync(ListStaged, cancellationToken))
            yield return staged;
    }

    public Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken) => RunAsync(Measure, cancellationToken);

    public async Task ProbeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(Probe, cancellationToken);
        }
        catch (StoreFullException full)
        {
            throw _errors.Unavailable("there is no room left in it.", full);
        }
    }

    private StoredContent? Find(Digest digest)
    {
        if (NativeFile.Find(_layout.PathOf(digest)) is { } found)
            return new StoredContent(digest, found.Length);

        ThrowIfNotMounted();
        return null;
    }

    private ContentReader Open(Digest digest)
    {
        try
        {
            return AgainIfStale(() => FileSystemReader.Open(_layout.PathOf(digest), _errors));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            ThrowIfNotMounted();
            throw new ContentMissingException($"The store's {digest}");
        }
    }

    private void Discard(StagingKey key)
    {
        if (FindStaged(key) is null)
        {
            ThrowIfNotMounted();
            return;
        }

        // Only whoever holds the lock may take the names away, and never from under a writer.
        using var locked = StagingLock.Take(_layout.CheckpointPathOf(key), key);
        StagingLock.Remove(_layout, key);
    }

    private void Delete(Digest digest)
    {
        var directory = _layout.DirectoryOf(digest);
        if (!Directory.Exists(directory))
        {
            ThrowIfNotMounted();
            return;
        }

        File.Delete(_layout.PathOf(digest));
        NativeFile.SyncDirectory(directory);
    }

    private static List<StoredContent> ListContent(string directory)
    {
        var contents = new List<StoredContent>();
        foreach (var path in Directory.EnumerateFiles(directory))
        {
            // What is deleted while we look is not there any more, and that is no failure.
            if (Digest.TryParse(Path.GetFileName(path), out var digest) && NativeFile.Find(path) is { } found)
                contents.Add(new StoredContent(digest, found.Length));
        }

        return contents;
    }

    private List<StagedContent> ListStaged() =>
    [
        // A checkpoint alone is listed too: it is what a power cut after a commit leaves, and somebody must discard it.
        .. from name in Directory.EnumerateFiles(_layout.StagingRoot).Select(Path.GetFileName)
           let key = FileSystemLayout.KeyOf(name)
           where key is not null
           group name by key.Value into files
           let staged = FindStaged(files.Key)
           where staged is not null
           select staged,
    ];

    private StagedContent? FindStaged(StagingKey key)
    {
        if (NativeFile.Find(_layout.PathOf(key)) is { } content)
            return new StagedContent(key, content.Length, content.LastWrite);

        return NativeFile.Find(_layout.CheckpointPathOf(key)) is { } checkpoint ? new StagedContent(key, 0, checkpoint.LastWrite) : null;
    }

    private StoreCapacity Measure()
    {
        ThrowIfNotMounted();
        var drive = new DriveInfo(_layout.Root);
        return new StoreCapacity(drive.TotalSize, drive.AvailableFreeSpace);
    }

    private void Probe()
    {
        ThrowIfNotMounted();
        ReadOnlySpan<byte> written = "vitrine"u8;
        Span<byte> read = stackalloc byte[written.Length];

        // Nodes that probe at once share the name and write the same bytes, so they do not disturb each other.
        using var file = File.OpenHandle(
            _layout.ProbePath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.DeleteOnClose);
        RandomAccess.Write(file, written, 0);
        NativeFile.SyncData(file);
        if (RandomAccess.Read(file, read, 0) != written.Length || !read.SequenceEqual(written))
            throw _errors.Unavailable("it does not give back what was written to it.");
    }

    // An unmounted directory looks like a store that has lost everything. The layout file tells them apart.
    private void ThrowIfNotMounted()
    {
        if (NativeFile.Find(_layout.LayoutPath) is null)
            throw _errors.NotMounted();
    }

    // A handle of an NFS file that was replaced on the server goes stale once; looking the name up again heals it.
    private static T AgainIfStale<T>(Func<T> open)
    {
        try
        {
            return open();
        }
        catch (IOException error) when (UnixError.Of(error) == UnixError.Stale)
        {
            return open();
        }
    }

    private Task RunAsync(Action work, CancellationToken cancellationToken) => RunAsync(
        () =>
        {
            work();
            return true;
        },
        cancellationToken);

    private async Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        try
        {
            return await Task.Run(work, cancellationToken);
        }
        catch (Exception error) when (UnixError.IsBehind(error))
        {
            throw _errors.Explain(error);
        }
    }
}
