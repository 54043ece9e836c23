namespace Vitrine.Transfers;

/// <summary>Says who signed a publisher's checksums.</summary>
public interface IChecksumSignatures
{
    /// <summary>The operator named the publishers that are trusted, and nothing counts without a signature of one of them.</summary>
    bool AreDemanded { get; }

    /// <returns>The id of the trusted key that signed the text; null where none did.</returns>
    /// <exception cref="ChecksumSignatureException">Signatures cannot be checked here.</exception>
    Task<string?> FindSignerAsync(ReadOnlyMemory<byte> text, ReadOnlyMemory<byte> signature, CancellationToken cancellationToken);
}
