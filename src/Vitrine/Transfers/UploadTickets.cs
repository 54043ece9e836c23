using System.Globalization;
using System.Security.Cryptography;
using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.Transfers;

/// <summary>Grants to send the bytes of one upload for a while, good without a login: what a browser is given.</summary>
/// <remarks>
/// A ticket is sealed and not stored, so every node knows it. It can do no more than its caller could at the moment of its use, and
/// nothing once the upload has ended or the image receives its content by another.
/// </remarks>
public sealed class UploadTickets
{
    /// <summary>What the protector must be made for.</summary>
    public const string Purpose = "upload-tickets";

    public static readonly TimeSpan DefaultLifetime = TimeSpan.FromHours(1);
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(7);

    /// <summary>No ticket of ours comes near this; what is longer is not even decrypted.</summary>
    private const int MaxLength = 1024;

    private readonly ImageLibrary _library;
    private readonly IImageCatalogue _images;
    private readonly ITransferCatalogue _transfers;
    private readonly Standings _standings;
    private readonly ISecretProtector _seal;
    private readonly TimeProvider _time;

    /// <param name="seal">Must serve tickets alone: text that somebody had protected as another secret would else be a ticket.</param>
    public UploadTickets(
        ImageLibrary library, IImageCatalogue images, ITransferCatalogue transfers, IIdentityCatalogue identities, ISecretProtector seal, TimeProvider time)
    {
        (_library, _images, _transfers, _standings, _seal, _time) = (library, images, transfers, new Standings(identities), seal, time);
    }

    /// <summary>A ticket for the upload that the image is receiving.</summary>
    /// <exception cref="ImageStatusException">No upload of the image is open.</exception>
    /// <exception cref="InvalidFieldException">The lifetime is out of bounds.</exception>
    /// <exception cref="GrantsUnavailableException">The library does not know the caller, but the identity service of the cloud does.</exception>
    public async Task<UploadTicket> IssueAsync(ImageId id, Caller caller, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        caller.RequireMember("upload an image");
        if (lifetime <= TimeSpan.Zero || lifetime > LongestLifetime)
            throw new InvalidFieldException("lifetime", $"must be more than zero, and at most {LongestLifetime.TotalSeconds:0} seconds");

        var image = await _library.GetOwnAsync(id, caller, cancellationToken);
        if (image.Transfer is not { } transfer || await _transfers.FindAsync(transfer, cancellationToken) is not { Kind: TransferKind.Upload, IsOver: false })
            throw new ImageStatusException(id, image.Status, ImageStatus.Saving);

        var grantee = Grantee.Of(caller);
        if (await grantee.FindAsync(_standings, _time.GetUtcNow(), cancellationToken) is null)
            throw new GrantsUnavailableException();

        var expires = _time.Now() + lifetime;
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{image.Id} {transfer} {grantee} {expires.ToUnixTimeSeconds()}");
        return new UploadTicket(transfer, _seal.Protect(text), expires);
    }

    /// <summary>Lets whoever has the ticket work on its upload.</summary>
    /// <param name="toLook">
    /// Only to ask how far it is, which is answered after its end too: a browser that missed the last answer learns that all came.
    /// </param>
    /// <exception cref="TicketInvalidException">It is no ticket of ours, or was altered.</exception>
    /// <exception cref="TicketExpiredException">Its time is over.</exception>
    /// <exception cref="TicketSpentException">Its upload has ended, its image is gone or receives its content by another, or its caller may no longer.</exception>
    public async Task<UploadGrant> AdmitAsync(string ticket, bool toLook, CancellationToken cancellationToken)
    {
        var sealedText = Read(ticket);
        if (sealedText.Expires <= _time.GetUtcNow().ToUnixTimeSeconds())
            throw new TicketExpiredException();

        var image = await _images.FindAsync(sealedText.Image, cancellationToken);
        var transfer = await _transfers.FindAsync(sealedText.Transfer, cancellationToken);
        var isOpen = transfer is { IsOver: false } || (toLook && transfer is { State: TransferState.Done });
        if (!isOpen || image is not { Status: not ImageStatus.Deleted } || image.Transfer != sealedText.Transfer)
            throw new TicketSpentException("its upload has ended");

        return await sealedText.Grantee.FindAsync(_standings, _time.GetUtcNow(), cancellationToken) is { IsMember: true } caller
            && (caller.IsAdmin || transfer!.Project == caller.Project)
            ? new UploadGrant(sealedText.Transfer, caller)
            : throw new TicketSpentException("whom it was given to may no longer upload");
    }

    /// <summary>True for a ticket of the upload, whether its time is over or not: it names the upload, and grants nothing.</summary>
    public bool Names(string ticket, TransferId upload)
    {
        try
        {
            return Read(ticket).Transfer == upload;
        }
        catch (TicketInvalidException)
        {
            return false;
        }
    }

    private Sealed Read(string ticket)
    {
        if (ticket.Length is 0 or > MaxLength)
            throw new TicketInvalidException();

        try
        {
            var parts = _seal.Unprotect(ticket).Split(' ');
            return parts is [var image, var transfer, var user, var project, var credential, var seconds]
                && Guid.TryParseExact(image, "D", out var imageId) && TransferId.TryParse(transfer, out var transferId)
                && long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var expires)
                ? new Sealed(new ImageId(imageId), transferId, Grantee.Of(user, project, credential), expires)
                : throw new TicketInvalidException();
        }
        catch (Exception error) when (error is CryptographicException or FormatException)
        {
            throw new TicketInvalidException();
        }
    }

    /// <param name="Expires">In seconds since 1970.</param>
    private sealed record Sealed(ImageId Image, TransferId Transfer, Grantee Grantee, long Expires);
}

/// <param name="Value">A secret: whoever has it can send the content.</param>
public sealed record UploadTicket(TransferId Transfer, string Value, DateTimeOffset ExpiresAt)
{
    /// <summary>Never prints the ticket.</summary>
    public override string ToString() => $"a ticket for upload {Transfer} until {ExpiresAt:u}";
}

/// <summary>What a ticket is good for.</summary>
/// <param name="Caller">Whom it was given to, with the rights of this moment.</param>
public sealed record UploadGrant(TransferId Transfer, Caller Caller);

/// <summary>Says no more, so that nothing can be guessed from it.</summary>
public sealed class TicketInvalidException() : LibraryException("The ticket is none of this library, or was altered.")
{
    public override string Code => "ticket-invalid";

    public override string Remedy => "Ask for a new ticket.";
}

public sealed class TicketExpiredException() : LibraryException("The ticket's time is over.")
{
    public override string Code => "ticket-expired";

    public override string Remedy => "Ask for a new ticket; the upload goes on where it was.";
}

/// <summary>The ticket is genuine and has nothing left to grant.</summary>
public sealed class TicketSpentException(string reason) : LibraryException($"The ticket is good for nothing any more: {reason}.")
{
    public string Reason { get; } = reason;

    public override string Code => "ticket-spent";

    public override string Remedy => "Look at the image; begin a new upload if it has no content.";
}

/// <summary>A grant has the rights of its caller at the moment of its use, and only the library's own identity tells those without a login.</summary>
public sealed class GrantsUnavailableException()
    : LibraryException("Uploads without a login cannot be granted: the identity service of the cloud knows the user, and says nothing without a login.")
{
    public override string Code => "grants-unavailable";

    public override string Remedy => "Send the content with a token.";
}
