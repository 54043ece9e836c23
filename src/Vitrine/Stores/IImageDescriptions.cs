using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>What a store keeps beside contents, so that a lost catalogue can be made anew: a document for each image that it has.</summary>
/// <remarks>A document is replaced in one step, and survives a power cut once the call that saved it has returned.</remarks>
public interface IImageDescriptions
{
    Task SaveAsync(ImageId image, ReadOnlyMemory<byte> document, CancellationToken cancellationToken);

    /// <summary>Removes the document; does nothing where there is none.</summary>
    Task DeleteAsync(ImageId image, CancellationToken cancellationToken);

    /// <summary>All documents, in no certain order.</summary>
    IAsyncEnumerable<ReadOnlyMemory<byte>> ListAsync(CancellationToken cancellationToken);
}
