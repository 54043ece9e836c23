using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Sources.FileServers;

/// <summary>The distribution's libcurl (package libcurl4), which speaks FTP, and SFTP through libssh2.</summary>
/// <remarks>
/// The calls, options and codes are those of curl.h and multi.h, and keep their numbers for ever. An option takes a number, a
/// pointer or a text; where C has one function for all, there is one declaration for each here.
/// </remarks>
internal static unsafe partial class LibCurl
{
    private const string Library = "libcurl.so.4";
    private const int GlobalAll = 3; // CURL_GLOBAL_ALL

    private static readonly Lazy<bool> Started = new(() => curl_global_init(GlobalAll) == CurlCode.Ok);

    /// <returns>False where there is no libcurl, or one that cannot be used.</returns>
    public static bool TryStart()
    {
        try
        {
            return Started.Value;
        }
        catch (DllNotFoundException)
        {
            return false;
        }
    }

    public static void Set(CurlEasy easy, CurlOption option, long value) => Check(curl_easy_setopt(easy, option, value), option);

    public static void Set(CurlEasy easy, CurlOption option, nint value) => Check(curl_easy_setopt(easy, option, value), option);

    public static void Set(CurlEasy easy, CurlOption option, string value) => Check(curl_easy_setopt(easy, option, value), option);

    public static long Get(CurlEasy easy, CurlInfo info)
    {
        long value = -1;
        return curl_easy_getinfo(easy, info, &value) == CurlCode.Ok ? value : -1;
    }

    /// <summary>Does what can be done without waiting.</summary>
    /// <returns>False once nothing is left to do.</returns>
    public static bool Perform(CurlMulti multi)
    {
        int running;
        return curl_multi_perform(multi, &running) == 0 && running > 0;
    }

    /// <summary>Waits until there is something to do, or somebody wakes it.</summary>
    public static void Poll(CurlMulti multi, TimeSpan time)
    {
        int ready;
        _ = curl_multi_poll(multi, 0, 0, (int)time.TotalMilliseconds, &ready);
    }

    /// <summary>What a transfer that has ended came to.</summary>
    public static CurlCode ResultOf(CurlMulti multi)
    {
        int left;
        var message = curl_multi_info_read(multi, &left);
        return message is null ? CurlCode.AbortedByCallback : message->Result;
    }

    private static void Check(CurlCode code, CurlOption option)
    {
        if (code != CurlCode.Ok)
            throw new NotSupportedException($"libcurl does not take the option {option}: {(int)code}.");
    }

    [LibraryImport(Library)]
    public static partial CurlEasy curl_easy_init();

    [LibraryImport(Library)]
    public static partial CurlMulti curl_multi_init();

    [LibraryImport(Library)]
    public static partial int curl_multi_add_handle(CurlMulti multi, CurlEasy easy);

    [LibraryImport(Library)]
    public static partial int curl_multi_remove_handle(CurlMulti multi, CurlEasy easy);

    // May be called from any thread, as the only one.
    [LibraryImport(Library)]
    public static partial int curl_multi_wakeup(CurlMulti multi);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint curl_slist_append(nint list, string text);

    [LibraryImport(Library)]
    public static partial void curl_slist_free_all(nint list);

    [LibraryImport(Library)]
    private static partial CurlCode curl_global_init(long flags);

    [LibraryImport(Library)]
    private static partial void curl_easy_cleanup(nint easy);

    [LibraryImport(Library)]
    private static partial CurlCode curl_easy_setopt(CurlEasy easy, CurlOption option, long value);

    [LibraryImport(Library)]
    private static partial CurlCode curl_easy_setopt(CurlEasy easy, CurlOption option, nint value);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial CurlCode curl_easy_setopt(CurlEasy easy, CurlOption option, string value);

    [LibraryImport(Library)]
    private static partial CurlCode curl_easy_getinfo(CurlEasy easy, CurlInfo info, long* value);

    [LibraryImport(Library)]
    private static partial int curl_multi_cleanup(nint multi);

    [LibraryImport(Library)]
    private static partial int curl_multi_perform(CurlMulti multi, int* running);

    [LibraryImport(Library)]
    private static partial int curl_multi_poll(CurlMulti multi, nint more, uint count, int milliseconds, int* ready);

    [LibraryImport(Library)]
    private static partial CurlMessage* curl_multi_info_read(CurlMulti multi, int* left);

    /// <summary>CURL: what one transfer is to do.</summary>
    internal sealed class CurlEasy() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
    {
        protected override bool ReleaseHandle()
        {
            curl_easy_cleanup(handle);
            return true;
        }
    }

    /// <summary>CURLM: keeps the connections, which end with it.</summary>
    internal sealed class CurlMulti() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
    {
        protected override bool ReleaseHandle() => curl_multi_cleanup(handle) == 0;
    }

    /// <summary>struct CURLMsg</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct CurlMessage
    {
        public readonly int Kind;
        public readonly nint Easy;
        public readonly CurlCode Result;
    }

    /// <summary>struct curl_sockaddr, before the address itself.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct CurlAddress
    {
        public readonly int Family;
        public readonly int SocketType;
        public readonly int Protocol;
        public readonly uint Length;
    }

    /// <summary>struct curl_khkey</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct CurlHostKey
    {
        public readonly byte* Key;
        public readonly nuint Length;
        public readonly int Kind;
    }
}

/// <summary>CURLoption</summary>
internal enum CurlOption
{
    BufferSize = 98,
    ConnectTimeoutMs = 156,
    DisallowUsernameInUrl = 278,
    FileTime = 69,
    FtpSkipPasvIp = 137,
    HeaderData = 10_029,
    HeaderFunction = 20_079,
    IgnoreContentLength = 136,
    KeyPassword = 10_026,
    NoBody = 44,
    NoProxy = 10_177,
    NoSignal = 99,
    Password = 10_174,
    PathAsIs = 234,
    PreQuote = 10_093,
    ProtocolsStr = 10_318,
    Resolve = 10_203,
    ResumeFromLarge = 30_116,
    SocketCloseFunction = 20_208, // CLOSESOCKETFUNCTION
    SocketCloseData = 10_209,
    SocketOpenFunction = 20_163, // OPENSOCKETFUNCTION
    SocketOpenData = 10_164,
    SocketOptionFunction = 20_148, // SOCKOPTFUNCTION
    SshAuthTypes = 151,
    SshKeyData = 10_185,
    SshKeyFunction = 20_184,
    SshKnownHosts = 10_183,
    SshPrivateKeyFile = 10_153,
    Url = 10_002,
    Username = 10_173,
    WriteData = 10_001,
    WriteFunction = 20_011,
}

/// <summary>CURLINFO</summary>
internal enum CurlInfo
{
    ResponseCode = 0x20_0002,
    FileTime = 0x60_000E, // FILETIME_T
    ContentLengthDownload = 0x60_000F, // CONTENT_LENGTH_DOWNLOAD_T
}

/// <summary>CURLcode, as far as one of them means something of its own here.</summary>
internal enum CurlCode
{
    Ok = 0,
    UnsupportedProtocol = 1,
    FailedInit = 2,
    CouldntConnect = 7,
    WeirdServerReply = 8,
    RemoteAccessDenied = 9,
    FtpWeirdPassReply = 11,
    FtpWeirdPasvReply = 13,
    FtpWeird227Format = 14,
    FtpCantGetHost = 15,
    FtpCouldntSetType = 17,
    PartialFile = 18,
    FtpCouldntRetrFile = 19,
    WriteError = 23,
    OperationTimedOut = 28,
    FtpCouldntUseRest = 31,
    AbortedByCallback = 42,
    GotNothing = 52,
    SendError = 55,
    RecvError = 56,
    PeerFailedVerification = 60,
    LoginDenied = 67,
    RemoteFileNotFound = 78,
    Ssh = 79,
}
