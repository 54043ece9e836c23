using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Disks;

/// <summary>The guests' disks that are in images.</summary>
public sealed class ImageDisks(ImageDownloads downloads, IDiskFormats formats)
{
    /// <summary>Opens the disk of an image, whatever its format. Who may download the image may read its disk.</summary>
    /// <exception cref="ContentMissingException">The image has no content yet, or every store has lost it.</exception>
    /// <exception cref="FormatNotSupportedException">There is no guest's disk in it.</exception>
    public async Task<ImageDisk> OpenAsync(ImageId id, Caller caller, CancellationToken cancellationToken)
    {
        var download = await downloads.OpenAsync(id, caller, cancellationToken);
        if (download.Image.ContainerFormat is ContainerFormat.Compressed or ContainerFormat.Docker or ContainerFormat.Ovf)
        {
            await download.Reader.DisposeAsync();
            throw new FormatNotSupportedException($"The image is kept as {download.Image.ContainerFormat.Value.Word()}, as it came: its disk is not looked for.");
        }

        var disk = await formats.OpenAsync(download.Reader, download.Content.Format, download.Content.Container, cancellationToken);
        return new ImageDisk(download.Image, download.Content, disk);
    }

    /// <summary>Makes content of another format of the disk of an image.</summary>
    /// <exception cref="ContentMissingException">The image has no content yet, or every store has lost it.</exception>
    /// <exception cref="FormatNotSupportedException">There is no guest's disk in it, or the target cannot be written.</exception>
    public async Task<ImageConversion> ConvertAsync(ImageId id, Caller caller, ConversionTarget target, CancellationToken cancellationToken)
    {
        var opened = await OpenAsync(id, caller, cancellationToken);
        return new ImageConversion(opened.Image, opened.Content, target, await formats.ConvertAsync(opened.Disk, target, cancellationToken));
    }
}

/// <summary>The disk of an image, opened for one reader, who disposes it.</summary>
/// <param name="Content">What the disk is in.</param>
public sealed record ImageDisk(Image Image, ContentFacts Content, Disk Disk);

/// <summary>An image in another format, for one reader, who disposes the conversion.</summary>
/// <param name="Content">What it is made of.</param>
public sealed record ImageConversion(Image Image, ContentFacts Content, ConversionTarget Target, DiskConversion Conversion);
