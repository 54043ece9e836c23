using System.Collections.Immutable;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Transfers;

namespace Vitrine.Images;

/// <summary>A described thing that can be booted, installed from or attached: facts plus, once active, content.</summary>
/// <remarks>
/// Changes of state are the methods below; they answer the next record and store nothing. <see cref="ImageRules"/> says
/// which values may stand together.
/// </remarks>
public sealed record Image
{
    public required ImageId Id { get; init; }
    public required ProjectId Owner { get; init; }

    /// <summary>The identity domain of the owner; a public image is seen in this domain.</summary>
    public string Domain { get; init; } = IdentityIds.DefaultDomain;

    /// <summary>Null only for images made through a face that lets it be left out.</summary>
    public string? Name { get; init; }

    public string Description { get; init; } = "";
    public ImageStatus Status { get; init; } = ImageStatus.Queued;

    /// <summary>A disabled image keeps its status and content, but makes no new guest and cannot be downloaded by its users.</summary>
    public bool Enabled { get; init; } = true;

    public ImageKind Kind { get; init; } = ImageKind.System;

    /// <summary>Null until claimed by the creator or recognised from the content.</summary>
    public DiskFormat? DiskFormat { get; init; }

    public ContainerFormat? ContainerFormat { get; init; }
    public HardwareProfile Hardware { get; init; } = new();
    public Visibility Visibility { get; init; } = Visibility.Private;
    public bool Protected { get; init; }
    public bool Hidden { get; init; }

    /// <summary>Every zone is to have it, those that are added later too: the library copies it there by itself.</summary>
    public bool AllZones { get; init; }

    public ImmutableSortedSet<string> Tags { get; init; } = [];

    /// <summary>The creator's own names and values.</summary>
    public ImmutableSortedDictionary<string, string> Properties { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Where the content came from, without credentials; null for uploads.</summary>
    public string? SourceUrl { get; init; }

    /// <summary>
    /// Equal for equal sources of one project, and null where a second image of the same source was asked for; the catalogue
    /// keeps it unique among the images that are not failed.
    /// </summary>
    public string? SourceKey { get; init; }

    /// <summary>The length in bytes, from the moment it is known.</summary>
    public long? Size { get; init; }

    /// <summary>Set from the moment the image is active, and never changed after that.</summary>
    public ContentFacts? Content { get; init; }

    /// <summary>The transfer that brings or brought the content; null while there was none.</summary>
    public TransferId? Transfer { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public DateTimeOffset? DeletedAt { get; init; }

    /// <summary>Counts the changes; the catalogue accepts the next version only.</summary>
    public long Version { get; init; }

    public bool IsQueued => Status is ImageStatus.Queued or ImageStatus.Failed;

    /// <summary>The image begins to receive content by a transfer.</summary>
    /// <exception cref="ImageStatusException">It has content, or is already receiving some.</exception>
    public Image Receive(Transfer transfer, DateTimeOffset now) => IsQueued
        ? this with
        {
            Status = transfer.Kind is TransferKind.Import ? ImageStatus.Importing : ImageStatus.Saving,
            Transfer = transfer.Id,
            SourceUrl = transfer.SourceUrl,
            SourceKey = transfer.Kind is TransferKind.Import ? SourceKey : null,
            UpdatedAt = now,
        }
        : throw new ImageStatusException(Id, Status, ImageStatus.Queued);

    /// <summary>The image begins to receive content that is not to be its own before somebody asks for that.</summary>
    /// <exception cref="ImageStatusException">It has content, or is already receiving some.</exception>
    public Image Stage(Transfer transfer, DateTimeOffset now) => Receive(transfer, now) with { Status = ImageStatus.Staged };

    /// <summary>What is staged is to become its content.</summary>
    /// <exception cref="ImageStatusException">Nothing is staged.</exception>
    public Image Import(DateTimeOffset now) => Status is ImageStatus.Staged
        ? this with { Status = ImageStatus.Importing, UpdatedAt = now }
        : throw new ImageStatusException(Id, Status, ImageStatus.Staged);

    /// <summary>The content is durable in a store and all checks have passed.</summary>
    public Image Activate(ContentFacts content, DateTimeOffset now) => Status is ImageStatus.Saving or ImageStatus.Importing
        ? this with
        {
            Status = ImageStatus.Active,
            Content = content,
            Size = content.Size,
            DiskFormat = content.Source?.Format is null ? DiskFormat ?? content.Format : content.Format,
            ContainerFormat = content.Source?.Format is null ? ContainerFormat ?? content.Container : content.Container,
            Kind = content.Format is Images.DiskFormat.Iso && DiskFormat is null ? ImageKind.Iso : Kind,
            UpdatedAt = now,
        }
        : throw new ImageStatusException(Id, Status, ImageStatus.Saving);

    /// <summary>The transfer ended without content. Another may follow.</summary>
    /// <remarks>The source key stays: it keeps nobody from the same source while the image is failed, and a retry needs it.</remarks>
    public Image Fail(DateTimeOffset now) => Status is ImageStatus.Saving or ImageStatus.Importing or ImageStatus.Staged
        ? this with { Status = ImageStatus.Failed, Size = null, UpdatedAt = now }
        : this;

    /// <exception cref="ImageProtectedException">The image is protected.</exception>
    public Image Delete(DateTimeOffset now) => Protected
        ? throw new ImageProtectedException(Id)
        : this with { Status = ImageStatus.Deleted, SourceKey = null, DeletedAt = now, UpdatedAt = now };

    /// <summary>Allows or forbids new uses. Doing it twice changes nothing.</summary>
    /// <exception cref="ImageStatusException">The image has no content yet.</exception>
    public Image Enable(bool enabled, DateTimeOffset now)
    {
        if (Status is not ImageStatus.Active)
            throw new ImageStatusException(Id, Status, ImageStatus.Active);

        return Enabled == enabled ? this : this with { Enabled = enabled, UpdatedAt = now };
    }
}

public enum ImageStatus
{
    /// <summary>Described, without content.</summary>
    Queued,

    /// <summary>A client is sending the content.</summary>
    Saving,

    /// <summary>We are fetching the content.</summary>
    Importing,

    /// <summary>A client is sending content, or has sent it; it waits until somebody asks for it to be taken.</summary>
    Staged,

    /// <summary>The content is there, verified, and never changes. The only status in which it can be used.</summary>
    Active,

    /// <summary>The last transfer ended without content; its failure says why.</summary>
    Failed,

    /// <summary>Gone; the record stays so that its id is not used again.</summary>
    Deleted,
}

public enum ImageKind
{
    /// <summary>A disk that holds an operating system.</summary>
    System,

    /// <summary>A disk that holds data; it cannot boot a guest.</summary>
    Volume,

    /// <summary>A medium to install or rescue a system from.</summary>
    Iso,
}

public enum Visibility
{
    /// <summary>Only the owner sees it.</summary>
    Private,

    /// <summary>The owner and its members see it.</summary>
    Shared,

    /// <summary>Everybody may use it who knows its id; it is listed only on request.</summary>
    Community,

    /// <summary>Every project of the owner's identity domain sees it.</summary>
    Public,
}

/// <summary>What the bytes are: Glance's word and values.</summary>
public enum DiskFormat
{
    Raw,
    Qcow2,
    Vmdk,
    Vhd,
    Vhdx,
    Vdi,
    Iso,
    Ploop,
    Ami,
    Ari,
    Aki,
}

/// <summary>What wraps the bytes: Glance's word and values.</summary>
public enum ContainerFormat
{
    Bare,
    Ovf,
    Ova,
    Docker,
    Compressed,
    Ami,
    Ari,
    Aki,
}
