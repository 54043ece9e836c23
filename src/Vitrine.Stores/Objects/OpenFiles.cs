using Microsoft.Win32.SafeHandles;
using Vitrine.Stores.FileSystem;

namespace Vitrine.Stores.Objects;

/// <summary>Files that were read not long ago, so that a read at random costs no opening and closing.</summary>
/// <remarks>
/// Other nodes replace and remove files too, so what is open is held against what has the name now. An open file keeps its number from
/// being given to another.
/// </remarks>
internal sealed class OpenFiles : IDisposable
{
    private const int Most = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<OpenFile>> _byPath = new(StringComparer.Ordinal);
    private readonly LinkedList<OpenFile> _recent = new();

    /// <returns>To be disposed when it has been read.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public Lease Open(string path)
    {
        var present = NativeFile.Find(path)?.Identity;
        lock (_lock)
        {
            if (_byPath.TryGetValue(path, out var known) && known.Value.Identity == present)
            {
                _recent.Remove(known);
                _recent.AddFirst(known);
                return known.Value.Take();
            }
        }

        var opened = new OpenFile(path, File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        lock (_lock)
        {
            // Two that open one file at once use a handle each; the second is kept.
            Forget(path);
            _byPath[path] = _recent.AddFirst(opened);
            if (_recent.Count > Most)
                Forget(_recent.Last!.Value.Path);

            return opened.Take();
        }
    }

    /// <summary>Forgets a file that is about to be removed or replaced. Who reads it reads on.</summary>
    public void Close(string path)
    {
        lock (_lock)
            Forget(path);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            while (_recent.Last is { } last)
                Forget(last.Value.Path);
        }
    }

    private void Forget(string path)
    {
        if (!_byPath.Remove(path, out var node))
            return;

        _recent.Remove(node);
        node.Value.Release();
    }

    internal readonly struct Lease(OpenFile file) : IDisposable
    {
        public SafeFileHandle Handle => file.Handle;

        public void Dispose() => file.Release();
    }

    /// <summary>Closed when the list and all readers have let go of it.</summary>
    internal sealed class OpenFile(string path, SafeFileHandle handle)
    {
        private int _holders = 1;

        public FileIdentity Identity { get; } = NativeFile.Examine(handle).Identity;

        public string Path => path;

        public SafeFileHandle Handle => handle;

        public Lease Take()
        {
            Interlocked.Increment(ref _holders);
            return new Lease(this);
        }

        public void Release()
        {
            if (Interlocked.Decrement(ref _holders) == 0)
                handle.Dispose();
        }
    }
}
