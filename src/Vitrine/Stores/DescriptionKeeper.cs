using Microsoft.Extensions.Logging;
using Vitrine.Images;

namespace Vitrine.Stores;

/// <summary>Has each store keep a description of every image that it has, a few seconds behind the catalogue.</summary>
public sealed partial class DescriptionKeeper(
    IImageCatalogue images, IReplicaCatalogue replicas, StoreRegistry stores, ILogger<DescriptionKeeper> logger)
{
    private const int PageLength = 200;

    /// <summary>Writes down what was changed since it was written down last.</summary>
    /// <remarks>Not to be run twice at once, or the older of two descriptions of an image might be the last that is written.</remarks>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        ImageId? after = null;
        while (await images.ListUndescribedAsync(after, PageLength, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var id in page.Select(i => i.Id))
            {
                await images.BeginDescriptionAsync(id, cancellationToken);
                if (await images.FindAsync(id, cancellationToken) is { } image && await TryDescribeAsync(image, cancellationToken))
                    await images.EndDescriptionAsync(image, cancellationToken);
            }

            after = page[^1].Id;
        }
    }

    /// <returns>False where a store did not answer, or is not reached from here; the image's turn comes again.</returns>
    private async Task<bool> TryDescribeAsync(Image image, CancellationToken cancellationToken)
    {
        var having = (await replicas.ListAsync([image.Id], cancellationToken))
            .Where(r => r.State is ReplicaState.Ready or ReplicaState.Retired).Select(r => r.Store).ToHashSet(StringComparer.Ordinal);
        var document = image.Status is ImageStatus.Active
            ? ImageDescription.Of(image, await images.ListMembersAsync(image.Id, cancellationToken)).Write()
            : null;

        // What only another zone's nodes reach, they describe.
        var isDone = having.All(stores.Has);
        foreach (var store in stores.All.Select(s => s.Name))
        {
            if (stores.Contents(store).Descriptions is { } descriptions)
                isDone &= await TryAsync(store, image, () => document is not null && having.Contains(store)
                    ? descriptions.SaveAsync(image.Id, document, cancellationToken)
                    : descriptions.DeleteAsync(image.Id, cancellationToken));
        }

        return isDone;
    }

    private async Task<bool> TryAsync(string store, Image image, Func<Task> write)
    {
        try
        {
            await write();
            return true;
        }
        catch (LibraryException failure)
        {
            LogNotDescribed(failure, image.Id, store);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Warning, "Image {Image} was not described in store {Store}; it is tried again")]
    private partial void LogNotDescribed(Exception failure, ImageId image, string store);
}
