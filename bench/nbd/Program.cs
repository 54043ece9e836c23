using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using Vitrine.Bench.Nbd;
using Vitrine.Images;
using Vitrine.Nbd;

// usage: nbd-serve FILE FORMAT SOCKET PORT
// Serves until it is told to end by a signal.
if (args is not [var file, var format, var socket, var port])
{
    Console.Error.WriteLine("usage: nbd-serve FILE FORMAT SOCKET PORT");
    return 2;
}

var options = new NbdServerOptions { Endpoints = [new UnixDomainSocketEndPoint(socket), new IPEndPoint(IPAddress.Loopback, int.Parse(port))] };
await using var server = new NbdServer(options, new OneFile(file, Enum.Parse<DiskFormat>(format, ignoreCase: true)), TimeProvider.System, NullLogger<NbdServer>.Instance);
server.Start();
var told = new TaskCompletionSource();
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    told.TrySetResult();
});
await told.Task;
return 0;
