using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Vitrine.FormatTests.Nbd;

/// <summary>A client that says exactly what a test wants said, right or wrong.</summary>
internal sealed class NbdClient : IAsyncDisposable
{
    public const uint ExportName = 1, Abort = 2, List = 3, PeekExport = 4, StartTls = 5, Info = 6, Go = 7;
    public const uint StructuredReply = 8, ListMetaContext = 9, SetMetaContext = 10, ExtendedHeaders = 11;
    public const uint Ack = 1;
    public const uint Unsupported = 0x8000_0001, Policy = 0x8000_0002, Invalid = 0x8000_0003;
    public const uint TlsRequired = 0x8000_0005, Unknown = 0x8000_0006, TooBig = 0x8000_0009;
    public const ushort Read = 0, Write = 1, Disconnect = 2, Flush = 3, Trim = 4, Cache = 5, WriteZeroes = 6, BlockStatus = 7;
    public const uint Permission = 1, InputOutput = 5, InvalidArgument = 22, Overflow = 75;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private Stream _stream;

    private NbdClient(Stream stream) => _stream = stream;

    public static async Task<NbdClient> ConnectAsync(EndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, endpoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        await socket.ConnectAsync(endpoint);
        return new NbdClient(new NetworkStream(socket, ownsSocket: true));
    }

    /// <summary>Connects, and comes to agree on an export.</summary>
    public static async Task<NbdClient> OpenAsync(EndPoint endpoint, string name = "disk", bool structured = true, bool status = false)
    {
        var client = await ConnectAsync(endpoint);
        await client.GreetAsync();
        if (structured)
            Assert.Equal(Ack, (await client.AskAsync(StructuredReply)).Single().Type);
        if (status)
            Assert.Equal(Ack, (await client.AskAsync(SetMetaContext, Contexts(name, "base:allocation"))).Last().Type);
        Assert.Equal(Ack, (await client.AskAsync(Go, Export(name))).Last().Type);
        return client;
    }

    /// <summary>The data of an option that names an export and asks for some facts.</summary>
    public static byte[] Export(string name, params ushort[] facts) =>
        [.. Counted(name), .. Big((ushort)facts.Length), .. facts.SelectMany(Big)];

    public static byte[] Contexts(string name, params string[] queries) =>
        [.. Counted(name), .. Big((uint)queries.Length), .. queries.SelectMany(Counted)];

    public static byte[] Counted(string text) => [.. Big((uint)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Big(ushort value) => [(byte)(value >> 8), (byte)value];

    public static byte[] Big(uint value) => [.. Big((ushort)(value >> 16)), .. Big((ushort)value)];

    public static byte[] Big(ulong value) => [.. Big((uint)(value >> 32)), .. Big((uint)value)];

    public static byte[] Option(uint option, ReadOnlySpan<byte> data) => [.. "IHAVEOPT"u8, .. Big(option), .. Big((uint)data.Length), .. data];

    public static byte[] Request(ushort command, ulong offset = 0, uint length = 0, ushort flags = 0, ulong cookie = 7) =>
        [.. Big(0x2560_9513u), .. Big(flags), .. Big(command), .. Big(cookie), .. Big(offset), .. Big(length)];

    /// <returns>What the server says of itself.</returns>
    public async Task<ushort> GreetAsync(uint flags = 3)
    {
        var greeting = await ReceiveAsync(18, "the greeting");
        Assert.Equal("NBDMAGICIHAVEOPT", Encoding.ASCII.GetString(greeting, 0, 16));
        await SendAsync(Big(flags));
        return BinaryPrimitives.ReadUInt16BigEndian(greeting.AsSpan(16));
    }

    public Task SendAsync(ReadOnlyMemory<byte> bytes) => Patiently(_stream.WriteAsync(bytes).AsTask(), "sending");

    /// <returns>All replies to the option, the last of which is the acknowledgement or an error.</returns>
    public async Task<List<OptionReply>> AskAsync(uint option, params byte[] data)
    {
        await SendAsync(Option(option, data));
        return await ReceiveOptionAsync(option);
    }

    public async Task<List<OptionReply>> ReceiveOptionAsync(uint option)
    {
        var replies = new List<OptionReply>();
        do
        {
            var header = await ReceiveAsync(20, "the reply to an option");
            Assert.Equal(0x0003_e889_0455_65a9UL, BinaryPrimitives.ReadUInt64BigEndian(header));
            Assert.Equal(option, BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(8)));
            var data = await ReceiveAsync((int)BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(16)), "the reply's data");
            replies.Add(new OptionReply(BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(12)), data));
        }
        while (replies[^1].Type is not Ack and < 0x8000_0000);
        return replies;
    }

    public async Task<SimpleReply> ReceiveSimpleAsync(int dataLength = 0)
    {
        var header = await ReceiveAsync(16, "a simple reply");
        Assert.Equal(0x6744_6698u, BinaryPrimitives.ReadUInt32BigEndian(header));
        var error = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4));
        return new SimpleReply(error, BinaryPrimitives.ReadUInt64BigEndian(header.AsSpan(8)), error == 0 ? await ReceiveAsync(dataLength, "data") : []);
    }

    public async Task<Chunk> ReceiveChunkAsync()
    {
        var header = await ReceiveAsync(20, "a chunk");
        Assert.Equal(0x668e_33efu, BinaryPrimitives.ReadUInt32BigEndian(header));
        return new Chunk(
            IsLast: header[5] == 1,
            BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(6)),
            BinaryPrimitives.ReadUInt64BigEndian(header.AsSpan(8)),
            await ReceiveAsync((int)BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(16)), "a chunk's data"));
    }

    /// <summary>Reads with structured replies, as one request.</summary>
    /// <returns>The bytes, put together from all chunks.</returns>
    public async Task<byte[]> ReadAsync(ulong offset, uint length)
    {
        await SendAsync(Request(Read, offset, length));
        var bytes = new byte[length];
        bytes.AsSpan().Fill(0xa5);
        Chunk chunk;
        do
        {
            chunk = await ReceiveChunkAsync();
            chunk.CopyTo(bytes, offset);
        }
        while (!chunk.IsLast);
        return bytes;
    }

    /// <summary>Waits until the server has closed the connection, whatever it says before.</summary>
    public async Task CloseAsync()
    {
        var waste = new byte[4096];
        try
        {
            while (await Patiently(_stream.ReadAsync(waste).AsTask(), "the server to hang up") > 0)
            {
            }
        }
        catch (IOException)
        {
            // It was reset, which is as good.
        }
    }

    public void EndSending() => ((NetworkStream)_stream).Socket.Shutdown(SocketShutdown.Send);

    /// <summary>Goes over to TLS, once the server has agreed.</summary>
    public async Task SecureAsync(X509Certificate expected)
    {
        var secure = new SslStream(_stream, leaveInnerStreamOpen: false, (_, certificate, _, _) => expected.Equals(certificate));
        await Patiently(secure.AuthenticateAsClientAsync("server"), "the TLS handshake");
        _stream = secure;
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    public async Task<byte[]> ReceiveAsync(int length, string what = "an answer")
    {
        var bytes = new byte[length];
        await Patiently(_stream.ReadExactlyAsync(bytes).AsTask(), what);
        return bytes;
    }

    private static async Task Patiently(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Patience, TimeProvider.System, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException($"The client waited too long for {what}.", error);
        }
    }

    private static async Task<T> Patiently<T>(Task<T> task, string what)
    {
        await Patiently((Task)task, what);
        return await task;
    }
}

internal sealed record OptionReply(uint Type, byte[] Data);

internal sealed record SimpleReply(uint Error, ulong Cookie, byte[] Data);

internal sealed record Chunk(bool IsLast, ushort Type, ulong Cookie, byte[] Data)
{
    public const ushort None = 0, OffsetData = 1, OffsetHole = 2, BlockStatus = 5, Failure = 0x8001, FailureOffset = 0x8002;

    public uint Error => BinaryPrimitives.ReadUInt32BigEndian(Data);

    public ulong Offset => BinaryPrimitives.ReadUInt64BigEndian(Data);

    /// <summary>The descriptors of block status.</summary>
    public IEnumerable<(uint Length, uint Flags)> Descriptors => Data[4..].Chunk(8)
        .Select(d => (BinaryPrimitives.ReadUInt32BigEndian(d), BinaryPrimitives.ReadUInt32BigEndian(d.AsSpan(4))));

    /// <summary>Puts the chunk's content where it belongs in what was read from an offset on.</summary>
    public void CopyTo(byte[] bytes, ulong start)
    {
        var at = (int)(Offset - start);
        if (Type == OffsetData)
            Data.AsSpan(8).CopyTo(bytes.AsSpan(at));
        else if (Type == OffsetHole)
            bytes.AsSpan(at, BinaryPrimitives.ReadInt32BigEndian(Data.AsSpan(8))).Clear();
        else
            Assert.Fail($"a read was answered with a chunk of type {Type}");
    }
}
