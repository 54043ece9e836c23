using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Vitrine.Client;

/// <summary>The SHA-256 of a file, computed beside its transfer. Bytes may be given twice, but not out of order.</summary>
internal sealed class FileDigest : IDisposable
{
    private const int BlockSize = 256 * 1024;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>How many bytes of the file have been seen.</summary>
    public long Length { get; private set; }

    /// <summary>Takes the bytes at an offset; those that were seen already are passed over.</summary>
    public void Append(long offset, ReadOnlySpan<byte> bytes)
    {
        var known = (int)Math.Clamp(Length - offset, 0, bytes.Length);
        _hash.AppendData(bytes[known..]);
        Length += bytes.Length - known;
    }

    /// <summary>Reads what has not been seen, up to a length.</summary>
    public async Task CatchUpAsync(SafeFileHandle file, long length, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            while (Length < length)
            {
                var wanted = (int)Math.Min(buffer.Length, length - Length);
                var read = await RandomAccess.ReadAsync(file, buffer.AsMemory(0, wanted), Length, cancellationToken);
                if (read == 0)
                    throw FileChanged();
                Append(Length, buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>64 lower-case hexadecimal digits; nothing can be added afterwards.</summary>
    public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    public void Dispose() => _hash.Dispose();

    public static LibraryClientException FileChanged() => new(
        ClientCodes.FileChanged, "The file was changed while it was being sent.", "Make sure that nobody writes to it, and push it again.");
}
