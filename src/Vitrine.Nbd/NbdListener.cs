using System.Net;
using System.Net.Sockets;

namespace Vitrine.Nbd;

/// <summary>One endpoint that clients connect to. A unix socket's name is removed at the end.</summary>
internal sealed class NbdListener : IDisposable
{
    private const int Backlog = 128;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Socket _socket;
    private readonly string? _path;

    private NbdListener(Socket socket, string? path) => (_socket, _path) = (socket, path);

    /// <summary>With the port that was found, where any was asked for.</summary>
    public EndPoint Endpoint => _socket.LocalEndPoint!;

    /// <exception cref="IOException">A unix socket cannot be made there.</exception>
    /// <exception cref="SocketException">The endpoint is taken, or cannot be had.</exception>
    public static NbdListener Open(EndPoint endpoint)
    {
        var path = endpoint is UnixDomainSocketEndPoint ? endpoint.ToString() : null;
        if (path is not null)
            RemoveLeftover(path);

        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, path is null ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            socket.Bind(endpoint);
            // Nobody can connect before the socket listens, so nobody can before the mode is right.
            if (path is not null && !OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, OwnerOnly);
            socket.Listen(Backlog);
            return new NbdListener(socket, path);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async Task<Socket> AcceptAsync(CancellationToken cancellationToken)
    {
        var socket = await _socket.AcceptAsync(cancellationToken);
        if (_path is not null)
            return socket;

        try
        {
            socket.NoDelay = true;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        }
        catch (SocketException)
        {
            // The client is gone again; whoever reads from it will see.
        }

        return socket;
    }

    public void Dispose()
    {
        _socket.Dispose();
        if (_path is not null)
            File.Delete(_path);
    }

    /// <summary>Removes the socket of a server that was killed.</summary>
    /// <exception cref="IOException">What is there is something else, or somebody answers behind it.</exception>
    private static void RemoveLeftover(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
            return;

        // A socket has no length, so what is lost if this is no socket is an empty file.
        if (file.Length > 0 || IsAnswered(path))
            throw new IOException("The path of a unix socket to listen on is in use.");

        file.Delete();
    }

    private static bool IsAnswered(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return false;
        }
    }
}
