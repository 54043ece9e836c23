using System.Buffers;

namespace Vitrine.Nbd.Transmission;

/// <summary>Sends replies in the order in which they come, several small ones in one message.</summary>
/// <remarks>
/// Whoever calls <see cref="Send"/> first sends for all others until nothing waits any more. When the connection fails,
/// replies are dropped, so that whoever waits for <see cref="NbdFlow"/> goes on.
/// </remarks>
internal sealed class NbdReplyQueue(NbdChannel channel, NbdFlow flow)
{
    // Copying is cheaper than a call of the system up to about here.
    private const int SmallLength = 16 * 1024;
    private const int MessageLength = 128 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<NbdReply> _waiting = new();
    private bool _isSending;
    private volatile bool _isBroken;

    /// <summary>Nothing can be sent any more, so nothing needs to be read for it.</summary>
    public bool IsBroken => _isBroken;

    /// <summary>Takes a reply over; it has a place in the flow. It goes out with the next <see cref="Send"/>.</summary>
    public void Add(NbdReply reply)
    {
        lock (_gate)
            _waiting.Enqueue(reply);
    }

    /// <summary>Begins to send what waits, unless somebody is at it.</summary>
    public void Send()
    {
        lock (_gate)
        {
            if (_isSending || _waiting.Count == 0)
                return;

            _isSending = true;
        }

        _ = SendAllAsync();
    }

    private async Task SendAllAsync()
    {
        var room = ArrayPool<byte>.Shared.Rent(MessageLength);
        while (TakeNext(room) is { } next)
        {
            await SendAsync(next.Bytes);
            next.Single?.Return();
            flow.Leave(next.Replies, next.Held);
        }

        ArrayPool<byte>.Shared.Return(room);
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> message)
    {
        if (_isBroken)
            return;

        try
        {
            await channel.WriteAsync(message);
        }
        catch (Exception)
        {
            // Whatever it was, the client cannot be told of it. The reader of requests finds the connection closed and reports that.
            _isBroken = true;
            channel.Abort();
        }
    }

    private Message? TakeNext(byte[] room)
    {
        lock (_gate)
        {
            if (_waiting.TryDequeue(out var first))
                return IsSmall(first) && _waiting.Count > 0 ? Gather(first, room) : new Message(first.Bytes, 1, first.Capacity, first);

            _isSending = false;
            return null;
        }
    }

    private Message Gather(NbdReply first, byte[] room)
    {
        var (length, replies, held) = (0, 0, 0);
        Take(first);
        while (_waiting.TryPeek(out var next) && IsSmall(next) && length + next.Bytes.Length <= room.Length)
            Take(_waiting.Dequeue());
        return new Message(room.AsMemory(0, length), replies, held, Single: null);

        void Take(NbdReply reply)
        {
            reply.Bytes.CopyTo(room.AsMemory(length));
            (length, replies, held) = (length + reply.Bytes.Length, replies + 1, held + reply.Capacity);
            reply.Return();
        }
    }

    private static bool IsSmall(NbdReply reply) => reply.Bytes.Length <= SmallLength;

    /// <param name="Replies">How many are in it.</param>
    /// <param name="Held">What they hold of the flow, in bytes.</param>
    /// <param name="Single">Whose bytes they are, where they were not copied.</param>
    private readonly record struct Message(ReadOnlyMemory<byte> Bytes, int Replies, int Held, NbdReply? Single);
}
