using System.Text.Json.Serialization;
using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.OpenStack.Images;

/// <summary>An image as Glance v2 spells it; <see cref="GlanceImageConverter"/> writes it.</summary>
[JsonConverter(typeof(GlanceImageConverter))]
internal sealed record GlanceImage
{
    public required string? Name { get; init; }
    public required string? DiskFormat { get; init; }
    public required string? ContainerFormat { get; init; }
    public required string Visibility { get; init; }
    public required long? Size { get; init; }
    public required long? VirtualSize { get; init; }
    public required string Status { get; init; }

    /// <summary>The MD5 of the content; the safer sum is <see cref="OsHashValue"/>.</summary>
    public required string? Checksum { get; init; }

    public required bool Protected { get; init; }
    public required int MinRam { get; init; }
    public required int MinDisk { get; init; }
    public required string Owner { get; init; }
    public required bool OsHidden { get; init; }
    public required string? OsHashAlgo { get; init; }
    public required string? OsHashValue { get; init; }
    public required string Id { get; init; }
    public required string CreatedAt { get; init; }
    public required string UpdatedAt { get; init; }
    public required IReadOnlyCollection<string> Tags { get; init; }

    /// <summary>The stores that have the content, by name; absent where none has.</summary>
    public required string? Stores { get; init; }

    /// <summary>The custom properties, which stand side by side with Glance's own.</summary>
    public required IReadOnlyList<(string Name, string Value)> Properties { get; init; }

    /// <param name="replicas">The image's own.</param>
    /// <param name="transfer">The image's transfer, if it failed; not needed otherwise.</param>
    public static GlanceImage From(Image image, IReadOnlyCollection<Replica> replicas, Transfer? transfer)
    {
        var ready = ImportMarkers.StoresOf(replicas, ReplicaState.Ready);
        return new GlanceImage
        {
            Name = image.Name,
            DiskFormat = image.DiskFormat?.Word(),
            ContainerFormat = image.ContainerFormat?.Word(),
            Visibility = image.Visibility.Word(),
            Size = image.Size,
            VirtualSize = image.Content?.VirtualSize,
            Status = GlanceStatus.Of(image),
            Checksum = image.Content?.Md5,
            Protected = image.Protected,
            MinRam = image.Hardware.MinMemory,
            MinDisk = image.Hardware.MinDisk,
            Owner = image.Owner.Value,
            OsHidden = image.Hidden,
            OsHashAlgo = image.Content is null ? null : "sha512",
            OsHashValue = image.Content?.Sha512,
            Id = image.Id.ToString(),
            CreatedAt = GlanceTime.Of(image.CreatedAt),
            UpdatedAt = GlanceTime.Of(image.UpdatedAt),
            Tags = image.Tags,
            Stores = ready.Length > 0 ? ready : null,
            Properties = [.. ImageAttributes.PropertiesOf(image), .. ImportMarkers.Of(image, replicas, transfer)],
        };
    }

    /// <summary>One image, with what else has to be read for it.</summary>
    public static async Task<GlanceImage> FromAsync(
        Image image, IReplicaCatalogue replicas, ITransferCatalogue transfers, CancellationToken cancellationToken) =>
        (await FromAsync([image], replicas, transfers, cancellationToken))[0];

    /// <summary>A page of images, with what else has to be read for them: the replicas of all of them at once.</summary>
    public static async Task<IReadOnlyList<GlanceImage>> FromAsync(
        IReadOnlyList<Image> images, IReplicaCatalogue replicas, ITransferCatalogue transfers, CancellationToken cancellationToken)
    {
        if (images.Count == 0)
            return [];

        var found = (await replicas.ListAsync([.. images.Select(i => i.Id)], cancellationToken)).ToLookup(r => r.Image);
        var shown = new List<GlanceImage>(images.Count);
        foreach (var image in images)
        {
            // Failed imports alone need it, and they are few: a failed image is repaired or deleted.
            var transfer = ImportMarkers.NeedTransfer(image) ? await transfers.FindAsync(image.Transfer!.Value, cancellationToken) : null;
            shown.Add(From(image, [.. found[image.Id]], transfer));
        }

        return shown;
    }
}

internal sealed record GlanceImageList(
    IReadOnlyList<GlanceImage> Images,
    string First,
    string Schema,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next);
