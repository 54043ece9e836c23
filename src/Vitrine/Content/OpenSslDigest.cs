using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Content;

/// <summary>The one sum that the platform does not offer, SHA-224, by the OpenSSL that .NET itself uses on Linux.</summary>
/// <remarks>The calls are those of EVP_DigestInit(3). Nothing else in this project is native.</remarks>
internal sealed partial class OpenSslDigest : IDisposable
{
    private const string Library = "libcrypto.so.3";
    private const int MaxHashSize = 64; // EVP_MAX_MD_SIZE

    private readonly DigestContext _context;

    private OpenSslDigest(DigestContext context) => _context = context;

    public static OpenSslDigest Sha224()
    {
        var context = EVP_MD_CTX_new();
        Check(context.IsInvalid ? 0 : EVP_DigestInit_ex(context, EVP_sha224(), nint.Zero));
        return new OpenSslDigest(context);
    }

    public void Append(ReadOnlySpan<byte> bytes) => Check(EVP_DigestUpdate(_context, bytes, (nuint)bytes.Length));

    public byte[] Finish()
    {
        Span<byte> hash = stackalloc byte[MaxHashSize];
        Check(EVP_DigestFinal_ex(_context, hash, out var length));
        return hash[..(int)length].ToArray();
    }

    public void Dispose() => _context.Dispose();

    private static void Check(int result)
    {
        if (result != 1)
            throw new InvalidOperationException("OpenSSL could not compute a digest.");
    }

    [LibraryImport(Library)]
    private static partial DigestContext EVP_MD_CTX_new();

    [LibraryImport(Library)]
    private static partial void EVP_MD_CTX_free(nint context);

    [LibraryImport(Library)]
    private static partial nint EVP_sha224();

    [LibraryImport(Library)]
    private static partial int EVP_DigestInit_ex(DigestContext context, nint type, nint engine);

    [LibraryImport(Library)]
    private static partial int EVP_DigestUpdate(DigestContext context, ReadOnlySpan<byte> bytes, nuint length);

    [LibraryImport(Library)]
    private static partial int EVP_DigestFinal_ex(DigestContext context, Span<byte> hash, out uint length);

    internal sealed class DigestContext() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
    {
        protected override bool ReleaseHandle()
        {
            EVP_MD_CTX_free(handle);
            return true;
        }
    }
}
