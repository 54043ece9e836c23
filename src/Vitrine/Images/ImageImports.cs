using System.Security.Cryptography;
using System.Text;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Images;

/// <summary>Images whose content we fetch from an address.</summary>
public sealed class ImageImports(
    ImageLibrary library, IImageCatalogue images, ICatalogue catalogue, ITransferScheduler scheduler, SourceRegistry sources,
    PublishedChecksums checksums, StorePlacement placement, ISecretProtector secrets, LibraryOptions options, TimeProvider time)
{
    /// <summary>Describes a new image and begins to fetch its content. Answers at once.</summary>
    /// <exception cref="DuplicateSourceException">The project has an image from this address, and no second was asked for.</exception>
    public async Task<(Image Image, Transfer Transfer)> RegisterAsync(
        ImportRequest request, Caller caller, Func<Image, Image> describe, CancellationToken cancellationToken)
    {
        var addresses = Check(request);
        var image = library.Draft(caller, id: null, owner: null, describe) with { SourceKey = KeyOf(request, addresses[0]) };

        // The catalogue keeps the key unique whatever happens; looking first spares the common case a failed write.
        if (image.SourceKey is { } key && await images.FindBySourceAsync(image.Owner, key, cancellationToken) is { } existing)
            throw new DuplicateSourceException(existing.Id);

        return await BeginAsync(image, request, addresses, caller, cancellationToken);
    }

    /// <summary>Begins to fetch the content of an image that is described already.</summary>
    public async Task<(Image Image, Transfer Transfer)> StartAsync(
        ImageId id, ImportRequest request, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("import an image");
        var image = await library.GetOwnAsync(id, caller, cancellationToken);
        if (!image.IsQueued)
            throw new ImageStatusException(id, image.Status, ImageStatus.Queued);

        var addresses = Check(request);
        return await BeginAsync(image with { SourceKey = KeyOf(request, addresses[0]) }, request, addresses, caller, cancellationToken);
    }

    /// <summary>Records an import that failed before it began, for faces whose clients look for that at the transfer.</summary>
    /// <param name="sourceUrl">What was to be fetched, without anything secret.</param>
    /// <param name="requestId">The name of the request that asked, for finding it again in logs.</param>
    public async Task FailAsync(
        ImageId id, string sourceUrl, StoreChoice? store, LibraryException failure, string? requestId, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("import an image");
        var image = await library.GetOwnAsync(id, caller, cancellationToken);
        var stores = await placement.ChooseAsync(store, cancellationToken);
        var now = time.Now();
        var transfer = new Transfer
        {
            Id = TransferId.New(),
            Image = image.Id,
            Project = image.Owner,
            Kind = TransferKind.Import,
            User = caller.User,
            RequestId = requestId,
            Store = stores[0].Name,
            SourceUrl = sourceUrl,
            CreatedAt = now,
        };
        var described = new TransferFailure(failure.Code, TransferSteps.Connecting, failure.Message, failure.Remedy, Node: null, now);
        await catalogue.SaveAsync(
            new CatalogueChange { Image = image.Receive(transfer, now).Fail(now), Transfers = [transfer.Fail(described, now)] }, cancellationToken);
    }

    private IReadOnlyList<Uri> Check(ImportRequest request)
    {
        if (!request.FindChecksum)
            CheckRequired(request.Expected);
        if (request.Mirrors.Count >= Mirrors.Most)
            throw new InvalidFieldException("mirrors", $"are more than the {Mirrors.Most - 1} that are allowed");

        return [sources.Parse(request.Url), .. request.Mirrors.Select(mirror => sources.Parse(mirror, "mirrors"))];
    }

    private void CheckRequired(Checksum? expected)
    {
        if (options.RequireChecksum is { } required && expected?.Algorithm != required)
            throw new InvalidFieldException("checksum", $"the operator requires a {required.Name()} checksum for imports");
    }

    private async Task<(Image Image, Transfer Transfer)> BeginAsync(
        Image image, ImportRequest request, IReadOnlyList<Uri> addresses, Caller caller, CancellationToken cancellationToken)
    {
        var stores = await placement.ChooseAsync(request.Store, cancellationToken);
        if (stores[0] is { IsPool: true } pool && addresses.Any(a => a.IsFile))
            throw new InvalidFieldException("url", $"names a file of a node, which the store '{pool.Name}' of the kind {pool.Kind} does not take: push it, or import it into another store and copy it");

        var published = request.FindChecksum ? await checksums.FindAsync(addresses[0], cancellationToken) : null;
        var expected = published?.Checksum ?? request.Expected;
        CheckRequired(expected);
        var now = time.Now();
        var transfer = new Transfer
        {
            Id = TransferId.New(),
            Image = image.Id,
            Project = image.Owner,
            Kind = TransferKind.Import,
            User = caller.User,
            RequestId = request.RequestId,
            Store = stores[0].Name,
            FurtherStores = [.. stores.Skip(1).Select(s => s.Name)],
            SourceUrl = SourceAddress.Redact(addresses[0]),
            SourceSecret = secrets.Protect(Mirrors.Join(addresses)),
            Expected = expected,
            Notes = published is null ? [] : [published.Note],
            CreatedAt = now,
        };
        var importing = image.Receive(transfer, now);
        await catalogue.SaveAsync(
            new CatalogueChange
            {
                Image = importing,
                Within = [QuotaResource.Images, QuotaResource.Uploading],
                Transfers = [transfer],
                Replicas = [new Replica(image.Id, transfer.Store, ReplicaState.Receiving, Digest: null, Size: null, now)],
            },
            cancellationToken);

        await scheduler.ScheduleAsync(transfer.Id, cancellationToken);
        return (importing with { Version = importing.Version + 1 }, transfer with { Version = 1 });
    }

    private static string? KeyOf(ImportRequest request, Uri address) => request.AllowDuplicate
        ? null
        : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(SourceAddress.WithoutCredentials(address))));
}

/// <summary>What is asked of an import.</summary>
/// <param name="Expected">The sum that the publisher states.</param>
/// <param name="Store">Where the content is wanted; null for the default store.</param>
/// <param name="AllowDuplicate">Makes a second image of an address that the project has one of.</param>
/// <param name="RequestId">The name of the request that asks, for finding it again in logs.</param>
public sealed record ImportRequest(string Url, Checksum? Expected, StoreChoice? Store, bool AllowDuplicate, string? RequestId = null)
{
    /// <summary>More addresses of the same file, for when the first one fails.</summary>
    public IReadOnlyList<string> Mirrors { get; init; } = [];

    /// <summary>Has the publisher asked for the sum, beside the file.</summary>
    public bool FindChecksum { get; init; }
}
