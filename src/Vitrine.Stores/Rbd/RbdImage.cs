using System.Runtime.InteropServices;
using System.Text;
using static Vitrine.Stores.Rbd.CephNative;

namespace Vitrine.Stores.Rbd;

/// <summary>An image that is open. Reads and writes run beside each other; every other call waits for the cluster.</summary>
internal sealed class RbdImage(ImageHandle handle) : IDisposable
{
    private const int LongestValue = 1024;

    /// <summary>Its size in bytes, or that of the snapshot it was opened at.</summary>
    public long Size
    {
        get
        {
            CephException.Check(rbd_get_size(handle, out var size), "measure an image");
            return (long)size;
        }
    }

    public void Resize(long size) => CephException.Check(rbd_resize(handle, (ulong)size), "resize an image");

    public void Flush() => CephException.Check(rbd_flush(handle), "flush an image");

    public string? Find(string key)
    {
        Span<byte> value = stackalloc byte[LongestValue];
        var length = (nuint)value.Length;
        var result = rbd_metadata_get(handle, key, value, ref length);
        if (result == -CephError.NoEntry)
            return null;

        CephException.Check(result, "read an image's metadata");
        var end = value.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? value : value[..end]);
    }

    public void Set(string key, string value) => CephException.Check(rbd_metadata_set(handle, key, value), "set an image's metadata");

    public void Unset(string key) => Forgiving(rbd_metadata_remove(handle, key), CephError.NoEntry, "remove an image's metadata");

    /// <summary>Takes the image for writing alone, until it is closed. A client that is dead loses it and is kept from writing from then on.</summary>
    /// <returns>False where another client has it and lives.</returns>
    public bool TryTake()
    {
        var result = rbd_lock_acquire(handle, LockExclusive);
        if (result is -CephError.ReadOnly or -CephError.Busy or -CephError.Again)
            return false;

        CephException.Check(result, "lock an image");
        return true;
    }

    /// <summary>The client that has the image for writing, as <c>10.0.0.7:0/4028942780</c>; null where none has.</summary>
    public unsafe string? FindOwner()
    {
        nuint count = 1;
        byte* owner = null;
        var result = rbd_lock_get_owners(handle, out _, &owner, ref count);
        if (result == -CephError.NoEntry)
            return null;

        CephException.Check(result, "ask who has locked an image");
        var name = count > 0 ? Marshal.PtrToStringUTF8((nint)owner) : null;
        rbd_lock_get_owners_cleanup(&owner, count);
        return name;
    }

    /// <summary>Takes the image away from a client, which cannot write to the cluster from then on.</summary>
    public void TakeFrom(string owner) => Forgiving(rbd_lock_break(handle, LockExclusive, owner), CephError.NoEntry, "break a lock");

    /// <summary>Whether somebody has the image open, other than by a look.</summary>
    public unsafe bool IsWatched()
    {
        nuint count = 1;
        var watcher = new ImageWatcher();
        var result = rbd_watchers_list(handle, &watcher, ref count);
        if (result == -CephError.Range)
            return true;

        CephException.Check(result, "ask who has an image open");
        rbd_watchers_list_cleanup(&watcher, count);
        return count > 0;
    }

    /// <summary>Makes a snapshot that can be cloned and not be removed. Does nothing where it is there.</summary>
    public void Protect(string snapshot)
    {
        Forgiving(rbd_snap_create(handle, snapshot), CephError.Exists, "make a snapshot");
        if (!IsProtected(snapshot))
            CephException.Check(rbd_snap_protect(handle, snapshot), "protect a snapshot");
    }

    /// <summary>Removes a snapshot, protected or not. Does nothing where it is not there.</summary>
    /// <returns>False where it has clones.</returns>
    public bool TryRemove(string snapshot)
    {
        if (IsProtected(snapshot))
        {
            var result = rbd_snap_unprotect(handle, snapshot);
            if (result == -CephError.Busy)
                return false;

            // By now another node may have done it.
            Forgiving(result, CephError.Invalid, "unprotect a snapshot");
        }

        Forgiving(rbd_snap_remove(handle, snapshot), CephError.NoEntry, "remove a snapshot");
        return true;
    }

    /// <returns>How many bytes were read; they may be fewer than there is room for, but not behind the end.</returns>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer)
    {
        // There is no way to take a read back, so nobody can be let go on before it is over: the library writes to his memory.
        using var pinned = buffer.Pin();
        var address = AddressOf(pinned);
        return (int)CephException.Check(
            await KeepingOpenAsync(completion => Read(offset, address, buffer.Length, completion)), "read from an image");
    }

    /// <returns>Zero, or a negated error.</returns>
    public async Task<long> WriteAsync(long offset, ReadOnlyMemory<byte> bytes)
    {
        using var pinned = bytes.Pin();
        var address = AddressOf(pinned);
        return await KeepingOpenAsync(completion => Write(offset, address, bytes.Length, completion));
    }

    public void Dispose() => handle.Dispose();

    private static unsafe nint AddressOf(System.Buffers.MemoryHandle pinned) => (nint)pinned.Pointer;

    private unsafe int Read(long offset, nint buffer, int length, nint completion) =>
        rbd_aio_read(handle, (ulong)offset, (nuint)length, (byte*)buffer, completion);

    private unsafe int Write(long offset, nint bytes, int length, nint completion) =>
        rbd_aio_write(handle, (ulong)offset, (nuint)length, (byte*)bytes, completion);

    // The image must not be closed before its last completion, and never on the library's own threads.
    private async Task<long> KeepingOpenAsync(Func<nint, int> begin)
    {
        var isKept = false;
        handle.DangerousAddRef(ref isKept);
        try
        {
            return await CallAsync(begin);
        }
        finally
        {
            handle.DangerousRelease();
        }
    }

    private bool IsProtected(string snapshot)
    {
        var result = rbd_snap_is_protected(handle, snapshot, out var isProtected);
        Forgiving(result, CephError.NoEntry, "look at a snapshot");
        return result == 0 && isProtected != 0;
    }

    private static void Forgiving(int result, int errno, string step)
    {
        if (result != -errno)
            CephException.Check(result, step);
    }
}
