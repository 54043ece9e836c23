using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>Which version of which image each store has a description of.</summary>
/// <remarks>Of two zones each describes in its own stores, and neither waits for the other.</remarks>
public interface IDescriptionCatalogue
{
    /// <summary>
    /// The images to see to in a store, by id: those that are there and were changed, or whose members were, since they were described
    /// there, and those that are described there and are there no longer.
    /// </summary>
    /// <param name="after">The last of the page before.</param>
    Task<IReadOnlyList<ImageId>> ListUndescribedAsync(string store, ImageId? after, int limit, CancellationToken cancellationToken);

    /// <summary>Says that somebody reads the image now to describe it in the store, or to remove its description.</summary>
    Task BeginAsync(string store, ImageId id, CancellationToken cancellationToken);

    /// <summary>Says that the store has a description of the image, or none; of no effect where its members were changed since that was begun.</summary>
    /// <param name="version">The version of the image that was described; null where the description was removed.</param>
    Task EndAsync(string store, ImageId id, long? version, CancellationToken cancellationToken);
}
