using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Vitrine.ContractTests.Sources;

/// <summary>Listens to the first byte of one client and says one line, whatever it was, or nothing.</summary>
internal sealed class BluntServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TaskCompletionSource _spoken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _listening;
    private Socket? _client;

    public BluntServer(string line = "")
    {
        _listener.Start();
        _listening = ListenAsync(line);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Done when the client has said something.</summary>
    public Task Spoken => _spoken.Task;

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _listening;
        _client?.Dispose();
    }

    private async Task ListenAsync(string line)
    {
        try
        {
            _client = await _listener.AcceptSocketAsync();
            await _client.ReceiveAsync(new byte[1]);
            _spoken.SetResult();
            await _client.SendAsync(Encoding.ASCII.GetBytes(line));
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
