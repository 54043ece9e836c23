using System.Buffers;
using System.Text;
using Vitrine.Nbd.Wire;

namespace Vitrine.Nbd.Handshake;

/// <summary>All that the server says to one option, gathered so that it goes out as one message.</summary>
/// <remarks>
/// Each reply:
/// <code>
///  0       8        12     16       20
///  +-------+--------+------+--------+
///  | magic | option | type | length |  then so many bytes
///  +-------+--------+------+--------+
/// </code>
/// </remarks>
internal sealed class NbdOptionAnswer(NbdOption option)
{
    private const ulong Magic = 0x0003_e889_0455_65a9;
    private const int HeaderLength = 20;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    public ReadOnlyMemory<byte> Bytes => _bytes.WrittenMemory;

    public static NbdOptionAnswer Acknowledge(NbdOption option) => new NbdOptionAnswer(option).Acknowledge();

    /// <param name="why">For the person at the client.</param>
    public static NbdOptionAnswer Refuse(NbdOption option, NbdOptionReply error, string why)
    {
        var answer = new NbdOptionAnswer(option);
        Encoding.UTF8.GetBytes(why).CopyTo(answer.Add(error, Encoding.UTF8.GetByteCount(why)));
        return answer;
    }

    public NbdOptionAnswer Acknowledge()
    {
        Add(NbdOptionReply.Acknowledged, 0);
        return this;
    }

    /// <remarks>
    /// <code>
    ///  0             4      4+n
    ///  +-------------+------+
    ///  | name length | name |  then the description, to the end
    ///  +-------------+------+
    /// </code>
    /// </remarks>
    public void AddServer(NbdListing listing)
    {
        var (name, description) = (NbdText.Write(listing.Name), NbdText.Write(listing.Description));
        var data = Add(NbdOptionReply.Server, sizeof(uint) + name.Length + description.Length);
        new BigEndianWriter(data).Write((uint)name.Length);
        name.CopyTo(data[sizeof(uint)..]);
        description.CopyTo(data[(sizeof(uint) + name.Length)..]);
    }

    /// <remarks>
    /// <code>
    ///  0        2      10      12
    ///  +--------+------+-------+
    ///  | export | size | flags |
    ///  +--------+------+-------+
    /// </code>
    /// </remarks>
    public void AddExport(long size, NbdTransmissionFlags flags)
    {
        var writer = AddInfo(NbdInfo.Export, sizeof(ulong) + sizeof(ushort));
        writer.Write((ulong)size);
        writer.Write((ushort)flags);
    }

    /// <remarks>
    /// <code>
    ///  0            2
    ///  +------------+
    ///  | which fact |  then the text, to the end
    ///  +------------+
    /// </code>
    /// </remarks>
    public void AddText(NbdInfo fact, string text)
    {
        var bytes = NbdText.Write(text);
        var data = Add(NbdOptionReply.Info, sizeof(ushort) + bytes.Length);
        new BigEndianWriter(data).Write((ushort)fact);
        bytes.CopyTo(data[sizeof(ushort)..]);
    }

    /// <remarks>
    /// <code>
    ///  0            2         6           10        14
    ///  +------------+---------+-----------+---------+
    ///  | block size | minimum | preferred | maximum |
    ///  +------------+---------+-----------+---------+
    /// </code>
    /// </remarks>
    public void AddBlockSize(uint minimum, uint preferred, uint maximum)
    {
        var writer = AddInfo(NbdInfo.BlockSize, 3 * sizeof(uint));
        writer.Write(minimum);
        writer.Write(preferred);
        writer.Write(maximum);
    }

    /// <remarks>
    /// <code>
    ///  0         4
    ///  +---------+
    ///  | context |  then its name, to the end
    ///  +---------+
    /// </code>
    /// </remarks>
    public void AddContext(uint context, string name)
    {
        var bytes = NbdText.Write(name);
        var data = Add(NbdOptionReply.MetaContext, sizeof(uint) + bytes.Length);
        new BigEndianWriter(data).Write(context);
        bytes.CopyTo(data[sizeof(uint)..]);
    }

    private BigEndianWriter AddInfo(NbdInfo fact, int length)
    {
        var writer = new BigEndianWriter(Add(NbdOptionReply.Info, sizeof(ushort) + length));
        writer.Write((ushort)fact);
        return writer;
    }

    private Span<byte> Add(NbdOptionReply type, int length)
    {
        var room = _bytes.GetSpan(HeaderLength + length)[..(HeaderLength + length)];
        var writer = new BigEndianWriter(room);
        writer.Write(Magic);
        writer.Write((uint)option);
        writer.Write((uint)type);
        writer.Write((uint)length);
        _bytes.Advance(room.Length);
        return room[HeaderLength..];
    }
}
