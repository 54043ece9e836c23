using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Vitrine.Access;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;
using Vitrine.Transfers;

namespace Vitrine.OpenStack.Images;

/// <summary>Imports from the image services of other regions, with the caller's own token: <c>glance-download</c>.</summary>
/// <remarks>
/// The other service is asked about its image first. Its formats and the properties that say what hardware and system it is for become
/// the new image's, as Glance has it by default. Where that fails, the import has failed, which clients look for at its task.
/// </remarks>
internal sealed class RegionDownload(SourceRegistry sources, ServiceCatalogue catalogue, ImageLibrary library, ImageImports imports)
{
    /// <summary>The beginning of the schemes of addresses that are asked with a token.</summary>
    public const string Scheme = "glance+";

    /// <summary>The longest description that is read, in bytes; Glance's own have some hundred.</summary>
    private const int MaxDescription = 1 << 20;

    /// <summary>Whose values are taken over, by the beginnings of their names.</summary>
    private static readonly string[] Copied = ["hw_", "trait:", "os_distro", "os_secure_boot", "os_type"];

    private static readonly string[] Formats = ["disk_format", "container_format"];

    public async Task StartAsync(Image image, GlanceImport asked, Caller caller, HttpContext context, CancellationToken cancellationToken)
    {
        caller.RequireMember("import an image");
        await library.GetOwnAsync(image.Id, caller, cancellationToken);
        if (!image.IsQueued)
            throw new ImageStatusException(image.Id, image.Status, ImageStatus.Queued);

        try
        {
            var address = AddressOf(asked.Remote!, context.Request);
            using var found = await ReadAsync(address, asked.Remote!, cancellationToken);
            Describe(image, found.RootElement);
            await library.UpdateAsync(image.Id, caller, i => Describe(i, found.RootElement), cancellationToken);
            var request = new ImportRequest($"{address}/file", Expected: null, asked.Stores, AllowDuplicate: true, context.TraceIdentifier);
            await imports.StartAsync(image.Id, request, caller, cancellationToken);
        }
        catch (LibraryException failure) when (failure is SourceException or InvalidFieldException)
        {
            var remote = $"{Scheme}region://{Uri.EscapeDataString(asked.Remote!.Region)}/{asked.Remote.Id}";
            await imports.FailAsync(image.Id, remote, asked.Stores, failure, context.TraceIdentifier, caller, cancellationToken);
        }
    }

    private string AddressOf(RemoteImage remote, HttpRequest request)
    {
        var service = RemoteImage.Interfaces.Contains(remote.Interface) ? catalogue.ImageUrl(remote.Region, request) : null;
        if (service is null)
            throw new SourceException(
                SourceFault.Refused, $"The operator set up no region '{remote.Region}' with an interface '{remote.Interface}'.", mayPass: false);

        var token = Uri.EscapeDataString(request.Headers[KeystoneAuthentication.TokenHeader].ToString());
        var host = service.IndexOf("://", StringComparison.Ordinal) + "://".Length;
        return $"{Scheme}{service[..host]}:{token}@{service[host..]}/v2/images/{remote.Id}";
    }

    private async Task<JsonDocument> ReadAsync(string address, RemoteImage remote, CancellationToken cancellationToken)
    {
        var parsed = sources.Parse(address, "glance_region");
        await using var reading = await sources.For(parsed).OpenAsync(parsed, from: 0, validator: null, cancellationToken);
        var bytes = new byte[MaxDescription];
        var length = await reading.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        try
        {
            var document = JsonDocument.Parse(bytes.AsMemory(0, length));
            if (document.RootElement.ValueKind is JsonValueKind.Object
                && GlanceBody.Find(document.RootElement, "status") is { ValueKind: JsonValueKind.String } status && status.ValueEquals("active"))
                return document;

            document.Dispose();
        }
        catch (JsonException)
        {
            // It is no image service, or the description is longer than any.
        }

        throw new SourceException(SourceFault.Status, $"Image {remote.Id} of region {remote.Region} is not active.", mayPass: false);
    }

    private static Image Describe(Image image, JsonElement found) => GlanceBody.Members(found)
        .Where(m => m.Value.ValueKind is JsonValueKind.String && IsCopied(m.Name))
        .Aggregate(image, (described, m) => ImageAttributes.Set(described, m.Name, m.Value));

    private static bool IsCopied(string name) =>
        Formats.Contains(name) || Copied.Any(beginning => name.StartsWith(beginning, StringComparison.Ordinal));
}
