using System.Security.Cryptography;
using Vitrine.Content;
using Vitrine.Transfers;
using static Vitrine.ContractTests.Library.LibraryHome;

namespace Vitrine.ContractTests.Library;

/// <summary>Imports of what a chunked store has already.</summary>
public sealed class KnownContentTests : IDisposable
{
    private const int Size = 20 * Block + 1234;

    private readonly LibraryHome _home = new() { IsChunked = true };

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task A_file_that_comes_again_has_the_sums_that_it_had_the_first_time()
    {
        await using var node = await _home.StartAsync();
        var (first, content) = _home.Publish(Size);
        await ImportAsync(node, first);
        var known = await ImportAsync(node, _home.Publish(content), new Checksum(ChecksumAlgorithm.Sha512, Convert.ToHexStringLower(SHA512.HashData(content))));
        var summed = await ImportAsync(node, _home.Publish(content), new Checksum(ChecksumAlgorithm.Sha1, Convert.ToHexStringLower(SHA1.HashData(content))));

        foreach (var transfer in new[] { known, summed })
        {
            Assert.Equal(TransferState.Done, transfer.State);
            var facts = (await node.ImageAsync(transfer.Image)).Content!;
            Assert.Equal(
                (Digest.Of(content), Convert.ToHexStringLower(MD5.HashData(content)), Convert.ToHexStringLower(SHA512.HashData(content))),
                (facts.Digest, facts.Md5, facts.Sha512));
        }
    }

    [Theory]
    [InlineData(ChecksumAlgorithm.Sha512, 128)]
    [InlineData(ChecksumAlgorithm.Sha256, 64)]
    [InlineData(ChecksumAlgorithm.Sha1, 40)]
    public async Task A_file_that_comes_again_is_refused_where_another_sum_was_announced(ChecksumAlgorithm algorithm, int digits)
    {
        await using var node = await _home.StartAsync();
        var (first, content) = _home.Publish(Size);
        await ImportAsync(node, first);
        var other = await ImportAsync(node, _home.Publish(content), new Checksum(algorithm, new string('0', digits)));

        Assert.Equal((TransferState.Failed, "checksum-mismatch"), (other.State, other.Failure?.Code));
    }

    private static async Task<Transfer> ImportAsync(LibraryNode node, string url, Checksum? expected = null)
    {
        var (_, transfer) = await node.ImportAsync(url, expected, allowDuplicate: true);
        await node.RunAsync(transfer);
        return await node.TransferAsync(transfer);
    }
}
