using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vitrine.Client;

public sealed partial class LibraryClient
{
    private const string Images = $"{Api}/images";

    /// <summary>All images that the filters let through, fetched page by page as they are asked for.</summary>
    /// <param name="filters">Names and values as the face has them: <c>status</c>, <c>tag</c>, <c>property.NAME</c>, …; a name may come twice.</param>
    public async IAsyncEnumerable<ImageRecord> ListImagesAsync(
        IReadOnlyCollection<KeyValuePair<string, string>> filters, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await GetAsync($"{Images}{QueryOf(filters, cursor)}", LibraryJson.Default.ImagePage, cancellationToken);
            foreach (var image in page.Items)
                yield return image;
            cursor = page.Next;
        }
    }

    public Task<ImageRecord> GetImageAsync(string id, CancellationToken cancellationToken) =>
        GetAsync(PathOf(id), LibraryJson.Default.ImageRecord, cancellationToken);

    /// <summary>Describes a new image, and begins to import its content or to receive it.</summary>
    public Task<ImageCreated> CreateImageAsync(ImageCreate image, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Post, Images, image, LibraryJson.Default.ImageCreate, LibraryJson.Default.ImageCreated, cancellationToken);

    /// <summary>Changes what the change names; what it leaves null stays, and what it lists as cleared is cleared.</summary>
    public async Task<ImageRecord> ChangeImageAsync(string id, ImageChange change, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            () => new HttpRequestMessage(HttpMethod.Patch, PathOf(id)) { Content = JsonContent.Create(PatchOf(change), LibraryJson.Default.JsonObject) },
            cancellationToken);
        return await ReadAsync(response, LibraryJson.Default.ImageRecord, cancellationToken);
    }

    public Task DeleteImageAsync(string id, CancellationToken cancellationToken) => DoAsync(HttpMethod.Delete, PathOf(id), cancellationToken);

    /// <summary>Begins to copy an image to stores that do not have it.</summary>
    /// <returns>A transfer for each of the stores.</returns>
    public async Task<IReadOnlyList<TransferRecord>> CopyImageAsync(string id, CopyRequest request, CancellationToken cancellationToken) =>
        (await SendJsonAsync(
            HttpMethod.Post, $"{PathOf(id)}/copies", request, LibraryJson.Default.CopyRequest, LibraryJson.Default.TransferPage, cancellationToken)).Items;

    /// <summary>Takes an image out of one store.</summary>
    public Task DeleteReplicaAsync(string id, string store, CancellationToken cancellationToken) =>
        DoAsync(HttpMethod.Delete, $"{PathOf(id)}/replicas/{Uri.EscapeDataString(store)}", cancellationToken);

    /// <summary>Allows or forbids new uses.</summary>
    public Task<ImageRecord> EnableImageAsync(string id, bool enabled, CancellationToken cancellationToken) => DoAsync(
        HttpMethod.Post, $"{PathOf(id)}/{(enabled ? "enable" : "disable")}", LibraryJson.Default.ImageRecord, cancellationToken);

    /// <summary>Begins an upload for an image that has no content.</summary>
    public Task<UploadRecord> BeginUploadAsync(string id, UploadRequest upload, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Post, $"{PathOf(id)}/upload", upload, LibraryJson.Default.UploadRequest, LibraryJson.Default.UploadRecord, cancellationToken);

    /// <summary>A ticket for the open upload of an image, for somebody who has no login.</summary>
    public Task<UploadTicketRecord> IssueUploadTicketAsync(string id, UploadTicketRequest request, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Post, $"{PathOf(id)}/upload-ticket", request, LibraryJson.Default.UploadTicketRequest, LibraryJson.Default.UploadTicketRecord, cancellationToken);

    /// <summary>A form by which somebody without a login can send the content of an image, once.</summary>
    public Task<UploadFormRecord> IssueUploadFormAsync(string id, UploadTicketRequest request, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Post, $"{PathOf(id)}/upload-form", request, LibraryJson.Default.UploadTicketRequest, LibraryJson.Default.UploadFormRecord, cancellationToken);

    public async Task<IReadOnlyList<MemberRecord>> ListMembersAsync(string id, CancellationToken cancellationToken) =>
        (await GetAsync($"{PathOf(id)}/members", LibraryJson.Default.MemberList, cancellationToken)).Items;

    /// <summary>Shares an image with a project.</summary>
    public Task<MemberRecord> ShareImageAsync(string id, string project, CancellationToken cancellationToken) => DoAsync(
        HttpMethod.Put, $"{PathOf(id)}/members/{Uri.EscapeDataString(project)}", LibraryJson.Default.MemberRecord, cancellationToken);

    /// <summary>Gives a project's answer to being shared an image: <c>accepted</c>, <c>rejected</c> or <c>pending</c>.</summary>
    public Task<MemberRecord> AnswerAsync(string id, string project, string status, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Put, $"{PathOf(id)}/members/{Uri.EscapeDataString(project)}", new MemberAnswer { Status = status },
        LibraryJson.Default.MemberAnswer, LibraryJson.Default.MemberRecord, cancellationToken);

    public Task UnshareImageAsync(string id, string project, CancellationToken cancellationToken) =>
        DoAsync(HttpMethod.Delete, $"{PathOf(id)}/members/{Uri.EscapeDataString(project)}", cancellationToken);

    /// <summary>Offers the disk of an image as a block device to whoever gets the ticket.</summary>
    public Task<ExportRecord> ExportDiskAsync(string id, ExportRequest request, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Post, $"{PathOf(id)}/exports", request, LibraryJson.Default.ExportRequest, LibraryJson.Default.ExportRecord, cancellationToken);

    /// <summary>Opens the content of an image from an offset on.</summary>
    /// <param name="tag">The content that the offset is of: its SHA-256.</param>
    /// <param name="coding">In which it may come, where that is from its beginning on; null for none.</param>
    internal Task<HttpResponseMessage> OpenContentAsync(string id, string tag, long offset, string? coding, CancellationToken cancellationToken) => SendAsync(
        () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, $"{PathOf(id)}/file");
            if (offset == 0 && coding is not null)
                request.Headers.AcceptEncoding.Add(new(coding));
            if (offset == 0)
                return request;

            request.Headers.Range = new(offset, null);
            request.Headers.IfRange = new($"\"{tag}\"");
            return request;
        },
        cancellationToken);

    private static string PathOf(string id) => $"{Images}/{Uri.EscapeDataString(id)}";

    private static string QueryOf(IEnumerable<KeyValuePair<string, string>> filters, string cursor)
    {
        var parts = filters.Select(f => $"{Uri.EscapeDataString(f.Key)}={Uri.EscapeDataString(f.Value)}");
        if (cursor.Length > 0)
            parts = parts.Append($"cursor={Uri.EscapeDataString(cursor)}");
        return string.Join('&', parts) is { Length: > 0 } query ? $"?{query}" : "";
    }

    private static JsonObject PatchOf(ImageChange change)
    {
        var patch = JsonSerializer.SerializeToNode(change, LibraryJson.Default.ImageChange)!.AsObject();
        foreach (var (name, _) in patch.Where(p => p.Value is null).ToList())
            patch.Remove(name);
        foreach (var name in change.Cleared)
            patch[name] = null;
        return patch;
    }
}
