using System.Text;
using Vitrine.Content;
using Vitrine.Sources;
using Vitrine.Sources.Signatures;
using Vitrine.Testing;
using Vitrine.Testing.Sources;
using Vitrine.Transfers;

namespace Vitrine.ContractTests.Sources;

/// <summary>What a publisher says beside a file, and who signed it.</summary>
public sealed class PublishedChecksumsTests : IAsyncDisposable
{
    private const string File = "disk 1.qcow2";
    private readonly HttpRig _rig = new HttpRig().AllowLoopback();
    private readonly ScriptedHttpServer _server = ScriptedHttpServer.Start();
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory();
    private readonly string _sum = new('a', 64);
    private readonly string _long = new('b', 128);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("SHA256SUMS", "{0}  disk 1.qcow2\n")]
    [InlineData("SHA256SUMS", "{1}  other.qcow2\n{0} *disk 1.qcow2\n")]
    [InlineData("SHA256SUMS", "# a list\r\n{0} *./disk 1.qcow2\r\n")]
    [InlineData("SHA256SUMS", "SHA256 (disk 1.qcow2) = {0}\n")]
    [InlineData("SHA256SUMS", "SHA512 (disk 1.qcow2) = {2}\nSHA256 (disk 1.qcow2) = {0}\n")]
    [InlineData("disk%201.qcow2.sha256", "{0}\n")]
    [InlineData("disk%201.qcow2.sha256", "{0}  disk 1.qcow2\n")]
    public async Task It_is_found_in_every_usual_form(string list, string text)
    {
        Publish(list, string.Format(text, _sum, new string('c', 64), _long));

        var found = await FindAsync();
        Assert.Equal(new Checksum(ChecksumAlgorithm.Sha256, _sum), found.Checksum);
        Assert.Equal(Uri.UnescapeDataString(list), found.List);
    }

    [Fact]
    public async Task A_stronger_sum_is_taken_where_there_is_no_other()
    {
        Publish("SHA256SUMS", $"{_sum}  other.qcow2\n");
        Publish("SHA512SUMS", $"{_long}  {File}\n");

        Assert.Equal(new Checksum(ChecksumAlgorithm.Sha512, _long), (await FindAsync()).Checksum);
    }

    [Theory]
    [InlineData("{0}  disk 1.qcow2.xz\n")]
    [InlineData("{0}  folder/disk 1.qcow2\n")]
    [InlineData("{0}\n")]
    [InlineData("aaaa  disk 1.qcow2\n")]
    [InlineData("<html>disk 1.qcow2</html>")]
    [InlineData("")]
    [InlineData("{0}  disk 1.qcow2\n{1}  disk 1.qcow2\n")]
    public async Task What_does_not_name_the_file_once_says_nothing(string text)
    {
        Publish("SHA256SUMS", string.Format(text, _sum, new string('c', 64)));
        await Assert.ThrowsAsync<ChecksumNotPublishedException>(FindAsync);
    }

    [Fact]
    public async Task A_list_without_end_is_not_read_to_it()
    {
        var list = _server.Serve("/images/SHA256SUMS", ScriptedContent.Generated(long.MaxValue / 2));

        await Assert.ThrowsAsync<ChecksumNotPublishedException>(FindAsync);
        Assert.InRange(list.BytesSent, 1, 64 * 1024 * 1024);
    }

    [Fact]
    public async Task A_publisher_that_is_away_is_not_one_without_checksums()
    {
        _server.Serve("/images/SHA256SUMS", ScriptedContent.Of([])).Status = 503;
        Assert.True((await Assert.ThrowsAsync<SourceException>(FindAsync)).MayPass);
    }

    [Fact]
    public async Task A_list_elsewhere_is_guarded_as_the_file_is()
    {
        _server.Redirect("/images/SHA256SUMS", "http://169.254.169.254/latest");
        Assert.Equal(SourceFault.Refused, (await Assert.ThrowsAsync<SourceException>(FindAsync)).Fault);
    }

    [FactWithTool("gpgv")]
    public async Task A_signature_of_a_trusted_key_is_demanded_where_there_is_a_keyring()
    {
        var (trusted, stranger) = (await MakeKeyAsync("trusted"), await MakeKeyAsync("stranger"));
        var signatures = new GpgSignatures(new SourceOptions { ChecksumKeyring = Path.Combine(trusted, "ring.gpg") });
        var text = $"{_sum}  {File}\n";
        Publish("SHA256SUMS", text);
        await RefuseAsync(signatures);

        Publish("SHA256SUMS.gpg", await SignAsync(stranger, text));
        await RefuseAsync(signatures);
        Publish("SHA256SUMS.gpg", await SignAsync(trusted, text + "x"));
        await RefuseAsync(signatures);
        Publish("SHA256SUMS.gpg", Encoding.UTF8.GetBytes("no signature"));
        await RefuseAsync(signatures);

        // Publishers sign with several keys, not all of which an operator needs to know.
        Publish("SHA256SUMS.sign", [.. await SignAsync(stranger, text), .. await SignAsync(trusted, text)]);
        var found = await FindAsync(signatures);
        Assert.Equal(_sum, found.Checksum.Hex);
        Assert.Matches("^[0-9A-F]{16}$", found.Signer);
        Assert.Contains(found.Signer!, found.Note);
    }

    [Theory]
    [InlineData("[GNUPG:] GOODSIG ABCD name\n[GNUPG:] VALIDSIG 1234\n", "ABCD")]
    [InlineData("[GNUPG:] ERRSIG 1\n[GNUPG:] GOODSIG ABCD name\n[GNUPG:] VALIDSIG 1234\n", "ABCD")]
    [InlineData("[GNUPG:] EXPKEYSIG ABCD name\n[GNUPG:] VALIDSIG 1234\n", null)]
    [InlineData("[GNUPG:] REVKEYSIG ABCD name\n[GNUPG:] VALIDSIG 1234\n", null)]
    [InlineData("[GNUPG:] BADSIG ABCD name\n[GNUPG:] GOODSIG EF01 name\n[GNUPG:] VALIDSIG 1234\n", null)]
    [InlineData("[GNUPG:] GOODSIG ABCD name\n", null)]
    [InlineData("x[GNUPG:] GOODSIG ABCD name\n x[GNUPG:] VALIDSIG 1234\n", null)]
    [InlineData("", null)]
    public void Only_a_good_signature_by_a_key_that_still_counts_is_one(string status, string? signer) =>
        Assert.Equal(signer, GpgSignatures.SignerIn(status));

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _rig.Dispose();
        _home.Delete(recursive: true);
    }

    private void Publish(string list, string text) => Publish(list, Encoding.UTF8.GetBytes(text));

    private void Publish(string list, byte[] bytes) => _server.Serve($"/images/{list}", ScriptedContent.Of(bytes));

    private Task<PublishedChecksum> FindAsync() => FindAsync(signatures: null);

    private Task<PublishedChecksum> FindAsync(IChecksumSignatures? signatures) =>
        new PublishedChecksums(new SourceRegistry([_rig.Source]), _rig.Time, signatures)
            .FindAsync(_server.AddressOf("/images/disk%201.qcow2?token=1", login: "user:word"), Stop);

    private async Task RefuseAsync(IChecksumSignatures signatures) =>
        await Assert.ThrowsAsync<ChecksumSignatureException>(() => FindAsync(signatures));

    /// <returns>The home of a new key, with its public part in <c>ring.gpg</c>.</returns>
    private async Task<string> MakeKeyAsync(string name)
    {
        var home = _home.CreateSubdirectory(name).FullName;
        await GpgAsync(home, "--passphrase", "", "--quick-generate-key", $"{name}@example.org", "ed25519", "sign", "never");
        await GpgAsync(home, "--output", Path.Combine(home, "ring.gpg"), "--export");
        return home;
    }

    private static async Task<byte[]> SignAsync(string home, string text)
    {
        var file = Path.Combine(home, "list");
        await System.IO.File.WriteAllTextAsync(file, text, Stop);
        await GpgAsync(home, "--yes", "--detach-sign", file);
        return await System.IO.File.ReadAllBytesAsync(file + ".sig", Stop);
    }

    private static Task GpgAsync(string home, params string[] arguments) =>
        Tool.RunAsync("gpg", ["--batch", "--quiet", "--homedir", home, "--pinentry-mode", "loopback", .. arguments], Stop);
}
