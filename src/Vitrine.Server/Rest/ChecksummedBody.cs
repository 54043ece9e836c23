using System.Buffers;
using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>The body of a PATCH that announces its sum: held whole until it has come and is right, so that a wrong one leaves nothing behind.</summary>
internal sealed class ChecksummedBody : ReadOnlyStream
{
    /// <summary>The most bytes that one request with a sum may have.</summary>
    public const int MaxLength = 16 * 1024 * 1024;

    /// <summary>In tus's own words for them.</summary>
    public const string Algorithms = "md5,sha1,sha256";

    /// <summary>What is held at first, in bytes: a request that announces much and sends nothing costs no more.</summary>
    internal const int FirstPiece = 64 * 1024;

    private readonly Stream _body;
    private readonly string _algorithm;
    private readonly byte[] _sum;
    private readonly int _length;
    private byte[]? _held;
    private int _given;

    private ChecksummedBody(Stream body, string algorithm, byte[] sum, int length)
    {
        (_body, _algorithm, _sum, _length) = (body, algorithm, sum, length);
    }

    /// <returns>The body itself where no sum is announced.</returns>
    /// <exception cref="LimitExceededException">It is too long to be held.</exception>
    public static Stream Over(Stream body, HttpRequest request)
    {
        if (request.Headers[TusHeaders.Checksum].ToString() is not { Length: > 0 } announced)
            return body;
        if (request.ContentLength is not { } length)
            throw new InvalidFieldException("Content-Length", $"is needed with {TusHeaders.Checksum}");
        if (length > MaxLength)
            throw new LimitExceededException($"bytes of a request with {TusHeaders.Checksum}", MaxLength);

        var (algorithm, sum) = Parse(announced);
        return new ChecksummedBody(body, algorithm, sum, (int)length);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _held ??= await HoldAsync(cancellationToken);
        var count = Math.Min(buffer.Length, _length - _given);
        _held.AsSpan(_given, count).CopyTo(buffer.Span);
        _given += count;
        return count;
    }

    public override async ValueTask DisposeAsync()
    {
        if (_held is { } held)
            ArrayPool<byte>.Shared.Return(held);
        _held = null;
        await _body.DisposeAsync();
        await base.DisposeAsync();
    }

    private async Task<byte[]> HoldAsync(CancellationToken cancellationToken)
    {
        var held = ArrayPool<byte>.Shared.Rent(Math.Min(FirstPiece, _length));
        try
        {
            for (var filled = 0; filled < _length;)
            {
                if (filled == held.Length)
                    held = Grow(held);
                var read = await _body.ReadAsync(held.AsMemory(filled, Math.Min(held.Length, _length) - filled), cancellationToken);
                filled += read > 0 ? read : throw new EndOfStreamException();
            }

            return Hash(held.AsSpan(0, _length)).AsSpan().SequenceEqual(_sum) ? held : throw new UploadChecksumException(_algorithm);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(held);
            throw;
        }
    }

    /// <summary>Twice as much, with what has come: no more than that is held beyond it.</summary>
    private static byte[] Grow(byte[] held)
    {
        var larger = ArrayPool<byte>.Shared.Rent(2 * held.Length);
        held.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(held);
        return larger;
    }

    private byte[] Hash(ReadOnlySpan<byte> bytes) => _algorithm switch
    {
        "md5" => MD5.HashData(bytes),
        "sha1" => SHA1.HashData(bytes),
        _ => SHA256.HashData(bytes),
    };

    private static (string Algorithm, byte[] Sum) Parse(string announced)
    {
        var parts = announced.Split(' ');
        var length = parts[0] switch
        {
            "md5" => MD5.HashSizeInBytes,
            "sha1" => SHA1.HashSizeInBytes,
            "sha256" => SHA256.HashSizeInBytes,
            _ => throw new InvalidFieldException(TusHeaders.Checksum, $"must begin with one of {Algorithms}"),
        };
        var sum = new byte[length];
        return parts.Length == 2 && Convert.TryFromBase64String(parts[1], sum, out var written) && written == length
            ? (parts[0], sum)
            : throw new InvalidFieldException(TusHeaders.Checksum, "must be an algorithm, a space and the sum in base64");
    }
}
