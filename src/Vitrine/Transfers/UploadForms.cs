using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.Transfers;

/// <summary>Grants to send the content of one image once, as one file of a form: what a page that knows no resumable uploads is given.</summary>
/// <remarks>
/// The grant is three texts, as the pages that use it expect: what it is for, when it ends, and a signature over both. None is stored. It is used up
/// when the image begins to receive content, whoever sends it, and stays so if that fails.
/// </remarks>
public sealed class UploadForms
{
    /// <summary>What the protector must be made for.</summary>
    public const string Purpose = "upload-forms";

    public static readonly TimeSpan DefaultLifetime = TimeSpan.FromHours(1);
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(7);

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
    private const string NoTransfer = "none";

    /// <summary>No text of ours comes near this; what is longer is not even decrypted.</summary>
    private const int MaxLength = 1024;

    private readonly ImageLibrary _library;
    private readonly IImageCatalogue _images;
    private readonly Standings _standings;
    private readonly ISecretProtector _seal;
    private readonly TimeProvider _time;

    /// <param name="seal">Must serve forms alone: text that somebody had protected as another secret would else be a grant.</param>
    public UploadForms(ImageLibrary library, IImageCatalogue images, IIdentityCatalogue identities, ISecretProtector seal, TimeProvider time)
    {
        (_library, _images, _standings, _seal, _time) = (library, images, new Standings(identities), seal, time);
    }

    /// <exception cref="ImageStatusException">The image has content, or is receiving it.</exception>
    /// <exception cref="InvalidFieldException">The lifetime is out of bounds.</exception>
    /// <exception cref="GrantsUnavailableException">The library does not know the caller, but the identity service of the cloud does.</exception>
    public async Task<UploadForm> IssueAsync(ImageId id, Caller caller, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        caller.RequireMember("upload an image");
        if (lifetime <= TimeSpan.Zero || lifetime > LongestLifetime)
            throw new InvalidFieldException("lifetime", $"must be more than zero, and at most {LongestLifetime.TotalSeconds:0} seconds");

        var image = await _library.GetOwnAsync(id, caller, cancellationToken);
        if (!image.IsQueued)
            throw new ImageStatusException(id, image.Status, ImageStatus.Queued);

        var grantee = Grantee.Of(caller);
        if (await grantee.FindAsync(_standings, _time.GetUtcNow(), cancellationToken) is null)
            throw new GrantsUnavailableException();

        var expires = (_time.Now() + lifetime).UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
        var metadata = _seal.Protect($"{id} {PreviousOf(image)} {grantee}");
        return new UploadForm(id, metadata, expires, _seal.Protect(Sum(id, metadata, expires)));
    }

    /// <summary>Lets whoever has the three texts send the content of the image.</summary>
    /// <returns>Whom they were given to, with the rights of this moment.</returns>
    /// <exception cref="TicketInvalidException">They are not ours, were altered, or are another image's.</exception>
    /// <exception cref="TicketExpiredException">Their time is over.</exception>
    /// <exception cref="TicketSpentException">They were used, the image is gone or has other content, or the caller may no longer.</exception>
    public async Task<Caller> AdmitAsync(UploadForm form, CancellationToken cancellationToken)
    {
        if (Read(form.Signature) != Sum(form.Image, form.Metadata, form.Expires) || Read(form.Metadata).Split(' ') is not [_, var previous, var user, var project, var credential])
            throw new TicketInvalidException();
        if (DateTimeOffset.ParseExact(form.Expires, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal) <= _time.GetUtcNow())
            throw new TicketExpiredException();

        var image = await _images.FindAsync(form.Image, cancellationToken);
        if (image is not { IsQueued: true } || PreviousOf(image) != previous)
            throw new TicketSpentException("the image has received or is receiving content, or is gone");

        return await Grantee.Of(user, project, credential).FindAsync(_standings, _time.GetUtcNow(), cancellationToken) is { IsMember: true } caller
            && (caller.IsAdmin || image.Owner == caller.Project)
            ? caller
            : throw new TicketSpentException("whom it was given to may no longer upload");
    }

    /// <summary>The transfer that the image had last: whatever it receives changes that.</summary>
    private static string PreviousOf(Image image) => image.Transfer?.ToString() ?? NoTransfer;

    private static string Sum(ImageId image, string metadata, string expires) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{image}\n{metadata}\n{expires}")));

    private string Read(string text)
    {
        if (text.Length is 0 or > MaxLength)
            throw new TicketInvalidException();

        try
        {
            return _seal.Unprotect(text);
        }
        catch (Exception error) when (error is CryptographicException or FormatException)
        {
            throw new TicketInvalidException();
        }
    }
}

/// <param name="Metadata">A secret, as is the signature: whoever has them can send the content.</param>
/// <param name="Expires">A time in UTC with milliseconds, as <c>2026-10-30T12:00:00.000Z</c>.</param>
public sealed record UploadForm(ImageId Image, string Metadata, string Expires, string Signature)
{
    /// <summary>Never prints the secrets.</summary>
    public override string ToString() => $"a form for image {Image} until {Expires}";
}
