using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Quotas;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>What becomes of images and replicas together with a transfer, by what it is for: to give an image its content, or to copy that.</summary>
/// <remarks>
/// Pure functions. Every change of a copy names its image, so that it and a deletion, or two changes of replicas, cannot pass each
/// other unseen.
/// </remarks>
internal static class TransferChanges
{
    /// <summary>A copy of the content of an image, that has not begun.</summary>
    public static Transfer NewCopy(Image image, ContentFacts content, string store, DateTimeOffset now) => new()
    {
        Id = TransferId.New(),
        Image = image.Id,
        Project = image.Owner,
        Kind = TransferKind.Copy,
        Store = store,
        Length = content.Size,
        Content = content,
        CreatedAt = now,
    };

    /// <summary>Copies are asked for.</summary>
    /// <param name="replicas">All of the image.</param>
    public static CatalogueChange Begin(Image image, IReadOnlyList<Transfer> copies, IReadOnlyList<Replica> replicas, DateTimeOffset now) => new()
    {
        Image = image,
        Transfers = copies,
        Replicas = [.. copies.Select(c => Receiving(c, replicas, now))],
    };

    /// <summary>The content is in the store, and verified.</summary>
    /// <param name="replicas">All of the image.</param>
    public static CatalogueChange Finish(
        Transfer transfer, Image image, IReadOnlyList<Replica> replicas, ContentFacts content, DateTimeOffset now)
    {
        var ready = new Replica(image.Id, transfer.Store, ReplicaState.Ready, content.Digest, content.Size, now);
        if (transfer.Kind is TransferKind.Copy)
        {
            var left = replicas.Where(r => r.Store == transfer.MovesFrom && r.State is ReplicaState.Ready);
            return new CatalogueChange
            {
                Transfers = [transfer.Finish(now)],
                Image = image,
                Replicas = [ready, .. left.Select(r => r with { State = ReplicaState.Retired, UpdatedAt = now })],
            };
        }

        // The description may have been changed since the content was held against it; what was converted, the library describes itself.
        if (content.Source?.Format is null)
            ContentRules.CheckFormat(image, content.Format, content.Container);
        var copies = transfer.FurtherStores.Select(store => NewCopy(image, content, store, now) with
        {
            User = transfer.User,
            RequestId = transfer.RequestId,
        }).ToList();
        return new CatalogueChange
        {
            Transfers = [transfer.Finish(now), .. copies],
            Image = image.Activate(content, now),
            Within = [QuotaResource.Size],
            Replicas = [ready, .. copies.Select(c => Receiving(c, replicas, now))],
        };
    }

    /// <summary>The transfer failed or was cancelled.</summary>
    /// <param name="image">Null where it was deleted.</param>
    /// <param name="replicas">All of the image.</param>
    public static CatalogueChange End(Transfer ended, Image? image, IReadOnlyList<Replica> replicas, DateTimeOffset now) => ended.Kind is TransferKind.Copy
        ? new CatalogueChange { Transfers = [ended], Image = image, Replicas = image is null ? [] : [WithoutCopy(ended, replicas, now)] }
        : new CatalogueChange { Transfers = [ended], Image = image?.Fail(now), WithoutReplicasOf = ended.Image };

    /// <summary>A user wants another try.</summary>
    /// <param name="replicas">All of the image.</param>
    /// <exception cref="ImageStatusException">The image has content, or is receiving it by another transfer.</exception>
    /// <exception cref="ReplicaExistsException">Another copy has come there since.</exception>
    public static CatalogueChange Again(Transfer queued, Image image, IReadOnlyList<Replica> replicas, DateTimeOffset now)
    {
        if (queued.Kind is TransferKind.Copy && replicas.Any(r => r.Store == queued.Store && r.State is ReplicaState.Ready or ReplicaState.Receiving))
            throw new ReplicaExistsException(image.Id, [queued.Store]);

        return new CatalogueChange
        {
            Transfers = [queued],
            Image = queued.Kind is TransferKind.Copy ? image : image.Receive(queued, now),
            Within = [QuotaResource.Uploading, QuotaResource.Size, QuotaResource.Staged],
            Replicas = [Receiving(queued, replicas, now)],
        };
    }

    /// <summary>What an image left in the store that it comes back to stays wanted meanwhile: nobody has confirmed yet that it can go.</summary>
    private static Replica Receiving(Transfer transfer, IReadOnlyList<Replica> replicas, DateTimeOffset now) => new(
        transfer.Image, transfer.Store, ReplicaState.Receiving,
        replicas.FirstOrDefault(r => r.Store == transfer.Store && r.State is ReplicaState.Retired)?.Digest, transfer.Length, now);

    private static Replica WithoutCopy(Transfer ended, IReadOnlyList<Replica> replicas, DateTimeOffset now) =>
        replicas.FirstOrDefault(r => r.Store == ended.Store) is { Digest: not null } left
            ? left with { State = ReplicaState.Retired, UpdatedAt = now }
            : new Replica(ended.Image, ended.Store, ReplicaState.Failed, Digest: null, Size: null, now);
}
