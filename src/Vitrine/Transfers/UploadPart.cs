using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>One of several stretches of an upload that a client sends beside each other, staged by itself until all are put together.</summary>
/// <param name="Number">From 1; names the part within its upload.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Moved">The bytes that the store was last known to hold of it.</param>
/// <param name="Place">Where it stands among those that make the whole, from 0; null while the client has not said so.</param>
public sealed record UploadPart(TransferId Upload, int Number, long Length, long Moved, int? Place, DateTimeOffset CreatedAt)
{
    public bool IsWhole => Moved == Length;

    public StagingKey Key => StagingKey.OfPart(Upload, Number);
}

/// <summary>Where the parts of uploads are kept. Those of an upload that is over are gone with its end.</summary>
public interface IUploadPartCatalogue
{
    /// <summary>In the order of their numbers.</summary>
    Task<IReadOnlyList<UploadPart>> ListAsync(TransferId upload, CancellationToken cancellationToken);

    /// <summary>Replaces the parts of an upload by what is decided on them; two changes of one upload wait for each other.</summary>
    /// <param name="decide">Given the parts in the order of their numbers; may be asked again.</param>
    /// <returns>The parts as they are now.</returns>
    Task<IReadOnlyList<UploadPart>> ChangeAsync(
        TransferId upload, Func<IReadOnlyList<UploadPart>, IReadOnlyList<UploadPart>> decide, CancellationToken cancellationToken);
}
