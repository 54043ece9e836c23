using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using static Vitrine.Stores.Rbd.CephNative;

namespace Vitrine.Stores.Rbd;

/// <summary>The images of a pool or of a namespace in it. Every call waits for the cluster.</summary>
internal sealed class RbdPool(PoolHandle handle, string client) : IDisposable
{
    private const string DirectoryName = "rbd_directory";
    private const string IdPrefix = "rbd_id.";
    private const int LongestId = 256;
    private const int FirstPage = 256;

    // What "rbd create" gives an image too: layering, exclusive-lock, object-map, fast-diff, deep-flatten.
    private const ulong Features = 1 | 4 | 8 | 16 | 32;
    private const ulong Format = 2;

    public PoolHandle Handle => handle;

    /// <summary>What the cluster calls the client that this is a view of.</summary>
    public string Client => client;

    /// <summary>The id of the image that the pool's directory has under a name; null where it has none.</summary>
    public string? FindId(string name)
    {
        // The class method dir_get_id of Ceph's cls_rbd takes and gives a string with its length before it, in 32 bits.
        var input = new byte[sizeof(uint) + Encoding.UTF8.GetByteCount(name)];
        BinaryPrimitives.WriteUInt32LittleEndian(input, (uint)(input.Length - sizeof(uint)));
        Encoding.UTF8.GetBytes(name, input.AsSpan(sizeof(uint)));
        var output = new byte[sizeof(uint) + LongestId];
        var result = rados_exec(handle, DirectoryName, "rbd", "dir_get_id", input, (nuint)input.Length, output, (nuint)output.Length);
        if (result == -CephError.NoEntry)
            return null;

        CephException.Check(result, "find an image");
        var length = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(output), LongestId);
        return Encoding.UTF8.GetString(output, sizeof(uint), length);
    }

    public unsafe IReadOnlyList<(string Name, string Id)> List()
    {
        for (nuint count = FirstPage; ;)
        {
            var specs = new ImageSpec[count];
            fixed (ImageSpec* first = specs)
            {
                var result = rbd_list2(handle, first, ref count);
                if (result == -CephError.Range)
                    continue;

                CephException.Check(result, "list the images");
                var images = new (string, string)[count];
                for (var i = 0; i < images.Length; i++)
                    images[i] = (Marshal.PtrToStringUTF8((nint)specs[i].Name)!, Marshal.PtrToStringUTF8((nint)specs[i].Id)!);

                rbd_image_spec_list_cleanup(first, count);
                return images;
            }
        }
    }

    /// <summary>Makes an image of no length. The caller has the name's lock and knows that the directory does not have the name.</summary>
    public void Create(string name, int order)
    {
        rbd_image_options_create(out var options);
        try
        {
            Set(OptionFormat, Format);
            Set(OptionFeatures, Features);
            Set(OptionOrder, (ulong)order);
            ReplacingDeadName(name, () => rbd_create4(handle, name, 0, options), "create an image");
        }
        finally
        {
            rbd_image_options_destroy(options);
        }

        void Set(int option, ulong value) => CephException.Check(rbd_image_options_set_uint64(options, option, value), "describe an image");
    }

    /// <summary>Gives an image another name. The caller has the new name's lock and knows that the directory does not have it.</summary>
    public void Rename(string from, string to) => ReplacingDeadName(to, () => rbd_rename(handle, from, to), "rename an image");

    /// <returns>False where somebody has it open.</returns>
    public bool TryRemove(string name)
    {
        var result = rbd_remove(handle, name);
        if (result is -CephError.Busy or -CephError.NotEmpty)
            return false;

        if (result != -CephError.NoEntry)
            CephException.Check(result, "remove an image");
        return true;
    }

    /// <summary>Opens an image so that the cluster knows that it is open, and nobody can remove it.</summary>
    /// <param name="snapshot">What to see of it; null for what can be written.</param>
    /// <returns>Null where there is no such image, or no such snapshot of it.</returns>
    public RbdImage? TryOpen(string id, string? snapshot) => Opened(rbd_open_by_id(handle, id, out var image, snapshot), image);

    /// <summary>Opens an image to look at it, unseen by others.</summary>
    /// <returns>Null where there is no such image.</returns>
    public RbdImage? TryLook(string id) => Opened(rbd_open_by_id_read_only(handle, id, out var image, snapshot: null), image);

    /// <summary>Writes an object, reads it and removes it.</summary>
    /// <returns>Whether it was read as it was written.</returns>
    public bool Probe(string name)
    {
        ReadOnlySpan<byte> written = "vitrine"u8;
        Span<byte> read = stackalloc byte[written.Length];
        CephException.Check(rados_write_full(handle, name, written, (nuint)written.Length), "write an object");
        CephException.Check(rados_read(handle, name, read, (nuint)read.Length, 0), "read an object");
        CephException.Check(rados_remove(handle, name), "remove an object");
        return read.SequenceEqual(written);
    }

    public void Dispose() => handle.Dispose();

    private RbdImage? Opened(int result, nint image)
    {
        if (result == -CephError.NoEntry)
            return null;

        CephException.Check(result, "open an image");
        return new RbdImage(new ImageHandle(image, handle));
    }

    // An image gets its name in two places, the object rbd_id.NAME and the directory, one after the other. Whoever died between the two
    // has left an object that stands for nothing and is in the way of the next one.
    private void ReplacingDeadName(string name, Func<int> work, string step)
    {
        var result = work();
        if (result == -CephError.Exists && FindId(name) is null)
        {
            var removed = rados_remove(handle, IdPrefix + name);
            if (removed != -CephError.NoEntry)
                CephException.Check(removed, "tidy a name up");
            result = work();
        }

        CephException.Check(result, step);
    }
}
