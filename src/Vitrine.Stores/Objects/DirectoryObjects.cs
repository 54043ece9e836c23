using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Vitrine.Stores.FileSystem;

namespace Vitrine.Stores.Objects;

/// <summary>Keeps each object as a file below a directory, on a disk of this machine or a mount that machines share.</summary>
/// <remarks>
/// A new file is written under <c>incoming/</c>, synced, and then renamed, so that no object is ever seen half. A file that proves
/// the mount stands at the root; without it the directory is some other disk's, or none's. Calls to the file system wait on the pool's
/// threads, because Linux has no others.
/// </remarks>
internal sealed class DirectoryObjects : IObjectStore
{
    private const string IncomingName = "incoming";
    private const string LocksName = "locks";
    private const string LostName = "lost+found";
    private static readonly TimeSpan IncomingLifetime = TimeSpan.FromDays(1);

    private readonly string _root;
    private readonly string _proof;
    private readonly FileSystemErrors _errors;
    private readonly TimeProvider _time;
    private readonly OpenFiles _files = new();

    /// <param name="store">The store's configured name, for failures.</param>
    /// <param name="proof">The object that is there as long as the directory is.</param>
    public DirectoryObjects(string store, string root, string proof, TimeProvider time)
    {
        _time = time;
        _root = Path.GetFullPath(root);
        _proof = PathOf(proof);
        _errors = new FileSystemErrors(store, _root);
    }

    /// <summary>Whether nothing is in the directory yet, so that a store may be made of it.</summary>
    /// <exception cref="StoreUnavailableException">The directory is missing or cannot be used.</exception>
    public Task<bool> IsEmptyAsync(CancellationToken cancellationToken) => RunAsync(
        () => !Directory.Exists(_root)
            ? throw _errors.NotMounted()
            : Directory.EnumerateFileSystemEntries(_root).All(e => IsNoObjects(Path.GetFileName(e))),
        cancellationToken);

    public Task<ObjectFacts?> FindAsync(string name, CancellationToken cancellationToken) => RunAsync(
        () =>
        {
            if (NativeFile.Find(PathOf(name)) is { } found)
                return new ObjectFacts(name, found.Length, found.LastWrite);

            ThrowIfNotMounted();
            return (ObjectFacts?)null;
        },
        cancellationToken);

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadFileAsync(PathOf(name), offset, buffer, cancellationToken);
        }
        catch (Exception error) when (UnixError.IsBehind(error) && UnixError.Of(error) != UnixError.NoEntry)
        {
            throw _errors.Explain(error);
        }
        catch (Exception error) when (UnixError.IsBehind(error))
        {
            // Whether it is the object or the whole store that is not there.
            return await RunAsync<int>(
                () =>
                {
                    ThrowIfNotProven(name);
                    throw new ObjectMissingException(name, error);
                },
                cancellationToken);
        }
    }

    public Task PutAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => RunAsync(
        () =>
        {
            ThrowIfNotProven(name);
            var folder = Directory.CreateDirectory(Path.Combine(_root, IncomingName));
            RemoveAbandoned(folder);
            var incoming = Path.Combine(folder.FullName, Guid.NewGuid().ToString("N"));
            try
            {
                using (var file = File.OpenHandle(incoming, FileMode.CreateNew, FileAccess.Write))
                {
                    RandomAccess.Write(file, bytes.Span, 0);
                    NativeFile.SyncData(file);
                }

                Publish(incoming, name);
            }
            catch
            {
                File.Delete(incoming);
                throw;
            }

            return true;
        },
        cancellationToken,
        bytes.Length);

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => RunAsync(
        () =>
        {
            var path = PathOf(name);
            if (NativeFile.Find(path) is null)
            {
                ThrowIfNotMounted();
                return true;
            }

            File.Delete(path);
            _files.Close(path);
            NativeFile.SyncDirectory(Path.GetDirectoryName(path)!);
            return true;
        },
        cancellationToken);

    public async IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var folder = prefix[..(prefix.LastIndexOf('/') + 1)];
        var directories = new Stack<string>([folder]);
        while (directories.TryPop(out var directory))
        {
            foreach (var (name, facts) in await RunAsync(() => ListDirectory(directory), cancellationToken))
            {
                if (facts is { } found && name.StartsWith(prefix, StringComparison.Ordinal))
                    yield return found;
                else if (facts is null && (name.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(name, StringComparison.Ordinal)))
                    directories.Push(name);
            }
        }
    }

    public Task<ObjectAppender> OpenAppenderAsync(string name, CancellationToken cancellationToken) => RunAsync<ObjectAppender>(
        () =>
        {
            ThrowIfNotMounted();
            var path = PathOf(name);
            CreateDirectory(Path.GetDirectoryName(path)!);
            return new Appender(this, path, File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete));
        },
        cancellationToken);

    public Task<IAsyncDisposable?> TryLockAsync(string name, CancellationToken cancellationToken) => RunAsync<IAsyncDisposable?>(
        () =>
        {
            ThrowIfNotMounted();
            var path = Path.Combine(_root, LocksName, name.Replace('/', '.'));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return FileLock.TryTake(path);
        },
        cancellationToken);

    public Task<StoreCapacity> MeasureAsync(CancellationToken cancellationToken) => RunAsync(
        () =>
        {
            ThrowIfNotMounted();
            var drive = new DriveInfo(_root);
            return new StoreCapacity(drive.TotalSize, drive.AvailableFreeSpace);
        },
        cancellationToken);

    public ValueTask DisposeAsync()
    {
        _files.Dispose();
        return ValueTask.CompletedTask;
    }

    // What others that died in the middle of a put left behind. The directory is empty but for what is being put.
    private void RemoveAbandoned(DirectoryInfo incoming)
    {
        foreach (var file in incoming.EnumerateFiles())
        {
            if (NativeFile.Find(file.FullName) is { } found && _time.GetUtcNow() - found.LastWrite > IncomingLifetime)
                file.Delete();
        }
    }

    private string PathOf(string name) => Path.Combine(_root, name);

    private static bool IsNoObjects(string entry) => entry is IncomingName or LocksName or LostName;

    private async ValueTask<int> ReadFileAsync(string path, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            using var file = _files.Open(path);
            return await ReadAsync(file.Handle, offset, buffer, cancellationToken);
        }
        catch (IOException error) when (UnixError.Of(error) == UnixError.Stale)
        {
            // On NFS the file that is open here may have been replaced elsewhere.
            _files.Close(path);
            using var file = _files.Open(path);
            return await ReadAsync(file.Handle, offset, buffer, cancellationToken);
        }
    }

    private static async ValueTask<int> ReadAsync(SafeFileHandle file, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = 0;
        while (count < buffer.Length && await RandomAccess.ReadAsync(file, buffer[count..], offset + count, cancellationToken) is > 0 and var read)
            count += read;

        return count;
    }

    // The caller has synced the file's bytes.
    private void Publish(string from, string name)
    {
        var path = PathOf(name);
        var directory = Path.GetDirectoryName(path)!;
        CreateDirectory(directory);
        NativeFile.Rename(from, path);
        _files.Close(path);
        NativeFile.SyncDirectory(directory);
    }

    // Each new name must survive a power cut, up to the root.
    private void CreateDirectory(string directory)
    {
        if (directory.Length <= _root.Length || Directory.Exists(directory))
            return;

        var parent = Path.GetDirectoryName(directory)!;
        CreateDirectory(parent);
        Directory.CreateDirectory(directory);
        NativeFile.SyncDirectory(parent);
    }

    // Names end in a slash where they are those of directories.
    private List<(string Name, ObjectFacts? Facts)> ListDirectory(string name)
    {
        var entries = new List<(string, ObjectFacts?)>();
        var directory = new DirectoryInfo(PathOf(name));
        if (!directory.Exists)
        {
            ThrowIfNotMounted();
            return entries;
        }

        foreach (var entry in directory.EnumerateFileSystemInfos())
        {
            if (name.Length == 0 && IsNoObjects(entry.Name))
                continue;

            if (entry is DirectoryInfo)
                entries.Add(($"{name}{entry.Name}/", null));
            else if (NativeFile.Find(entry.FullName) is { } found)
                entries.Add((name + entry.Name, new ObjectFacts(name + entry.Name, found.Length, found.LastWrite)));
        }

        return entries;
    }

    // The proof itself may be looked for, and made, where it is missing, but not where there is no directory.
    private void ThrowIfNotProven(string name)
    {
        if (PathOf(name) != _proof)
            ThrowIfNotMounted();
        else if (!Directory.Exists(_root))
            throw _errors.NotMounted();
    }

    private void ThrowIfNotMounted()
    {
        if (NativeFile.Find(_proof) is null)
            throw _errors.NotMounted();
    }

    private async Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken, long? needed = null)
    {
        try
        {
            return await Task.Run(work, cancellationToken);
        }
        catch (Exception error) when (UnixError.IsBehind(error))
        {
            throw _errors.Explain(error, needed);
        }
    }

    private sealed class Appender(DirectoryObjects objects, string path, SafeFileHandle file) : ObjectAppender
    {
        private readonly Writeback _writeback = new(file, RandomAccess.GetLength(file));
        private long _length = RandomAccess.GetLength(file);
        private long _synced = RandomAccess.GetLength(file);
        private bool _isNameDurable;
        private bool _mayBeTorn;

        public override long Length => _length;

        public override async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            try
            {
                RemoveTornEnd();
                _mayBeTorn = true;
                await RandomAccess.WriteAsync(file, bytes, _length, cancellationToken);
                _length += bytes.Length;
                _mayBeTorn = false;
            }
            catch (Exception error) when (UnixError.IsBehind(error))
            {
                TryRemoveTornEnd();
                throw objects._errors.Explain(error, bytes.Length);
            }

            _writeback.GoOn(_length);
        }

        public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            try
            {
                var wanted = (int)Math.Clamp(_length - offset, 0, buffer.Length);
                return await DirectoryObjects.ReadAsync(file, offset, buffer[..wanted], cancellationToken);
            }
            catch (Exception error) when (UnixError.IsBehind(error))
            {
                throw objects._errors.Explain(error);
            }
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => objects.RunAsync(
            () =>
            {
                var length = _length;
                NativeFile.SyncData(file);
                _synced = length;
                _writeback.Synced(length);
                if (!_isNameDurable)
                    NativeFile.SyncDirectory(Path.GetDirectoryName(path)!);

                return _isNameDurable = true;
            },
            cancellationToken);

        public override Task CutAsync(long length, CancellationToken cancellationToken) => objects.RunAsync(
            () =>
            {
                RemoveTornEnd();
                if (length >= _length)
                    return true;

                // What was given up must not come back after a power cut.
                RandomAccess.SetLength(file, length);
                _length = length;
                _writeback.CutTo(length);
                NativeFile.SyncData(file);
                _synced = length;
                return true;
            },
            cancellationToken);

        public override Task SealAsync(string name, CancellationToken cancellationToken) => objects.RunAsync(
            () =>
            {
                RemoveTornEnd();
                Sync();
                objects.Publish(path, name);
                _writeback.Synced(_length);
                return true;
            },
            cancellationToken);

        public override ValueTask DisposeAsync()
        {
            if (!file.IsClosed)
                TryRemoveTornEnd();

            file.Dispose();
            return ValueTask.CompletedTask;
        }

        // The kernel forgets what it could not write, and the next sync would succeed without it: it is given up here.
        private void Sync()
        {
            try
            {
                NativeFile.SyncData(file);
            }
            catch (IOException)
            {
                RandomAccess.SetLength(file, _synced);
                _length = _synced;
                throw;
            }
        }

        /// <summary>Cuts off what an append that failed, or was cancelled, wrote before it did: it does not count.</summary>
        private void RemoveTornEnd()
        {
            if (!_mayBeTorn)
                return;

            RandomAccess.SetLength(file, _length);
            _mayBeTorn = false;
        }

        private void TryRemoveTornEnd()
        {
            try
            {
                RemoveTornEnd();
            }
            catch (Exception error) when (UnixError.IsBehind(error))
            {
                // The next call tries again. If there is none, it is as after a crash in the middle of an append.
            }
        }
    }
}
