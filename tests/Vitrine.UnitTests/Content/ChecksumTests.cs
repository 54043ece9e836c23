using FsCheck;
using FsCheck.Fluent;
using Vitrine.Content;

namespace Vitrine.UnitTests.Content;

public sealed class ChecksumTests
{
    private const string Md5 = "0123456789abcdef0123456789abcdef";
    private const string Sha1 = Md5 + "01234567";
    private const string Sha224 = Sha1 + "89abcdef01234567";
    private const string Sha256 = Md5 + Md5;
    private const string Sha384 = Sha256 + Md5;
    private const string Sha512 = Sha256 + Sha256;

    [Theory]
    [InlineData("md5:" + Md5,            ChecksumAlgorithm.Md5,    Md5)]
    [InlineData("sha1:" + Sha1,          ChecksumAlgorithm.Sha1,   Sha1)]
    [InlineData("sha224:" + Sha224,      ChecksumAlgorithm.Sha224, Sha224)]
    [InlineData("sha256:" + Sha256,      ChecksumAlgorithm.Sha256, Sha256)]
    [InlineData("sha384:" + Sha384,      ChecksumAlgorithm.Sha384, Sha384)]
    [InlineData("sha512:" + Sha512,      ChecksumAlgorithm.Sha512, Sha512)]
    [InlineData("SHA-256:" + Sha256,     ChecksumAlgorithm.Sha256, Sha256)]
    [InlineData("{SHA-224}" + Sha224,    ChecksumAlgorithm.Sha224, Sha224)]
    [InlineData("{MD5}" + Md5,           ChecksumAlgorithm.Md5,    Md5)]
    [InlineData("{sha512}" + Sha512,     ChecksumAlgorithm.Sha512, Sha512)]
    [InlineData(Md5,                     ChecksumAlgorithm.Md5,    Md5)]
    [InlineData(Sha1,                    ChecksumAlgorithm.Sha1,   Sha1)]
    [InlineData(Sha224,                  ChecksumAlgorithm.Sha224, Sha224)]
    [InlineData(Sha256,                  ChecksumAlgorithm.Sha256, Sha256)]
    [InlineData(Sha384,                  ChecksumAlgorithm.Sha384, Sha384)]
    [InlineData(Sha512,                  ChecksumAlgorithm.Sha512, Sha512)]
    [InlineData("  sha256:" + Sha256 + "\n", ChecksumAlgorithm.Sha256, Sha256)]
    public void A_checksum_is_read_in_each_of_its_spellings(string text, ChecksumAlgorithm algorithm, string hex)
    {
        Assert.Equal(new Checksum(algorithm, hex), Checksum.Parse(text));
        Assert.Equal(new Checksum(algorithm, hex), Checksum.Parse(text.ToUpperInvariant()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("sha256:")]
    [InlineData("{SHA-256}")]
    [InlineData("{}" + Sha256)]
    [InlineData("{SHA-256" + Sha256)]
    [InlineData(":" + Sha256)]
    [InlineData("-:" + Sha256)]
    [InlineData("sha256:" + Md5)]
    [InlineData("md5:" + Sha256)]
    [InlineData("sha256:" + Sha256 + "0")]
    [InlineData("sha256: " + Sha256)]
    [InlineData("sha256:g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("crc32:01234567")]
    [InlineData("sha3:" + Sha256)]
    [InlineData("3:" + Sha256)]
    [InlineData("-3:" + Sha256)]
    [InlineData("+3:" + Sha256)]
    [InlineData(" 3:" + Sha256)]
    [InlineData("md5,sha224:" + Sha256)]
    [InlineData("01234567")]
    [InlineData("sha256:\u0661\u0662")]
    public void Other_text_is_refused_and_the_field_is_named(string text)
    {
        var refusal = Assert.Throws<InvalidFieldException>(() => Checksum.Parse(text, "expected"));
        Assert.Equal("expected", refusal.Field);
    }

    [Fact]
    public void A_long_name_of_an_algorithm_is_not_repeated_in_full()
    {
        var refusal = Assert.Throws<InvalidFieldException>(() => Checksum.Parse(new string('x', 5_000) + ":" + Sha256));
        Assert.True(refusal.Message.Length < 200, refusal.Message);
    }

    [Fact]
    public void What_is_written_is_read_back() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(),
        bytes => Enum.GetValues<ChecksumAlgorithm>().All(algorithm =>
        {
            var hex = string.Concat(Enumerable.Range(0, algorithm.HexLength()).Select(i => $"{(bytes.Length == 0 ? 0 : bytes[i % bytes.Length]):x2}"[1]));
            var checksum = new Checksum(algorithm, hex);
            return Checksum.Parse(checksum.ToString()) == checksum && Checksum.Parse(hex) == checksum;
        })).QuickCheckThrowOnFailure();

    [Fact]
    public void Text_that_is_no_checksum_is_refused_and_nothing_else_is_thrown() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNull<string>>(),
        text =>
        {
            try
            {
                return Checksum.Parse(text.Get).Hex.Length > 0;
            }
            catch (InvalidFieldException)
            {
                return true;
            }
        }).QuickCheckThrowOnFailure();
}
