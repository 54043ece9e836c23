using System.Security.Cryptography;
using System.Text;
using Vitrine.Content;

namespace Vitrine.UnitTests.Content;

public sealed class RunningDigestTests
{
    // The examples of FIPS 180-4 for SHA-224, and its first million letters.
    [Theory]
    [InlineData("",                                                         1,         "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f")]
    [InlineData("abc",                                                      1,         "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,         "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525")]
    [InlineData("a",                                                        1_000_000, "20794655980c91d8bbb4c1ea97618a4bf03f42581948b2ee4ee7ad67")]
    public void Sha224_gives_the_published_sums(string text, int times, string expected)
    {
        using var digest = new RunningDigest(ChecksumAlgorithm.Sha224);
        for (var i = 0; i < times; i++)
            digest.Append(Encoding.ASCII.GetBytes(text));

        Assert.Equal(expected, Convert.ToHexStringLower(digest.Finish()));
    }

    [Theory]
    [InlineData(ChecksumAlgorithm.Md5)]
    [InlineData(ChecksumAlgorithm.Sha1)]
    [InlineData(ChecksumAlgorithm.Sha256)]
    [InlineData(ChecksumAlgorithm.Sha384)]
    [InlineData(ChecksumAlgorithm.Sha512)]
    public void The_others_give_the_sums_of_the_platform_however_the_bytes_are_cut(ChecksumAlgorithm algorithm)
    {
        var random = new Random(7);
        var bytes = new byte[100_000];
        random.NextBytes(bytes);
        using var digest = new RunningDigest(algorithm);
        for (var given = 0; given < bytes.Length;)
        {
            var count = Math.Min(random.Next(0, 5_000), bytes.Length - given);
            digest.Append(bytes.AsSpan(given, count));
            given += count;
        }

        Assert.Equal(Platform(algorithm, bytes), digest.Finish());
    }

    private static byte[] Platform(ChecksumAlgorithm algorithm, byte[] bytes) => algorithm switch
    {
        ChecksumAlgorithm.Md5 => MD5.HashData(bytes),
        ChecksumAlgorithm.Sha1 => SHA1.HashData(bytes),
        ChecksumAlgorithm.Sha256 => SHA256.HashData(bytes),
        ChecksumAlgorithm.Sha384 => SHA384.HashData(bytes),
        _ => SHA512.HashData(bytes),
    };
}
