using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Vitrine.Client;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.OpenStack.Content;
using Vitrine.OpenStack.Identity;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>Uploads by one POST of <c>multipart/form-data</c> with one file, as CloudStack's pages send them.</summary>
/// <remarks>
/// The grant comes in the headers <c>X-signature</c>, <c>X-metadata</c> and <c>X-expires</c>. The file goes into the store as it comes; nothing is
/// written down of a request before its grant is known to be good.
/// </remarks>
internal static class UploadFormEndpoints
{
    public const string Folder = "form";
    public const string Signature = "X-signature";
    public const string Metadata = "X-metadata";
    public const string Expires = "X-expires";

    private const int MaxBoundary = 70; // RFC 2046, 5.1.1
    private const int BufferSize = 64 * 1024;

    public static void MapUploadFormGrants(this IEndpointRouteBuilder api) =>
        api.MapPost("/images/{id}/upload-form", Issue).WithTags("Uploads").WithName("IssueUploadForm")
            .WithSummary("Gives an address, and the headers that go with it, to which the content of an image can be sent once as a file of a form, without a login.")
            .Accepts<UploadTicketRequest>("application/json").Produces<UploadFormRecord>(StatusCodes.Status201Created);

    public static void MapUploadForms(this IEndpointRouteBuilder routes) =>
        routes.MapGroup($"{RestEndpoints.UploadsPath}/{Folder}").WithTags("Uploads").WithRestErrors().MapPost("/{id}", Receive).WithName("ReceiveUploadForm")
            .WithSummary("Takes the content of an image as the one file of a form.")
            .Accepts<IFormFile>("multipart/form-data").Produces(StatusCodes.Status200OK, contentType: "text/plain");

    private static async Task<JsonHttpResult<UploadFormRecord>> Issue(
        string id, HttpContext context, UploadForms forms, ServerOptions options, CancellationToken cancellationToken)
    {
        var said = await context.Request.ReadAsync(LibraryJson.Default.UploadTicketRequest, cancellationToken);
        var lifetime = said.Lifetime is { } seconds ? TimeSpan.FromSeconds(seconds) : UploadForms.DefaultLifetime;
        var form = await forms.IssueAsync(ImageEndpoints.IdOf(id), context.GetCaller(), lifetime, cancellationToken);
        var root = options.PublicUrl?.TrimEnd('/') ?? $"{context.Request.Scheme}://{context.Request.Host}";
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(
            new UploadFormRecord(form.Image.ToString(), $"{root}{RestEndpoints.UploadsPath}/{Folder}/{form.Image}", form.Metadata, form.Expires, form.Signature),
            LibraryJson.Default.UploadFormRecord, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> Receive(
        string id, HttpContext context, UploadForms forms, ImageUploads uploads, LibraryOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!ImageId.TryParse(id, out var image))
            throw new TicketInvalidException();

        var headers = context.Request.Headers;
        var caller = await forms.AdmitAsync(new UploadForm(image, $"{headers[Metadata]}", $"{headers[Expires]}", $"{headers[Signature]}"), cancellationToken);
        var boundary = BoundaryOf(context.Request);
        await using var body = UploadBody.Open(context, options.IdleTimeout, time);
        var reader = new MultipartReader(boundary, body, BufferSize);
        await using var file = await OpenFileAsync(reader, cancellationToken);
        await uploads.ReceiveAsync(image, file, length: null, store: null, caller, cancellationToken);
        return TypedResults.Text("upload successful.");
    }

    private static string BoundaryOf(HttpRequest request)
    {
        var isForm = MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase);
        if (!isForm)
            throw new UnsupportedBodyException("multipart/form-data");

        return HeaderUtilities.RemoveQuotes(type!.Boundary).Value is { Length: > 0 and <= MaxBoundary } boundary
            ? boundary
            : throw new MalformedFormException("the form has no boundary, or one that is too long");
    }

    private static async Task<FormFile> OpenFileAsync(MultipartReader reader, CancellationToken cancellationToken)
    {
        try
        {
            // What comes before the file could be as long as it liked, and nobody would read it.
            var section = await reader.ReadNextSectionAsync(cancellationToken);
            return section?.GetContentDispositionHeader() is { } disposition && disposition.IsFileDisposition()
                ? new FormFile(reader, section.Body)
                : throw new MalformedFormException("the form must begin with the file, and have nothing else");
        }
        catch (Exception failure) when (IsOfTheForm(failure))
        {
            throw CutOff();
        }
    }

    /// <summary>True for what the reader of forms says of a form; what the network does to it are other types of the same root.</summary>
    private static bool IsOfTheForm(Exception failure) => failure is InvalidDataException || failure.GetType() == typeof(IOException);

    private static MalformedFormException CutOff() => new("the form is cut off, or is none");

    /// <summary>The file in a form. It ends well only where the form does, behind it: what is cut off is not a whole file.</summary>
    private sealed class FormFile(MultipartReader form, Stream file) : ReadOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                var read = await file.ReadAsync(buffer, cancellationToken);
                return read > 0 || buffer.Length == 0 || await form.ReadNextSectionAsync(cancellationToken) is null
                    ? read
                    : throw new MalformedFormException("the form has something behind the file");
            }
            catch (Exception failure) when (IsOfTheForm(failure))
            {
                throw CutOff();
            }
        }
    }
}

internal sealed class MalformedFormException(string reason) : LibraryException($"The request cannot be read: {reason}.")
{
    public override string Code => "malformed-form";

    public override string Remedy => "Send a form of the type multipart/form-data with one file and nothing else.";
}
