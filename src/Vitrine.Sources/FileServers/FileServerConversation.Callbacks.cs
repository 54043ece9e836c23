using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static Vitrine.Sources.FileServers.LibCurl;

namespace Vitrine.Sources.FileServers;

/// <content>What libcurl calls back.</content>
internal sealed unsafe partial class FileServerConversation
{
    private const int AlreadyConnected = 2; // CURL_SOCKOPT_ALREADY_CONNECTED
    private const nint BadSocket = -1; // CURL_SOCKET_BAD

    private void SetCallbacks()
    {
        var self = GCHandle.ToIntPtr(_this);
        Set(_easy, CurlOption.SocketOpenFunction, (nint)(delegate* unmanaged[Cdecl]<nint, int, CurlAddress*, nint>)&OnOpenSocket);
        Set(_easy, CurlOption.SocketOpenData, self);
        Set(_easy, CurlOption.SocketOptionFunction, (nint)(delegate* unmanaged[Cdecl]<nint, nint, int, int>)&OnSocketOptions);
        Set(_easy, CurlOption.SocketCloseFunction, (nint)(delegate* unmanaged[Cdecl]<nint, nint, int>)&OnCloseSocket);
        Set(_easy, CurlOption.SocketCloseData, self);
        Set(_easy, CurlOption.WriteFunction, (nint)(delegate* unmanaged[Cdecl]<byte*, nuint, nuint, nint, nuint>)&OnBytes);
        Set(_easy, CurlOption.WriteData, self);
        Set(_easy, CurlOption.HeaderFunction, (nint)(delegate* unmanaged[Cdecl]<byte*, nuint, nuint, nint, nuint>)&OnReply);
        Set(_easy, CurlOption.HeaderData, self);
        Set(_easy, CurlOption.SshKeyFunction, (nint)(delegate* unmanaged[Cdecl]<nint, CurlHostKey*, CurlHostKey*, int, nint, int>)&OnHostKey);
        Set(_easy, CurlOption.SshKeyData, self);
    }

    /// <summary>No exception may leave for native code: it ends the transfer, and is thrown where that is awaited.</summary>
    private static TResult Guard<TResult>(nint self, TResult otherwise, Func<FileServerConversation, TResult> act)
    {
        var conversation = (FileServerConversation)GCHandle.FromIntPtr(self).Target!;
        try
        {
            return act(conversation);
        }
        catch (Exception fault)
        {
            conversation._fault ??= fault;
            return otherwise;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint OnOpenSocket(nint self, int purpose, CurlAddress* wanted)
    {
        var bytes = new ReadOnlySpan<byte>(wanted + 1, (int)wanted->Length);
        var port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);

        // struct sockaddr_in has its address after family and port, struct sockaddr_in6 after a flow label besides.
        var address = wanted->Length >= 24 ? new IPAddress(bytes.Slice(8, 16)) : new IPAddress(bytes.Slice(4, 4));
        return Guard(self, BadSocket, conversation => conversation.OpenSocket(new IPEndPoint(address, port)));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnSocketOptions(nint self, nint socket, int purpose) => AlreadyConnected;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnCloseSocket(nint self, nint socket) => Guard(self, 1, conversation =>
    {
        conversation.CloseSocket(socket);
        return 0;
    });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint OnBytes(byte* bytes, nuint size, nuint count, nint self) => Guard(self, (nuint)0, conversation =>
    {
        conversation.Take(new ReadOnlySpan<byte>(bytes, (int)(size * count)));
        return size * count;
    });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint OnReply(byte* bytes, nuint size, nuint count, nint self) => Guard(self, (nuint)0, conversation =>
    {
        conversation.Hear(new ReadOnlySpan<byte>(bytes, (int)(size * count)));
        return size * count;
    });

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnHostKey(nint easy, CurlHostKey* known, CurlHostKey* shown, int match, nint self) => Guard(
        self, RefuseKey, conversation => conversation.Judge(new ReadOnlySpan<byte>(shown->Key, (int)shown->Length), match));
}
