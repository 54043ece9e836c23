using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Stores.Rbd;

/// <summary>The calls to librados and librbd, as their headers rados/librados.h and rbd/librbd.h declare them. Results below zero are negated errno(3).</summary>
/// <remarks>Names are UTF-8. All of it may be called by many threads at once; calls that wait do so for the time-outs set before connecting.</remarks>
internal static unsafe partial class CephNative
{
    private const string Rados = "librados.so.2";
    private const string Rbd = "librbd.so.1";

    public const int LockExclusive = 0; // RBD_LOCK_MODE_EXCLUSIVE
    public const int OptionFormat = 0; // RBD_IMAGE_OPTION_FORMAT
    public const int OptionFeatures = 1; // RBD_IMAGE_OPTION_FEATURES
    public const int OptionOrder = 2; // RBD_IMAGE_OPTION_ORDER

    /// <summary>Whether both libraries can be loaded. Nothing is loaded before the first call.</summary>
    public static bool IsInstalled() => NativeLibrary.TryLoad(Rados, out _) && NativeLibrary.TryLoad(Rbd, out _);

    /// <summary>Begins one asynchronous call on an image.</summary>
    /// <param name="begin">Hands the completion to the library, and answers what the library does.</param>
    /// <returns>What the call came to; it never throws. Continuations run on the pool's threads, not on those of the library.</returns>
    public static Task<long> CallAsync(Func<nint, int> begin)
    {
        var done = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var state = GCHandle.Alloc(done);
        var result = rbd_aio_create_completion(GCHandle.ToIntPtr(state), &Complete, out var completion);
        if (result == 0)
        {
            result = begin(completion);
            if (result >= 0)
                return done.Task;

            rbd_aio_release(completion);
        }

        state.Free();
        return Task.FromResult((long)result);
    }

    // On a thread of the library: nothing may wait here, and no exception may get out.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Complete(nint completion, nint argument)
    {
        var state = GCHandle.FromIntPtr(argument);
        var done = (TaskCompletionSource<long>)state.Target!;
        var result = rbd_aio_get_return_value(completion);
        rbd_aio_release(completion);
        state.Free();
        done.TrySetResult(result);
    }

    [LibraryImport(Rados, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rados_create2(out ClusterHandle cluster, string name, string user, ulong flags);

    [LibraryImport(Rados, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rados_conf_read_file(ClusterHandle cluster, string path);

    [LibraryImport(Rados, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rados_conf_set(ClusterHandle cluster, string option, string value);

    [LibraryImport(Rados)]
    public static partial int rados_connect(ClusterHandle cluster);

    [LibraryImport(Rados)]
    public static partial void rados_shutdown(nint cluster);

    /// <returns>Zero, and a text for <see cref="rados_buffer_free"/>.</returns>
    [LibraryImport(Rados)]
    public static partial int rados_getaddrs(ClusterHandle cluster, out byte* addresses);

    [LibraryImport(Rados)]
    public static partial int rados_mon_command(
        ClusterHandle cluster, byte** commands, nuint count, byte* input, nuint inputLength, out byte* output, out nuint outputLength, byte** status, nuint* statusLength);

    [LibraryImport(Rados)]
    public static partial void rados_buffer_free(byte* buffer);

    [LibraryImport(Rados, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rados_ioctx_create(ClusterHandle cluster, string pool, out nint context);

    [LibraryImport(Rados, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void rados_ioctx_set_namespace(PoolHandle pool, string name);

    /// <summary>A pool that is full answers so; otherwise it is waited for until it has room.</summary>
    [LibraryImport(Rados)]
    public static partial void rados_set_pool_full_try(PoolHandle pool);

    [LibraryImport(Rados)]
    public static partial void rados_ioctx_destroy(nint context);

    [LibraryImport(Rados, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rados_write_full(PoolHandle pool, string name, ReadOnlySpan<byte> bytes, nuint length);

    [LibraryImport(Rados, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rados_read(PoolHandle pool, string name, Span<byte> buffer, nuint length, ulong offset);

    [LibraryImport(Rados, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rados_remove(PoolHandle pool, string name);

    /// <returns>How many bytes of output there are.</returns>
    [LibraryImport(Rados, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rados_exec(
        PoolHandle pool, string name, string type, string method, ReadOnlySpan<byte> input, nuint inputLength, Span<byte> output, nuint outputLength);

    [LibraryImport(Rados, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rados_lock_exclusive(
        PoolHandle pool, string name, string @lock, string cookie, string description, in TimeValue duration, byte flags);

    [LibraryImport(Rados, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rados_unlock(PoolHandle pool, string name, string @lock, string cookie);

    [LibraryImport(Rbd)]
    public static partial void rbd_image_options_create(out nint options);

    [LibraryImport(Rbd)]
    public static partial void rbd_image_options_destroy(nint options);

    [LibraryImport(Rbd)]
    public static partial int rbd_image_options_set_uint64(nint options, int option, ulong value);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_create4(PoolHandle pool, string name, ulong size, nint options);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_rename(PoolHandle pool, string from, string to);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_remove(PoolHandle pool, string name);

    [LibraryImport(Rbd)]
    public static partial int rbd_list2(PoolHandle pool, ImageSpec* images, ref nuint count);

    [LibraryImport(Rbd)]
    public static partial void rbd_image_spec_list_cleanup(ImageSpec* images, nuint count);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_open_by_id(PoolHandle pool, string id, out nint image, string? snapshot);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_open_by_id_read_only(PoolHandle pool, string id, out nint image, string? snapshot);

    [LibraryImport(Rbd)]
    public static partial int rbd_close(nint image);

    [LibraryImport(Rbd)]
    public static partial int rbd_get_size(ImageHandle image, out ulong size);

    [LibraryImport(Rbd)]
    public static partial int rbd_resize(ImageHandle image, ulong size);

    [LibraryImport(Rbd)]
    public static partial int rbd_flush(ImageHandle image);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_metadata_get(ImageHandle image, string key, Span<byte> value, ref nuint length);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_metadata_set(ImageHandle image, string key, string value);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_metadata_remove(ImageHandle image, string key);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_snap_create(ImageHandle image, string name);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_snap_remove(ImageHandle image, string name);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_snap_protect(ImageHandle image, string name);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_snap_unprotect(ImageHandle image, string name);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_snap_is_protected(ImageHandle image, string name, out int isProtected);

    [LibraryImport(Rbd)]
    public static partial int rbd_lock_acquire(ImageHandle image, int mode);

    [LibraryImport(Rbd)]
    public static partial int rbd_lock_get_owners(ImageHandle image, out int mode, byte** owners, ref nuint count);

    [LibraryImport(Rbd)]
    public static partial void rbd_lock_get_owners_cleanup(byte** owners, nuint count);

    [LibraryImport(Rbd, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rbd_lock_break(ImageHandle image, int mode, string owner);

    [LibraryImport(Rbd)]
    public static partial int rbd_watchers_list(ImageHandle image, ImageWatcher* watchers, ref nuint count);

    [LibraryImport(Rbd)]
    public static partial void rbd_watchers_list_cleanup(ImageWatcher* watchers, nuint count);

    [LibraryImport(Rbd)]
    public static partial int rbd_aio_read(ImageHandle image, ulong offset, nuint length, byte* buffer, nint completion);

    [LibraryImport(Rbd)]
    public static partial int rbd_aio_write(ImageHandle image, ulong offset, nuint length, byte* buffer, nint completion);

    [LibraryImport(Rbd)]
    private static partial int rbd_aio_create_completion(nint argument, delegate* unmanaged[Cdecl]<nint, nint, void> complete, out nint completion);

    [LibraryImport(Rbd)]
    private static partial nint rbd_aio_get_return_value(nint completion);

    [LibraryImport(Rbd)]
    private static partial void rbd_aio_release(nint completion);

    /// <summary>struct timeval</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct TimeValue(long Seconds, long Microseconds)
    {
        public static TimeValue From(TimeSpan time) => new((long)time.TotalSeconds, time.Microseconds);
    }

    /// <summary>rbd_image_spec_t</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ImageSpec
    {
        public byte* Id;
        public byte* Name;
    }

    /// <summary>rbd_image_watcher_t</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ImageWatcher
    {
        public byte* Address;
        public long Id;
        public ulong Cookie;
    }
}

/// <summary>rados_t: a client of a cluster.</summary>
internal sealed class ClusterHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle()
    {
        CephNative.rados_shutdown(handle);
        return true;
    }
}

/// <summary>rados_ioctx_t: a client's view of a pool. Its client stays as long as it does.</summary>
internal sealed class PoolHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly ClusterHandle _cluster;

    public PoolHandle(nint context, ClusterHandle cluster)
        : base(ownsHandle: true)
    {
        var isKept = false;
        (_cluster = cluster).DangerousAddRef(ref isKept);
        SetHandle(context);
    }

    protected override bool ReleaseHandle()
    {
        CephNative.rados_ioctx_destroy(handle);
        _cluster.DangerousRelease();
        return true;
    }
}

/// <summary>rbd_image_t: an image that is open. Its pool stays as long as it does.</summary>
internal sealed class ImageHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly PoolHandle _pool;

    public ImageHandle(nint image, PoolHandle pool)
        : base(ownsHandle: true)
    {
        var isKept = false;
        (_pool = pool).DangerousAddRef(ref isKept);
        SetHandle(image);
    }

    protected override bool ReleaseHandle()
    {
        // What could not be told to the cluster at the end, it finds out when the client's watch runs out.
        _ = CephNative.rbd_close(handle);
        _pool.DangerousRelease();
        return true;
    }
}
