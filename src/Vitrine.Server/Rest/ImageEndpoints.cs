using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Client;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>Images: described, listed, changed, deleted, enabled and shared.</summary>
internal static class ImageEndpoints
{
    public static void MapImages(this IEndpointRouteBuilder api)
    {
        var images = api.MapGroup("/images").WithTags("Images");
        images.MapGet("", List).WithName("ListImages").WithSummary("Lists images that the caller may see, page by page.").Produces<ImagePage>();
        images.MapPost("", Create).WithName("CreateImage")
            .WithSummary("Describes a new image, and begins to import its content or to receive it by upload.")
            .Accepts<ImageCreate>("application/json").Produces<ImageCreated>(StatusCodes.Status201Created);
        images.MapGet("/{id}", Show).WithName("ShowImage").WithSummary("Shows an image.").Produces<ImageRecord>();
        images.MapPatch("/{id}", Change).WithName("ChangeImage").WithSummary("Changes what is said of an image, by a JSON merge patch.")
            .Accepts<ImageChange>("application/merge-patch+json", "application/json").Produces<ImageRecord>()
            .ProducesProblem(StatusCodes.Status412PreconditionFailed).HonoursIfMatch();
        images.MapDelete("/{id}", Delete).WithName("DeleteImage")
            .WithSummary("Deletes an image, and cancels the transfer that is bringing its content.").Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status412PreconditionFailed).HonoursIfMatch();
        images.MapPost("/{id}/enable", Enable).WithName("EnableImage").WithSummary("Allows new uses of an image.").Produces<ImageRecord>()
            .HonoursIfMatch();
        images.MapPost("/{id}/disable", Disable).WithName("DisableImage").WithSummary("Forbids new uses of an image.").Produces<ImageRecord>()
            .HonoursIfMatch();
        images.MapPost("/{id}/upload", BeginUpload).WithName("BeginUpload").WithSummary("Begins an upload for an image without content.")
            .Accepts<UploadRequest>("application/json").Produces<UploadRecord>(StatusCodes.Status201Created);
        images.MapPost("/{id}/copies", Copy).WithName("CopyImage")
            .WithSummary("Begins to copy an image to stores that do not have it, or to move it to one.")
            .Accepts<Client.CopyRequest>("application/json").Produces<TransferPage>(StatusCodes.Status202Accepted);
        images.MapDelete("/{id}/replicas/{store}", DeleteReplica).WithName("DeleteReplica")
            .WithSummary("Takes an image out of a store that is not the only one to have it.").Produces(StatusCodes.Status204NoContent);
        images.MapGet("/{id}/transfers", ListTransfers).WithName("ListTransfersOfImage")
            .WithSummary("Lists the transfers of an image, the newest first.").Produces<TransferPage>();
    }

    private static async Task<JsonHttpResult<ImagePage>> List(
        HttpContext context, ImageLibrary library, IImageCatalogue images, ImageRecords records, Cursors cursors, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        var (query, cursor) = ImageListing.Read(context.Request.Query, caller);
        if (cursor is not null)
            query = query with { After = await images.FindAsync(new ImageId(cursors.Read(RestEndpoints.ImagesPath, cursor)), cancellationToken) };

        var page = await library.ListAsync(query, cancellationToken);
        var next = page.Count == query.Limit ? cursors.Make(RestEndpoints.ImagesPath, page[^1].Id.Value) : null;
        return TypedResults.Json(new ImagePage(await records.OfAsync(page, caller, cancellationToken), next), LibraryJson.Default.ImagePage);
    }

    private static async Task<JsonHttpResult<ImageCreated>> Create(
        HttpContext context, ImageLibrary library, ImageImports imports, ImageUploads uploads, ImageRecords records, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        var said = await context.Request.ReadAsync(LibraryJson.Default.ImageCreate, cancellationToken);
        if (said is { Source: not null, Upload: not null })
            throw new InvalidFieldException("source", "and upload exclude each other: content comes from one of both");

        var (image, transfer) = said switch
        {
            { Source: { } source } => await imports.RegisterAsync(ImportOf(source), caller, i => ImageDescriptions.Describe(i, said), cancellationToken),
            { Upload: { } upload } => await uploads.RegisterAsync(
                LengthOf(upload), ChecksumOf(upload.Checksum), ChoiceOf(upload.Store, upload.Stores, upload.Zone, upload.AllStores), caller, i => ImageDescriptions.Describe(i, said), cancellationToken),
            _ => (await library.CreateAsync(caller, id: null, owner: null, i => ImageDescriptions.Describe(i, said), cancellationToken), (Transfer?)null),
        };
        var created = new ImageCreated(
            await records.OfAsync(image, caller, cancellationToken),
            transfer is { Kind: TransferKind.Import } ? WireRecords.From(transfer) : null,
            transfer is { Kind: TransferKind.Upload } ? WireRecords.UploadOf(transfer) : null);
        context.Response.Headers.Location = $"{RestEndpoints.ImagesPath}/{image.Id}";
        context.Response.Headers.ETag = IfMatch.TagOf(image);
        return TypedResults.Json(created, LibraryJson.Default.ImageCreated, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<ImageRecord>> Show(
        string id, HttpContext context, ImageLibrary library, ImageRecords records, CancellationToken cancellationToken)
    {
        var image = await library.GetAsync(IdOf(id), context.GetCaller(), cancellationToken);
        return await AnswerAsync(image, context, records, cancellationToken);
    }

    private static async Task<JsonHttpResult<ImageRecord>> Change(
        string id, HttpContext context, ImageLibrary library, ImageRecords records, CancellationToken cancellationToken)
    {
        var change = ImageDescriptions.ReadChange(await context.Request.ReadObjectAsync(cancellationToken));
        var image = await library.UpdateAsync(IdOf(id), context.GetCaller(), change, cancellationToken, IfMatch.ConditionOf(context.Request));
        return await AnswerAsync(image, context, records, cancellationToken);
    }

    private static async Task<NoContent> Delete(string id, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        await library.DeleteAsync(IdOf(id), context.GetCaller(), cancellationToken, IfMatch.ConditionOf(context.Request));
        return TypedResults.NoContent();
    }

    private static async Task<JsonHttpResult<ImageRecord>> Enable(
        string id, HttpContext context, ImageLibrary library, ImageRecords records, CancellationToken cancellationToken) =>
        await AnswerAsync(
            await library.EnableAsync(IdOf(id), true, context.GetCaller(), cancellationToken, IfMatch.ConditionOf(context.Request)),
            context, records, cancellationToken);

    private static async Task<JsonHttpResult<ImageRecord>> Disable(
        string id, HttpContext context, ImageLibrary library, ImageRecords records, CancellationToken cancellationToken) =>
        await AnswerAsync(
            await library.EnableAsync(IdOf(id), false, context.GetCaller(), cancellationToken, IfMatch.ConditionOf(context.Request)),
            context, records, cancellationToken);

    private static async Task<JsonHttpResult<UploadRecord>> BeginUpload(
        string id, HttpContext context, ImageUploads uploads, CancellationToken cancellationToken)
    {
        var said = await context.Request.ReadAsync(LibraryJson.Default.UploadRequest, cancellationToken);
        var transfer = await uploads.BeginAsync(
            IdOf(id), LengthOf(said), ChecksumOf(said.Checksum), ChoiceOf(said.Store, said.Stores, said.Zone, said.AllStores), context.GetCaller(),
            cancellationToken);
        var upload = WireRecords.UploadOf(transfer);
        context.Response.Headers.Location = upload.Url;
        return TypedResults.Json(upload, LibraryJson.Default.UploadRecord, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<TransferPage>> Copy(
        string id, HttpContext context, ImageReplicas replicas, CancellationToken cancellationToken)
    {
        var said = await context.Request.ReadAsync(LibraryJson.Default.CopyRequest, cancellationToken);
        var to = ChoiceOf(store: null, said.Stores, said.Zone, said.AllStores)
            ?? throw new InvalidFieldException("stores", "are needed, or a zone, or all of them");
        var request = new Images.CopyRequest(to, said.From, said.Move ?? false, context.TraceIdentifier);
        var begun = await replicas.CopyAsync(IdOf(id), request, context.GetCaller(), cancellationToken);
        return TypedResults.Json(
            new TransferPage([.. begun.Select(WireRecords.From)], Next: null), LibraryJson.Default.TransferPage, statusCode: StatusCodes.Status202Accepted);
    }

    private static async Task<NoContent> DeleteReplica(
        string id, string store, HttpContext context, ImageReplicas replicas, CancellationToken cancellationToken)
    {
        await replicas.DeleteAsync(IdOf(id), store, context.GetCaller(), cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<JsonHttpResult<TransferPage>> ListTransfers(
        string id, HttpContext context, ImageLibrary library, TransferDesk desk, CancellationToken cancellationToken)
    {
        var image = await library.GetAsync(IdOf(id), context.GetCaller(), cancellationToken);
        var transfers = await desk.ListAsync(new TransferQuery { Image = image.Id, Limit = 1000 }, context.GetCaller(), cancellationToken);
        return TypedResults.Json(new TransferPage([.. transfers.Select(WireRecords.From)], Next: null), LibraryJson.Default.TransferPage);
    }

    /// <summary>What is no id names no image.</summary>
    internal static ImageId IdOf(string text) =>
        ImageId.TryParse(text, out var id) ? id : throw new ImageNotFoundException(text.Length <= 64 ? text : text[..64] + "…");

    private static async Task<JsonHttpResult<ImageRecord>> AnswerAsync(
        Image image, HttpContext context, ImageRecords records, CancellationToken cancellationToken)
    {
        context.Response.Headers.ETag = IfMatch.TagOf(image);
        return TypedResults.Json(await records.OfAsync(image, context.GetCaller(), cancellationToken), LibraryJson.Default.ImageRecord);
    }

    private static ImportRequest ImportOf(ImageSource source) => new(
        source.Url ?? throw new InvalidFieldException("url", "a source needs an address"),
        IsAutomatic(source) ? null : ChecksumOf(source.Checksum), ChoiceOf(source.Store, source.Stores, source.Zone, source.AllStores), source.AllowDuplicate ?? false)
    {
        Mirrors = source.Mirrors?.All(mirror => mirror is not null) is false
            ? throw new InvalidFieldException("mirrors", "have an address that is none")
            : source.Mirrors ?? [],
        FindChecksum = IsAutomatic(source),
    };

    private static bool IsAutomatic(ImageSource source) => source.Checksum == "auto";

    /// <returns>Null where nothing is said.</returns>
    private static StoreChoice? ChoiceOf(string? store, IReadOnlyList<string>? stores, string? zone, bool? allStores)
    {
        if (store is not null && stores is not null)
            throw new InvalidFieldException("stores", "and store exclude each other");

        var names = store is not null ? [store] : stores ?? [];
        return names.Count == 0 && zone is null && allStores is not true
            ? null
            : new StoreChoice { Names = names, Zone = zone, All = allStores ?? false };
    }

    private static long LengthOf(UploadRequest upload) =>
        upload.Length ?? throw new InvalidFieldException("length", "an upload needs the length of the file in bytes");

    private static Checksum? ChecksumOf(string? text) => text is null ? null : Checksum.Parse(text);
}
