using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vitrine.Disks;
using Vitrine.Nbd;

namespace Vitrine.FormatTests.Nbd;

/// <summary>A server with one export, "disk", over a unix socket and over TCP.</summary>
internal sealed class NbdHost : INbdExports, IAsyncDisposable
{
    public const string Description = "a disk of stripes";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vitrine-nbd-");
    private readonly Func<Disk> _open;
    private int _leases;
    private int _found;

    /// <param name="change">What is not as usual.</param>
    public NbdHost(Func<Disk> open, Func<NbdServerOptions, NbdServerOptions>? change = null, TimeProvider? time = null, ILogger<NbdServer>? logger = null)
    {
        _open = open;
        SocketPath = Path.Combine(_directory.FullName, "nbd.sock");
        var options = new NbdServerOptions
        {
            Endpoints = [new UnixDomainSocketEndPoint(SocketPath), new IPEndPoint(IPAddress.Loopback, 0)],
        };
        Server = new NbdServer(change?.Invoke(options) ?? options, this, time ?? TimeProvider.System, logger ?? NullLogger<NbdServer>.Instance);
        Server.Start();
        Port = ((IPEndPoint)Server.Endpoints[1]).Port;
    }

    public NbdServer Server { get; }

    public string SocketPath { get; }

    public int Port { get; }

    public EndPoint Unix => new UnixDomainSocketEndPoint(SocketPath);

    public EndPoint Tcp => new IPEndPoint(IPAddress.Loopback, Port);

    public string UnixUri => $"nbd+unix:///disk?socket={SocketPath}";

    public string TcpUri => $"nbd://127.0.0.1:{Port}/disk";

    /// <summary>A directory that goes with the host.</summary>
    public string Root => _directory.FullName;

    /// <summary>Exports that were found and not given back.</summary>
    public int Leases => Volatile.Read(ref _leases);

    /// <summary>How often an export was looked for.</summary>
    public int Searches => Volatile.Read(ref _found);

    public ValueTask<NbdExport?> FindAsync(string name, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _found);
        if (name == "broken")
            throw new FormatNotSupportedException("The disk has a format of its own.");
        if (name is not ("disk" or "other"))
            return ValueTask.FromResult<NbdExport?>(null);

        Interlocked.Increment(ref _leases);
        var disk = _open();
        return ValueTask.FromResult<NbdExport?>(new DiskExport(name, disk, Description, async () =>
        {
            await disk.DisposeAsync();
            Interlocked.Decrement(ref _leases);
        }));
    }

    public ValueTask<IReadOnlyList<NbdListing>> ListAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<NbdListing>>([new("disk", Description), new("other", "")]);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _directory.Delete(recursive: true);
        Assert.Equal(0, Leases);
    }
}
