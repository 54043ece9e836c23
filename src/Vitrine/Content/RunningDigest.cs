using System.Security.Cryptography;

namespace Vitrine.Content;

/// <summary>A sum that is computed while bytes pass by.</summary>
internal sealed class RunningDigest : IDisposable
{
    private readonly IncrementalHash? _platform;
    private readonly OpenSslDigest? _openSsl;

    public RunningDigest(ChecksumAlgorithm algorithm)
    {
        Algorithm = algorithm;
        if (algorithm is ChecksumAlgorithm.Sha224)
            _openSsl = OpenSslDigest.Sha224();
        else
            _platform = IncrementalHash.CreateHash(NameOf(algorithm));
    }

    public ChecksumAlgorithm Algorithm { get; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _platform?.AppendData(bytes);
        _openSsl?.Append(bytes);
    }

    public byte[] Finish() => _platform?.GetHashAndReset() ?? _openSsl!.Finish();

    public void Dispose()
    {
        _platform?.Dispose();
        _openSsl?.Dispose();
    }

    private static HashAlgorithmName NameOf(ChecksumAlgorithm algorithm) => algorithm switch
    {
        ChecksumAlgorithm.Md5 => HashAlgorithmName.MD5,
        ChecksumAlgorithm.Sha1 => HashAlgorithmName.SHA1,
        ChecksumAlgorithm.Sha256 => HashAlgorithmName.SHA256,
        ChecksumAlgorithm.Sha384 => HashAlgorithmName.SHA384,
        ChecksumAlgorithm.Sha512 => HashAlgorithmName.SHA512,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
    };
}
