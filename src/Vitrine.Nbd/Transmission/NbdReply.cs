using System.Buffers;
using Vitrine.Nbd.Wire;

namespace Vitrine.Nbd.Transmission;

/// <summary>Bytes for the client in a buffer of the pool: room for a header, then the data.</summary>
/// <remarks>
/// The header is written when it is known what came of the request. It then ends where the data begin:
/// <code>
///  0          Start      64               64 + capacity
///  +----------+----------+----------------+
///  |  unused  |  header  |      data      |
///  +----------+----------+----------------+
/// </code>
/// </remarks>
internal readonly struct NbdReply
{
    // The longest header has 34 bytes; data that lie on a cache line are copied faster.
    private const int HeaderRoom = 64;

    private readonly byte[] _buffer;
    private readonly int _start;
    private readonly int _end;

    private NbdReply(byte[] buffer, int capacity, int start, int end) =>
        (_buffer, Capacity, _start, _end) = (buffer, capacity, start, end);

    /// <summary>How many bytes of data there is room for; what was asked of <see cref="NbdFlow"/>.</summary>
    public int Capacity { get; }

    public Memory<byte> Data => _buffer.AsMemory(HeaderRoom, Capacity);

    /// <summary>What goes on the wire.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(_start, _end - _start);

    public static NbdReply Rent(int capacity) =>
        new(ArrayPool<byte>.Shared.Rent(HeaderRoom + capacity), capacity, HeaderRoom, HeaderRoom);

    public void Return() => ArrayPool<byte>.Shared.Return(_buffer);

    /// <summary>The reply with a header of some length and the first bytes of the data.</summary>
    private NbdReply With(int headerLength, int dataLength, out Span<byte> header)
    {
        header = _buffer.AsSpan(HeaderRoom - headerLength, headerLength);
        return new NbdReply(_buffer, Capacity, HeaderRoom - headerLength, HeaderRoom + dataLength);
    }

    /// <summary>Data alone, where an earlier reply began what they belong to.</summary>
    public NbdReply AsContinuation() => With(headerLength: 0, Capacity, out _);

    public NbdReply AsSimple(ulong cookie, NbdError error, int dataLength)
    {
        var reply = With(NbdReplyHeader.SimpleLength, dataLength, out var header);
        NbdReplyHeader.WriteSimple(header, cookie, error);
        return reply;
    }

    /// <summary>A chunk of a structured reply that holds all of the data, or says that they are zeros.</summary>
    public NbdReply AsContent(ulong cookie, ulong offset, bool isLast)
    {
        NbdReply reply;
        if (Data.Span.ContainsAnyExcept((byte)0))
        {
            reply = With(NbdReplyHeader.DataLength, Capacity, out var header);
            NbdReplyHeader.WriteData(header, cookie, offset, Capacity, isLast);
        }
        else
        {
            reply = With(NbdReplyHeader.HoleLength, dataLength: 0, out var header);
            NbdReplyHeader.WriteHole(header, cookie, offset, Capacity, isLast);
        }

        return reply;
    }

    public NbdReply AsNothing(ulong cookie)
    {
        var reply = With(NbdReplyHeader.ChunkLength, dataLength: 0, out var header);
        NbdReplyHeader.WriteNothing(header, cookie);
        return reply;
    }

    public NbdReply AsError(ulong cookie, NbdError error)
    {
        var reply = With(NbdReplyHeader.ErrorLength, dataLength: 0, out var header);
        NbdReplyHeader.WriteError(header, cookie, error);
        return reply;
    }

    public NbdReply AsErrorOffset(ulong cookie, NbdError error, ulong offset)
    {
        var reply = With(NbdReplyHeader.ErrorOffsetLength, dataLength: 0, out var header);
        NbdReplyHeader.WriteErrorOffset(header, cookie, error, offset);
        return reply;
    }

    /// <summary>The descriptors that are in the data.</summary>
    public NbdReply AsBlockStatus(ulong cookie, uint context, int descriptorsLength)
    {
        var reply = With(NbdReplyHeader.BlockStatusLength, descriptorsLength, out var header);
        NbdReplyHeader.WriteBlockStatus(header, cookie, context, descriptorsLength);
        return reply;
    }
}
