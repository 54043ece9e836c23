using System.Globalization;
using System.Security.Cryptography;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Disks;

/// <summary>Grants to read the disk of one image for a while, good without a login: what a hypervisor is given.</summary>
/// <remarks>A ticket is sealed and not stored, so every node knows it. A disabled or deleted image ends it for new readers.</remarks>
/// <param name="seal">Must serve tickets alone: text that somebody had protected as another secret would else be a ticket.</param>
public sealed class DiskTickets(ImageDisks disks, ImageDownloads downloads, IDiskFormats formats, ISecretProtector seal, TimeProvider time)
{
    /// <summary>What the protector must be made for.</summary>
    public const string Purpose = "disk-tickets";

    public static readonly TimeSpan DefaultLifetime = TimeSpan.FromHours(24);
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(30);

    /// <summary>No ticket of ours comes near this; what is longer is not even decrypted.</summary>
    private const int MaxLength = 1024;

    /// <exception cref="ContentMissingException">The image has no content yet.</exception>
    /// <exception cref="ImageDisabledException">The image is disabled.</exception>
    /// <exception cref="InvalidFieldException">The lifetime is out of bounds.</exception>
    public async Task<DiskTicket> IssueAsync(ImageId image, Caller caller, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        if (lifetime <= TimeSpan.Zero || lifetime > LongestLifetime)
            throw new InvalidFieldException("lifetime", $"must be more than zero, and at most {LongestLifetime.TotalSeconds:0} seconds");

        // Whoever may read it now gets the ticket: what cannot be opened is said here, and not to the hypervisor.
        var opened = await disks.OpenAsync(image, caller, cancellationToken);
        await using (opened.Disk)
        {
            // An administrator may read it all the same, but a ticket is for those who may not.
            if (!opened.Image.Enabled)
                throw new ImageDisabledException(image);

            var expires = time.Now() + lifetime;
            return new DiskTicket(seal.Protect(string.Create(CultureInfo.InvariantCulture, $"{image} {expires.ToUnixTimeSeconds()}")), expires);
        }
    }

    /// <summary>Opens the disk that a ticket is for.</summary>
    /// <returns>Null where it is no ticket of ours, it is too old, or its image is gone or disabled.</returns>
    public async Task<ImageDisk?> OpenAsync(string ticket, CancellationToken cancellationToken)
    {
        if (Read(ticket) is not { } image)
            return null;

        try
        {
            var download = await downloads.OpenGrantedAsync(image, cancellationToken);
            return new ImageDisk(
                download.Image, download.Content, await formats.OpenAsync(download.Reader, download.Content.Format, download.Content.Container, cancellationToken));
        }
        catch (Exception gone) when (gone is ImageNotFoundException or ImageDisabledException or ContentMissingException)
        {
            return null;
        }
    }

    private ImageId? Read(string ticket)
    {
        if (ticket.Length is 0 or > MaxLength)
            return null;

        try
        {
            var parts = seal.Unprotect(ticket).Split(' ');
            return parts is [var id, var seconds] && Guid.TryParseExact(id, "D", out var image)
                && long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var expires) && expires > time.GetUtcNow().ToUnixTimeSeconds()
                ? new ImageId(image)
                : null;
        }
        catch (Exception error) when (error is CryptographicException or FormatException)
        {
            return null;
        }
    }
}

/// <param name="Value">A secret: whoever has it can read the disk.</param>
public sealed record DiskTicket(string Value, DateTimeOffset ExpiresAt)
{
    /// <summary>Never prints the ticket.</summary>
    public override string ToString() => $"a ticket until {ExpiresAt:u}";
}
