using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Vitrine.Access;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.OpenStack.Images;

/// <summary>Images as records: described, listed, shown, changed and deleted.</summary>
internal static class ImageEndpoints
{
    private const string ImportMethodsHeader = "OpenStack-image-import-methods";
    private const string StoresHeader = "OpenStack-image-store-ids";

    public static async Task<JsonHttpResult<GlanceImageList>> List(
        HttpContext context, ImageLibrary library, IReplicaCatalogue replicas, ITransferCatalogue transfers, CancellationToken cancellationToken)
    {
        const string Path = "/v2/images";
        var query = GlanceQuery.Of(context.Request);
        var images = await ListAsync(query, library, context.GetCaller(), cancellationToken);
        var next = images.Count > 0 && images.Count == query.Limit() ? query.LinkTo(Path, images[^1].Id.ToString()) : null;
        return GlanceJson.Answer(
            new GlanceImageList(
                await GlanceImage.FromAsync(images, replicas, transfers, cancellationToken),
                query.LinkTo(Path, marker: null), "/v2/schemas/images", next),
            GlanceJson.Default.GlanceImageList);
    }

    public static async Task<JsonHttpResult<GlanceImage>> Create(
        HttpContext context, ImageLibrary library, StoreRegistry stores, IReplicaCatalogue replicas, ITransferCatalogue transfers,
        CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var asked = NewImage.Read(body.RootElement);
        var image = await library.CreateAsync(context.GetCaller(), asked.Id, asked.Owner, asked.Describe, cancellationToken);

        context.Response.Headers.Location = $"{GlanceUrls.Root(context)}/v2/images/{image.Id}";
        context.Response.Headers[ImportMethodsHeader] = string.Join(',', GlanceImport.Methods);
        context.Response.Headers[StoresHeader] = string.Join(',', stores.All.Select(s => s.Name));
        return await AnswerAsync(image, replicas, transfers, StatusCodes.Status201Created, cancellationToken);
    }

    public static async Task<JsonHttpResult<GlanceImage>> Show(
        string id, HttpContext context, ImageLibrary library, IReplicaCatalogue replicas, ITransferCatalogue transfers,
        CancellationToken cancellationToken)
    {
        var image = await library.GetAsync(IdOf(id), context.GetCaller(), cancellationToken);
        return await AnswerAsync(image, replicas, transfers, StatusCodes.Status200OK, cancellationToken);
    }

    public static async Task<JsonHttpResult<GlanceImage>> Update(
        string id, HttpContext context, ImageLibrary library, IReplicaCatalogue replicas, ITransferCatalogue transfers,
        CancellationToken cancellationToken)
    {
        var draft = IsDraft(context);
        using var body = await GlanceBody.ReadAsync(context.Request, cancellationToken);
        var patch = ImagePatch.Read(body.RootElement, draft);
        var image = await library.UpdateAsync(IdOf(id), context.GetCaller(), patch.ApplyTo, cancellationToken);
        return await AnswerAsync(image, replicas, transfers, StatusCodes.Status200OK, cancellationToken);
    }

    public static async Task<NoContent> Delete(string id, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        await library.DeleteAsync(IdOf(id), context.GetCaller(), cancellationToken);
        return TypedResults.NoContent();
    }

    public static async Task<NoContent> AddTag(
        string id, string tag, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        await library.UpdateAsync(
            IdOf(id), context.GetCaller(), image => image with { Tags = image.Tags.Add(tag) }, cancellationToken);
        return TypedResults.NoContent();
    }

    public static async Task<NoContent> RemoveTag(
        string id, string tag, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        await library.UpdateAsync(
            IdOf(id), context.GetCaller(),
            image => image.Tags.Contains(tag) ? image with { Tags = image.Tags.Remove(tag) } : throw new TagNotFoundException(image.Id, tag),
            cancellationToken);
        return TypedResults.NoContent();
    }

    public static async Task<NoContent> Deactivate(string id, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        await library.EnableAsync(IdOf(id), enabled: false, context.GetCaller(), cancellationToken);
        return TypedResults.NoContent();
    }

    public static async Task<NoContent> Reactivate(string id, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        await library.EnableAsync(IdOf(id), enabled: true, context.GetCaller(), cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>Clients look up names by asking for them as if they were ids: what is no id is not found, rather than wrong.</summary>
    /// <exception cref="ImageNotFoundException">The text is no id.</exception>
    internal static ImageId IdOf(string text) => ImageId.TryParse(text, out var id) ? id : throw new ImageNotFoundException(text);

    private static async Task<IReadOnlyList<Image>> ListAsync(
        GlanceQuery query, ImageLibrary library, Caller caller, CancellationToken cancellationToken)
    {
        if (ImageListing.Read(query, caller) is not { } wanted)
            return [];

        var after = query.Marker is { } marker ? await FindMarkerAsync(marker, library, caller, cancellationToken) : null;
        return wanted.Limit == 0 ? [] : await library.ListAsync(wanted with { After = after }, cancellationToken);
    }

    private static async Task<Image> FindMarkerAsync(string marker, ImageLibrary library, Caller caller, CancellationToken cancellationToken)
    {
        try
        {
            return await library.GetAsync(IdOf(marker), caller, cancellationToken);
        }
        catch (ImageNotFoundException)
        {
            throw GlanceRefusalException.BadRequest($"Invalid marker. Image {marker} could not be found.");
        }
    }

    private static bool IsDraft(HttpContext context)
    {
        var type = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var parsed) ? parsed.MediaType.Value : null;
        if (type is ImagePatch.MediaType20 or ImagePatch.MediaType21)
            return type == ImagePatch.MediaType20;

        context.Response.Headers["Accept-Patch"] = $"{ImagePatch.MediaType20}, {ImagePatch.MediaType21}";
        throw new GlanceRefusalException(
            StatusCodes.Status415UnsupportedMediaType, $"An image is changed with {ImagePatch.MediaType20} or {ImagePatch.MediaType21}.");
    }

    private static async Task<JsonHttpResult<GlanceImage>> AnswerAsync(
        Image image, IReplicaCatalogue replicas, ITransferCatalogue transfers, int status, CancellationToken cancellationToken) =>
        GlanceJson.Answer(
            await GlanceImage.FromAsync(image, replicas, transfers, cancellationToken), GlanceJson.Default.GlanceImage, status);
}
