using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Vitrine.OpenStack.Content;

namespace Vitrine.Server.Serving;

/// <summary>Lets the answers of plain connections take their bodies straight from files.</summary>
internal static class FileSendingConnections
{
    /// <summary>Not for connections with TLS, whose bytes must pass through us to be encrypted.</summary>
    public static void UseFileSending(this ListenOptions listen) => listen.Use(next => connection =>
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
            return next(connection);

        var output = new SocketOutput(socket, connection.Transport.Output, connection.Abort);
        connection.Transport = new Duplex(connection.Transport.Input, output);
        connection.Features.Set<IFileBodySender>(new FileBodySender(output));
        return next(connection);
    });

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class FileBodySender(SocketOutput output) : IFileBodySender
    {
        public async ValueTask SendAsync(HttpResponse response, FileStream file, long offset, long length, CancellationToken cancellationToken)
        {
            await response.StartAsync(cancellationToken);
            output.BeginFile(file, offset);
            try
            {
                while (length > 0)
                {
                    var piece = (int)Math.Min(length, SocketOutput.FilePiece);
                    response.BodyWriter.GetMemory(piece);
                    response.BodyWriter.Advance(piece);
                    if ((await response.BodyWriter.FlushAsync(cancellationToken)).IsCompleted)
                        return;

                    length -= piece;
                }
            }
            finally
            {
                output.EndFile();
            }
        }
    }
}
