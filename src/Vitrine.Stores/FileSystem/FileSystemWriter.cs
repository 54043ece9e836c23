using Microsoft.Win32.SafeHandles;
using Vitrine.Content;

namespace Vitrine.Stores.FileSystem;

/// <summary>A file under staging/ and its checkpoint, which is locked for as long as this is open.</summary>
internal sealed class FileSystemWriter : ContentWriter
{
    private readonly FileSystemLayout _layout;
    private readonly FileSystemErrors _errors;
    private readonly StagingKey _key;
    private readonly BootId _boot;
    private readonly FileStream _file;
    private readonly StagingCheckpoint _checkpoint;
    private readonly Writeback _writeback;
    private long _length;
    private bool _isNameDurable;
    private bool _isPublishing;
    private bool _isCommitted;
    private volatile bool _isDoubtful;

    private FileSystemWriter(FileSystemLayout layout, FileSystemErrors errors, StagingKey key, BootId boot, FileStream file, StagingCheckpoint checkpoint)
    {
        _layout = layout;
        _errors = errors;
        _key = key;
        _boot = boot;
        _file = file;
        _checkpoint = checkpoint;
        _writeback = new Writeback(Handle, RandomAccess.GetLength(Handle));
    }

    public override long Length => _length;

    private SafeFileHandle Handle => _file.SafeFileHandle;

    /// <exception cref="WriterBusyException">Another writer of the key is open.</exception>
    public static FileSystemWriter Open(FileSystemLayout layout, FileSystemErrors errors, StagingKey key, BootId boot)
    {
        var checkpoint = StagingCheckpoint.Open(layout.CheckpointPathOf(key), key);
        try
        {
            return Open(layout, errors, key, boot, checkpoint);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        ThrowIfPublished();
        ThrowIfDoubtful();
        try
        {
            await RandomAccess.WriteAsync(Handle, bytes, _length, cancellationToken);
        }
        catch (Exception error) when (UnixError.IsBehind(error))
        {
            TryCutTo(_length);
            throw _errors.Explain(error, bytes.Length);
        }

        _length += bytes.Length;
        _writeback.GoOn(_length);
    }

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        var wanted = (int)Math.Clamp(_length - offset, 0, buffer.Length);
        try
        {
            return await RandomAccess.ReadAsync(Handle, buffer[..wanted], offset, cancellationToken);
        }
        catch (Exception error) when (UnixError.IsBehind(error))
        {
            throw _errors.Explain(error);
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => RunAsync(Flush, cancellationToken);

    public override Task ResetAsync(CancellationToken cancellationToken) => RunAsync(Reset, cancellationToken);

    public override Task CommitAsync(Digest digest, CancellationToken cancellationToken) => RunAsync(() => Commit(digest), cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        if (_file.CanWrite && (_isDoubtful || !WasTaken()) && !MayBePublished())
            TryCutTo(_checkpoint.DurableLength);
        _checkpoint.Dispose();
        await _file.DisposeAsync();
    }

    private static FileSystemWriter Open(
        FileSystemLayout layout, FileSystemErrors errors, StagingKey key, BootId boot, StagingCheckpoint checkpoint)
    {
        FileStream? file = null;
        try
        {
            file = StagingLock.OpenContent(layout.PathOf(key));
            var writer = new FileSystemWriter(layout, errors, key, boot, file, checkpoint);
            writer.TakeOver();
            return writer;
        }
        catch
        {
            RemoveIfEmpty(layout, key);
            file?.Dispose();
            throw;
        }
    }

    // A failed open leaves no empty files behind. What an earlier writer has written stays.
    private static void RemoveIfEmpty(FileSystemLayout layout, StagingKey key)
    {
        try
        {
            if (NativeFile.Find(layout.PathOf(key)) is null or { Length: 0 })
                StagingLock.Remove(layout, key);
        }
        catch (Exception error) when (UnixError.IsBehind(error))
        {
            // The failure that led here says more.
        }
    }

    private void TakeOver()
    {
        var found = RandomAccess.GetLength(Handle);

        // In the same run of this machine only a process can have died, and the kernel has kept what it wrote.
        // After a power cut, or from another machine, no more is certain than what was flushed.
        var kept = _checkpoint.Boot == _boot ? found : Math.Min(found, _checkpoint.DurableLength);
        var durable = Math.Min(kept, _checkpoint.DurableLength);
        if (kept < found)
            CutTo(kept);

        // From here on the bytes are ours: a third machine must not take them for those of the last writer's run.
        _checkpoint.Save(durable, _boot);
        _length = kept;
    }

    private void Flush()
    {
        // What is written beside this may come too late for the sync, so the checkpoint must not vouch for it.
        var length = _length;
        SyncData();
        if (!_isNameDurable)
            NativeFile.SyncDirectory(_layout.StagingRoot);

        _isNameDurable = true;
        _checkpoint.Save(length, _boot);
        _writeback.Synced(length);
    }

    private void SyncData()
    {
        ThrowIfDoubtful();
        try
        {
            NativeFile.SyncData(Handle);
        }
        catch (IOException)
        {
            // The kernel forgets what it could not write, and the next sync would succeed without it. A write may be under way
            // beside this, so what is doubtful is cut off when the writer ends, and none is added to it.
            _isDoubtful = true;
            throw;
        }
    }

    // A file server may say only when a file is closed that it has no room for what it was given, and .NET does not listen then.
    private bool WasTaken()
    {
        try
        {
            NativeFile.CheckClose(Handle);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private void Reset()
    {
        ThrowIfPublished();

        // In this order: the old checkpoint must not vouch for bytes that are written after the cut.
        _checkpoint.Save(0, _boot);
        CutTo(0);
        _isDoubtful = false;
    }

    private void Commit(Digest digest)
    {
        // The rename is what makes the content visible, so its bytes must reach the disk before it and its name
        // right after. A power cut in between costs a file under staging/, never a file under content/ that is
        // shorter than its digest says.
        SyncData();
        Publish(digest);
        _isCommitted = true;
        _writeback.Synced(_length);
        File.Delete(_layout.CheckpointPathOf(_key));
    }

    private void Publish(Digest digest)
    {
        var directory = _layout.DirectoryOf(digest);
        Directory.CreateDirectory(directory);

        var path = _layout.PathOf(digest);
        _isPublishing = true;
        if (NativeFile.Find(path)?.Length == _length)
            File.Delete(_layout.PathOf(_key));
        else
            NativeFile.Rename(_layout.PathOf(_key), path);

        // Also where the content was there already: whoever put it there may not have come to its sync.
        NativeFile.SyncDirectory(directory);
        NativeFile.SyncDirectory(_layout.ContentRoot);
    }

    private void CutTo(long length)
    {
        RandomAccess.SetLength(Handle, length);
        _length = length;
        _writeback.CutTo(length);
    }

    // On the way out of a failure that says more than a second one would.
    private void TryCutTo(long length)
    {
        try
        {
            CutTo(length);
        }
        catch (Exception error) when (UnixError.IsBehind(error))
        {
            _length = length;
        }
    }

    private async Task RunAsync(Action work, CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        try
        {
            await Task.Run(work, cancellationToken);
        }
        catch (Exception error) when (UnixError.IsBehind(error))
        {
            throw _errors.Explain(error);
        }
    }

    private void ThrowIfCommitted()
    {
        if (_isCommitted)
            throw new InvalidOperationException("The writer has committed; open another.");
    }

    private void ThrowIfDoubtful()
    {
        if (_isDoubtful)
            throw _errors.Unavailable("it could not make durable what was written before.");
    }

    private void ThrowIfPublished()
    {
        if (MayBePublished())
            throw _errors.Unavailable("it may have the content already, and could not make that durable.");
    }

    // From the rename on the file is seen under its digest, also where the commit has failed behind it, or the answer to the rename was lost.
    private bool MayBePublished()
    {
        try
        {
            return _isPublishing && NativeFile.Find(_layout.PathOf(_key))?.Identity != NativeFile.Examine(Handle).Identity;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
