using System.Runtime.CompilerServices;
using Vitrine.Images;

namespace Vitrine.Stores.Objects;

/// <summary>Keeps the description of each image as an object of its id.</summary>
/// <param name="open">The objects of the store, once it is known to be one.</param>
internal sealed class ObjectDescriptions(Func<CancellationToken, Task<IObjectStore>> open) : IImageDescriptions
{
    public const string Prefix = "images/";

    /// <summary>An image with every property and member that it may have takes less.</summary>
    private const int MostLength = 4 * 1024 * 1024;

    public async Task SaveAsync(ImageId image, ReadOnlyMemory<byte> document, CancellationToken cancellationToken) =>
        await (await open(cancellationToken)).PutAsync(NameOf(image), document, cancellationToken);

    public async Task DeleteAsync(ImageId image, CancellationToken cancellationToken) =>
        await (await open(cancellationToken)).DeleteAsync(NameOf(image), cancellationToken);

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var objects = await open(cancellationToken);
        await foreach (var found in objects.ListAsync(Prefix, cancellationToken))
        {
            if (await TryReadAsync(objects, found, cancellationToken) is { } document)
                yield return document;
        }
    }

    /// <returns>Null where it was deleted in this moment.</returns>
    private static async Task<ReadOnlyMemory<byte>?> TryReadAsync(IObjectStore objects, ObjectFacts found, CancellationToken cancellationToken)
    {
        var document = new byte[Math.Min(found.Length, MostLength)];
        try
        {
            var read = await objects.ReadAsync(found.Name, 0, document, cancellationToken);
            return document.AsMemory(0, read);
        }
        catch (ObjectMissingException)
        {
            return null;
        }
    }

    private static string NameOf(ImageId image) => $"{Prefix}{image}";
}
