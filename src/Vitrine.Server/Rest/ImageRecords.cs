using Vitrine.Access;
using Vitrine.Client;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>Images with what belongs to them: where their content is, and what is or was bringing it.</summary>
internal sealed class ImageRecords(IReplicaCatalogue replicas, ITransferCatalogue transfers)
{
    public async Task<ImageRecord> OfAsync(Image image, Caller caller, CancellationToken cancellationToken) =>
        (await OfAsync([image], caller, cancellationToken))[0];

    public async Task<IReadOnlyList<ImageRecord>> OfAsync(
        IReadOnlyList<Image> images, Caller caller, CancellationToken cancellationToken)
    {
        if (images.Count == 0)
            return [];

        var copies = (await replicas.ListAsync([.. images.Select(i => i.Id)], cancellationToken)).ToLookup(r => r.Image);
        var records = new List<ImageRecord>(images.Count);
        foreach (var image in images)
            records.Add(WireRecords.From(image, await FindTransferAsync(image, caller, cancellationToken), copies[image.Id]));

        return records;
    }

    /// <summary>How content came is of interest until it is there, and is the project's own business.</summary>
    private async Task<Transfer?> FindTransferAsync(Image image, Caller caller, CancellationToken cancellationToken) =>
        image is { Status: not ImageStatus.Active, Transfer: { } id } && (caller.IsAdmin || image.Owner == caller.Project)
            ? await transfers.FindAsync(id, cancellationToken)
            : null;
}
