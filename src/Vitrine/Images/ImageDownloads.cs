using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Images;

/// <summary>Content on its way out.</summary>
public sealed class ImageDownloads(ImageLibrary library, ReplicaReaders readers)
{
    /// <summary>Opens the exact bytes that were uploaded or imported.</summary>
    /// <exception cref="ContentMissingException">The image has no content yet, or every store has lost it.</exception>
    /// <exception cref="ImageDisabledException">The image is disabled and the caller no administrator.</exception>
    public async Task<ImageDownload> OpenAsync(ImageId id, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("download an image");
        return await OpenAsync(await library.GetAsync(id, caller, cancellationToken), evenDisabled: caller.IsAdmin, cancellationToken);
    }

    /// <summary>The same for somebody to whom it was granted before.</summary>
    /// <exception cref="ImageNotFoundException">The image was deleted since.</exception>
    internal async Task<ImageDownload> OpenGrantedAsync(ImageId id, CancellationToken cancellationToken) =>
        await OpenAsync(await library.GetAsync(id, cancellationToken), evenDisabled: false, cancellationToken);

    private async Task<ImageDownload> OpenAsync(Image image, bool evenDisabled, CancellationToken cancellationToken)
    {
        if (image is not { Status: ImageStatus.Active, Content: { } content })
            throw new ContentMissingException($"Image {image.Id}");
        if (!image.Enabled && !evenDisabled)
            throw new ImageDisabledException(image.Id);

        return new ImageDownload(image, content, await readers.OpenAsync(image.Id, content.Digest, cancellationToken));
    }
}

/// <summary>Content opened for one reader, who disposes the <see cref="Reader"/>.</summary>
public sealed record ImageDownload(Image Image, ContentFacts Content, ContentReader Reader);
