using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using static Vitrine.Stores.Rbd.CephNative;

namespace Vitrine.Stores.Rbd;

/// <summary>A client of a cluster that is connected. Disposing it ends the connection when the last image is closed.</summary>
internal sealed class CephCluster : IDisposable
{
    private readonly ClusterHandle _handle;

    private CephCluster(ClusterHandle handle) => _handle = handle;

    /// <exception cref="CephException">The step says which part failed.</exception>
    public static CephCluster Connect(RbdStoreOptions options)
    {
        CephException.Check(rados_create2(out var handle, "ceph", $"client.{options.User}", flags: 0), CephStep.Configure);
        try
        {
            Configure(handle, options);
            CephException.Check(rados_connect(handle), CephStep.Connect);
            return new CephCluster(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>What the cluster calls this client when it says who has locked an image, as <c>10.0.0.7:0/4028942780</c>.</summary>
    public unsafe string FindClient()
    {
        CephException.Check(rados_getaddrs(_handle, out var addresses), "say where this client is");
        try
        {
            return Marshal.PtrToStringUTF8((nint)addresses) ?? "";
        }
        finally
        {
            rados_buffer_free(addresses);
        }
    }

    public RbdPool OpenPool(RbdStoreOptions options)
    {
        CephException.Check(rados_ioctx_create(_handle, options.Pool, out var context), CephStep.FindPool);
        var pool = new PoolHandle(context, _handle);
        rados_set_pool_full_try(pool);
        if (options.Namespace is { } name)
            rados_ioctx_set_namespace(pool, name);

        return new RbdPool(pool, FindClient());
    }

    /// <summary>Sends the monitors a command.</summary>
    /// <param name="command">As JSON.</param>
    /// <param name="step">What the command does, for failures.</param>
    /// <returns>The answer, as the command has it.</returns>
    public unsafe byte[] Ask(string command, string step)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(command + "\0"))
        {
            var commands = text;
            var result = rados_mon_command(_handle, &commands, 1, null, 0, out var output, out var length, null, null);
            try
            {
                CephException.Check(result, step);
                return new ReadOnlySpan<byte>(output, (int)length).ToArray();
            }
            finally
            {
                if (output is not null)
                    rados_buffer_free(output);
            }
        }
    }

    public void Dispose() => _handle.Dispose();

    // Without the time-outs, which count from the connection on, a call to a cluster that does not answer never comes back.
    private static void Configure(ClusterHandle handle, RbdStoreOptions options)
    {
        if (options.ConfigFile.Length > 0)
            CephException.Check(rados_conf_read_file(handle, options.ConfigFile), CephStep.ReadConfiguration);

        var seconds = options.RequestTimeout.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
        Set("client_mount_timeout", seconds);
        Set("rados_mon_op_timeout", seconds);
        Set("rados_osd_op_timeout", seconds);

        // A write is over when the cluster has it, not when this process does: the writer's flush counts on that.
        Set("rbd_cache", "false");
        Set("log_to_stderr", "false");
        if (options.Keyring is { } keyring)
            Set("keyring", keyring);
        if (options.Monitors is { } monitors)
            Set("mon_host", monitors);

        void Set(string option, string value) => CephException.Check(rados_conf_set(handle, option, value), CephStep.Configure);
    }
}
