using System.Text;
using Vitrine.Content;

namespace Vitrine.Transfers;

/// <summary>Finds what a publisher says the sum of a file is, beside the file.</summary>
/// <param name="signatures">Null where nobody can check any.</param>
public sealed class PublishedChecksums(SourceRegistry sources, TimeProvider time, IChecksumSignatures? signatures = null)
{
    // Debian's lists of all its images are some kilobytes long.
    private const int LongestList = 1024 * 1024;
    private const int LongestSignature = 64 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly string[] SignatureEndings = [".gpg", ".sign", ".asc", ".sig"];

    /// <exception cref="ChecksumNotPublishedException">There is none.</exception>
    /// <exception cref="ChecksumSignatureException">Nobody who is trusted signed it.</exception>
    /// <exception cref="SourceException">The publisher cannot be asked.</exception>
    public async Task<PublishedChecksum> FindAsync(Uri address, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await LookAsync(address, stop.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new SourceException(
                SourceFault.Stalled, $"{address.Host} did not give its checksums within {Patience.TotalSeconds:0} s.", mayPass: true);
        }
    }

    private async Task<PublishedChecksum> LookAsync(Uri address, CancellationToken cancellationToken)
    {
        var text = address.OriginalString.Split('?', '#')[0];
        var file = text[(text.LastIndexOf('/') + 1)..];
        foreach (var (list, algorithm, isOfOneFile) in ListsFor(file))
        {
            var place = new Uri(text[..^file.Length] + list);
            if (file.Length == 0 || await ReadAsync(place, LongestList, cancellationToken) is not { } bytes)
                continue;

            if (ChecksumList.Find(Encoding.UTF8.GetString(bytes), algorithm, Uri.UnescapeDataString(file), isOfOneFile) is { } found)
                return new PublishedChecksum(found, Uri.UnescapeDataString(list), await DemandSignerAsync(place, bytes, cancellationToken));
        }

        throw new ChecksumNotPublishedException("No list of checksums beside the file names it: neither SHA256SUMS, nor SHA512SUMS, nor one of its own.");
    }

    private static IEnumerable<(string List, ChecksumAlgorithm Algorithm, bool IsOfOneFile)> ListsFor(string file) =>
    [
        ("SHA256SUMS", ChecksumAlgorithm.Sha256, false),
        ($"{file}.sha256", ChecksumAlgorithm.Sha256, true),
        ("SHA512SUMS", ChecksumAlgorithm.Sha512, false),
        ($"{file}.sha512", ChecksumAlgorithm.Sha512, true),
    ];

    /// <returns>Null where no signature is asked for.</returns>
    private async Task<string?> DemandSignerAsync(Uri list, byte[] text, CancellationToken cancellationToken)
    {
        if (signatures is not { AreDemanded: true })
            return null;

        foreach (var ending in SignatureEndings)
        {
            if (await ReadAsync(new Uri(list.OriginalString + ending), LongestSignature, cancellationToken) is { } signature
                && await signatures.FindSignerAsync(text, signature, cancellationToken) is { } signer)
            {
                return signer;
            }
        }

        throw new ChecksumSignatureException("The publisher's checksums are not signed by a key that the operator trusts.");
    }

    /// <returns>Null where there is no such file, or one too long to be what it should be.</returns>
    private async Task<byte[]?> ReadAsync(Uri address, int most, CancellationToken cancellationToken)
    {
        try
        {
            await using var reading = await sources.For(address).OpenAsync(address, 0, validator: null, cancellationToken);
            var bytes = new byte[most + 1];
            var length = await reading.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
            return length <= most ? bytes[..length] : null;
        }
        catch (SourceException failure) when (failure is { Fault: SourceFault.Status, MayPass: false })
        {
            return null;
        }
    }
}

/// <summary>What a publisher says the sum of a file is.</summary>
/// <param name="List">The name of the file that says it.</param>
/// <param name="Signer">The id of the key that signed it; null where no signature was asked for.</param>
public sealed record PublishedChecksum(Checksum Checksum, string List, string? Signer)
{
    /// <summary>A sentence for whoever looks at the transfer.</summary>
    public string Note => Signer is null
        ? $"The publisher's {List} states {Checksum}."
        : $"The publisher's {List}, signed by the key {Signer}, states {Checksum}.";
}
