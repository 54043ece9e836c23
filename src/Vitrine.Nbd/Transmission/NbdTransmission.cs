using Microsoft.Extensions.Logging;
using Vitrine.Nbd.Handshake;
using Vitrine.Nbd.Wire;

namespace Vitrine.Nbd.Transmission;

/// <summary>Answers a client's requests until it leaves.</summary>
/// <remarks>
/// One reader takes all requests that have arrived before anything is sent, so that a client with many requests under way costs
/// few calls of the system. A read that completes at once is answered by the reader itself; others complete on their own,
/// and replies go out in the order in which they are ready, as the protocol allows.
/// </remarks>
internal sealed partial class NbdTransmission : IDisposable
{
    // What is longer is read and sent in pieces, so that memory does not depend on what clients ask for. It stays in the
    // processor's cache between being read and being sent.
    private const int PieceLength = (int)NbdRequestCheck.MaxUnfragmentedLength;

    private readonly NbdChannel _channel;
    private readonly NbdSession _session;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _gone;
    private readonly NbdFlow _flow = new();
    private readonly NbdReplyQueue _replies;

    public NbdTransmission(NbdChannel channel, NbdSession session, ILogger logger, CancellationToken aborted)
    {
        (_channel, _session, _logger) = (channel, session, logger);
        _gone = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        _replies = new NbdReplyQueue(channel, _flow);
    }

    public void Dispose() => _gone.Dispose();

    /// <exception cref="NbdProtocolException">The client cannot be understood any more.</exception>
    public async Task RunAsync()
    {
        try
        {
            while (await _channel.FillAsync(NbdRequest.HeaderLength) && await AnswerArrivedAsync())
                _replies.Send();
        }
        catch
        {
            await _gone.CancelAsync();
            throw;
        }
        finally
        {
            // The export must not be closed under a read, and replies to what was asked before the end are still wanted.
            _replies.Send();
            await _flow.EmptyAsync();
        }
    }

    /// <returns>False where the client said that it leaves.</returns>
    private async ValueTask<bool> AnswerArrivedAsync()
    {
        while (NbdRequest.TryRead(_channel.Unread.Span, out var request))
        {
            _channel.Advance(NbdRequest.HeaderLength);
            if (request.Command == NbdCommand.Disconnect)
                return false;
            if (request.Command == NbdCommand.Write && !await SkipDataAsync(request.Length))
                return false;

            await AnswerAsync(request);
        }

        return true;
    }

    /// <summary>Reads over what a client wants to write, to be able to say that it may not.</summary>
    private ValueTask<bool> SkipDataAsync(uint length) => length <= NbdRequestCheck.MaxDataLength
        ? _channel.SkipAsync(length)
        : throw new NbdProtocolException("A write has more data than the server said that it takes.");

    private ValueTask AnswerAsync(in NbdRequest request) => NbdRequestCheck.Check(request, _session) switch
    {
        not NbdError.None and var error => RefuseAsync(request, error),
        _ => request.Command switch
        {
            NbdCommand.Read when request.Length == 0 => SucceedAsync(request),
            NbdCommand.Read when request.Length > PieceLength => ReadInPiecesAsync(request),
            NbdCommand.Read => ReadAsync(request),
            NbdCommand.BlockStatus => TellStatusAsync(request),
            _ => SucceedAsync(request),
        },
    };

    private async ValueTask RefuseAsync(NbdRequest request, NbdError error) =>
        _replies.Add(Failure(await RentAsync(0), request, error));

    private async ValueTask SucceedAsync(NbdRequest request)
    {
        var reply = await RentAsync(0);
        _replies.Add(IsStructured(request) ? reply.AsNothing(request.Cookie) : reply.AsSimple(request.Cookie, NbdError.None, 0));
    }

    private async ValueTask ReadAsync(NbdRequest request)
    {
        var reply = await RentAsync((int)request.Length);
        _ = FinishReadAsync(Start(request.Offset, reply), reply, request);
    }

    private async Task FinishReadAsync(ValueTask read, NbdReply reply, NbdRequest request)
    {
        var isLate = !read.IsCompleted;
        try
        {
            await read;
            _replies.Add(_session.StructuredReplies
                ? reply.AsContent(request.Cookie, request.Offset, isLast: true)
                : reply.AsSimple(request.Cookie, NbdError.None, reply.Capacity));
        }
        catch (Exception error)
        {
            _replies.Add(Failure(reply, request, Explain(error)));
        }

        // The reader sends for those that complete under its hands.
        if (isLate)
            _replies.Send();
    }

    /// <summary>Answers a long read piece by piece. No later request is looked at meanwhile.</summary>
    private async ValueTask ReadInPiecesAsync(NbdRequest request)
    {
        // A simple reply has one header for all pieces, so nothing may come in between.
        if (!_session.StructuredReplies)
        {
            _replies.Send();
            await _flow.EmptyAsync();
        }

        for (uint done = 0; done < request.Length;)
        {
            var reply = await RentAsync((int)Math.Min(PieceLength, request.Length - done));
            var (offset, isLast) = (request.Offset + done, done + reply.Capacity == request.Length);
            try
            {
                await Start(offset, reply);
            }
            catch (Exception error)
            {
                FailPiece(reply, request, done, Explain(error));
                return;
            }

            _replies.Add(
                _session.StructuredReplies ? reply.AsContent(request.Cookie, offset, isLast)
                : done == 0 ? reply.AsSimple(request.Cookie, NbdError.None, reply.Capacity)
                : reply.AsContinuation());
            _replies.Send();
            done += (uint)reply.Capacity;
        }
    }

    private void FailPiece(NbdReply reply, NbdRequest request, uint done, NbdError error)
    {
        if (_session.StructuredReplies)
        {
            _replies.Add(reply.AsErrorOffset(request.Cookie, error, request.Offset + done));
        }
        else if (done == 0)
        {
            _replies.Add(reply.AsSimple(request.Cookie, error, dataLength: 0));
        }
        else
        {
            // The header that promised success went out already: the protocol has nothing left to say but to hang up.
            reply.Return();
            _flow.Leave(1, reply.Capacity);
            _channel.Abort();
        }
    }

    private async ValueTask TellStatusAsync(NbdRequest request)
    {
        var reply = await RentAsync(NbdBlockStatus.MaxLength);
        _ = FinishStatusAsync(NbdBlockStatus.WriteAsync(_session.Export, request, reply.Data, _gone.Token), reply, request);
    }

    private async Task FinishStatusAsync(ValueTask<int> written, NbdReply reply, NbdRequest request)
    {
        var isLate = !written.IsCompleted;
        try
        {
            _replies.Add(reply.AsBlockStatus(request.Cookie, NbdHandshake.AllocationContext, await written));
        }
        catch (Exception error)
        {
            _replies.Add(Failure(reply, request, Explain(error)));
        }

        if (isLate)
            _replies.Send();
    }

    /// <summary>Begins to fill a reply with the export's bytes. What goes wrong is in the task, whenever it does.</summary>
    private ValueTask Start(ulong offset, NbdReply reply)
    {
        try
        {
            return _session.Export.ReadAsync((long)offset, reply.Data, _gone.Token);
        }
        catch (Exception error)
        {
            return ValueTask.FromException(error);
        }
    }

    /// <summary>Makes room for a reply, once the client has taken enough of the earlier ones.</summary>
    /// <exception cref="IOException">The client is gone, and whatever else it has asked for is not wanted.</exception>
    private ValueTask<NbdReply> RentAsync(int capacity) =>
        _replies.IsBroken ? throw new IOException("The client takes no replies any more.")
        : _flow.TryEnter(capacity, out var left) ? ValueTask.FromResult(NbdReply.Rent(capacity))
        : RentLaterAsync(capacity, left);

    private async ValueTask<NbdReply> RentLaterAsync(int capacity, Task left)
    {
        do
        {
            _replies.Send();
            await left;
        }
        while (!_flow.TryEnter(capacity, out left));
        return NbdReply.Rent(capacity);
    }

    private NbdReply Failure(NbdReply reply, in NbdRequest request, NbdError error) => IsStructured(request)
        ? reply.AsError(request.Cookie, error)
        : reply.AsSimple(request.Cookie, error, dataLength: 0);

    /// <summary>Only these commands have to be answered in chunks; for all others every client understands a simple reply.</summary>
    private bool IsStructured(in NbdRequest request) =>
        _session.StructuredReplies && request.Command is NbdCommand.Read or NbdCommand.BlockStatus;

    /// <summary>Whatever fails in an export, the client can only be told that it did.</summary>
    private NbdError Explain(Exception error)
    {
        if (!_gone.IsCancellationRequested)
            LogExportFailed(error);
        return NbdError.InputOutput;
    }

    [LoggerMessage(LogLevel.Error, "An export could not be read")]
    private partial void LogExportFailed(Exception error);
}
