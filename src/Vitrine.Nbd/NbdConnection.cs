using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Vitrine.Nbd.Handshake;
using Vitrine.Nbd.Transmission;
using Vitrine.Nbd.Wire;

namespace Vitrine.Nbd;

/// <summary>One client, from being accepted until it is gone.</summary>
internal sealed partial class NbdConnection : IDisposable
{
    private readonly long _number;
    private readonly NbdChannel _channel;
    private readonly NbdHandshakeTerms _terms;
    private readonly NbdServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _accepted;
    private readonly CancellationTokenSource _aborted = new();
    private volatile bool _hasExport;

    /// <param name="number">Tells the connection from others in the log, where exports are not named.</param>
    /// <param name="socket">Belongs to the connection from now on.</param>
    public NbdConnection(long number, Socket socket, NbdHandshakeTerms terms, NbdServerOptions options, TimeProvider time, ILogger logger)
    {
        (_number, _terms, _options, _time, _logger) = (number, terms, options, time, logger);
        _channel = new NbdChannel(socket, time);
        _accepted = time.GetTimestamp();
    }

    /// <summary>Serves the client; whatever ends it is logged here and nowhere else.</summary>
    public async Task RunAsync()
    {
        try
        {
            await ServeAsync();
            await _channel.SayGoodbyeAsync();
        }
        catch (NbdProtocolException error)
        {
            LogBreach(_number, error.Message);
        }
        catch (Exception error) when (IsConnectionLost(error))
        {
            LogLost(_number, error.Message);
        }
        catch (Exception error)
        {
            LogUnexpected(_number, error);
        }
        finally
        {
            await _channel.DisposeAsync();
        }
    }

    /// <summary>Takes no more requests; those that are under way are answered.</summary>
    public void Stop() => _channel.StopReceiving();

    /// <summary>Ends the connection at once.</summary>
    public void Abort()
    {
        try
        {
            _aborted.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself meanwhile.
        }

        _channel.Abort();
    }

    /// <summary>Ends the connection if the client takes longer for something than it may.</summary>
    public void AbortIfLate()
    {
        if (Lateness() is not { } what)
            return;

        LogLate(_number, what);
        Abort();
    }

    public void Dispose() => _aborted.Dispose();

    private async Task ServeAsync()
    {
        await using var handshake = new NbdHandshake(_channel, _terms, _logger);
        if (await handshake.RunAsync(_aborted.Token) is not { } session)
            return;

        _hasExport = true;
        LogServing(_number, session.Export.Size, _channel.IsSecure, session.StructuredReplies);
        using var transmission = new NbdTransmission(_channel, session, _logger, _aborted.Token);
        await transmission.RunAsync();
        LogDone(_number);
    }

    private string? Lateness() =>
        !_hasExport && _time.GetElapsedTime(_accepted) > _options.HandshakeLimit ? "choosing an export"
        : _channel.Stall > _options.StallLimit ? "taking a reply"
        : _options.IdleLimit != Timeout.InfiniteTimeSpan && _channel.Silence > _options.IdleLimit ? "asking for anything"
        : null;

    private static bool IsConnectionLost(Exception error) =>
        error is IOException or SocketException or ObjectDisposedException or OperationCanceledException or AuthenticationException;

    [LoggerMessage(LogLevel.Debug, "NBD connection {Number} has an export of {Size} bytes (TLS: {IsSecure}, structured replies: {IsStructured})")]
    private partial void LogServing(long number, long size, bool isSecure, bool isStructured);

    [LoggerMessage(LogLevel.Debug, "NBD connection {Number} is done")]
    private partial void LogDone(long number);

    [LoggerMessage(LogLevel.Information, "NBD connection {Number} was closed: {Reason}")]
    private partial void LogBreach(long number, string reason);

    [LoggerMessage(LogLevel.Debug, "NBD connection {Number} was lost: {Reason}")]
    private partial void LogLost(long number, string reason);

    [LoggerMessage(LogLevel.Information, "NBD connection {Number} was closed, because the client took too long for {What}")]
    private partial void LogLate(long number, string what);

    [LoggerMessage(LogLevel.Error, "NBD connection {Number} ran into something unexpected")]
    private partial void LogUnexpected(long number, Exception error);
}
