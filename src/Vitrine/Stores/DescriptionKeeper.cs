using Microsoft.Extensions.Logging;
using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>Has a store keep a description of every image that it has, a few seconds behind the catalogue.</summary>
public sealed partial class DescriptionKeeper(
    IDescriptionCatalogue catalogue, IImageCatalogue images, IReplicaCatalogue replicas, StoreRegistry stores, ILogger<DescriptionKeeper> logger)
{
    private const int PageLength = 200;

    /// <summary>Writes down in one store what was changed since it was written down last.</summary>
    /// <remarks>Not to be run twice at once for a store, or the older of two descriptions of an image might be the last that is written.</remarks>
    public async Task RunAsync(string store, CancellationToken cancellationToken)
    {
        ImageId? after = null;
        while (await catalogue.ListUndescribedAsync(store, after, PageLength, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var id in page)
                await DescribeAsync(store, id, cancellationToken);

            after = page[^1];
        }
    }

    private async Task DescribeAsync(string store, ImageId id, CancellationToken cancellationToken)
    {
        await catalogue.BeginAsync(store, id, cancellationToken);
        if (await images.FindAsync(id, cancellationToken) is not { } image)
            return;

        var isThere = image.Status is ImageStatus.Active && (await replicas.ListAsync([id], cancellationToken))
            .Any(r => r.Store == store && r.State is ReplicaState.Ready or ReplicaState.Retired);
        try
        {
            await WriteAsync(store, image, isThere, cancellationToken);
            await catalogue.EndAsync(store, id, isThere ? image.Version : null, cancellationToken);
        }
        catch (LibraryException failure)
        {
            // The image's turn comes again.
            LogNotDescribed(failure, id, store);
        }
    }

    /// <summary>A store that keeps no descriptions lacks none.</summary>
    private async Task WriteAsync(string store, Image image, bool isThere, CancellationToken cancellationToken)
    {
        if (stores.Contents(store).Descriptions is not { } descriptions)
            return;

        if (isThere)
            await descriptions.SaveAsync(
                image.Id, ImageDescription.Of(image, await images.ListMembersAsync(image.Id, cancellationToken)).Write(), cancellationToken);
        else
            await descriptions.DeleteAsync(image.Id, cancellationToken);
    }

    [LoggerMessage(LogLevel.Warning, "Image {Image} was not described in store {Store}; it is tried again")]
    private partial void LogNotDescribed(Exception failure, ImageId image, string store);
}
