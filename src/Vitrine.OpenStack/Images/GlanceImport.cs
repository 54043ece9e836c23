using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.OpenStack.Images;

/// <summary>What <c>POST /v2/images/ID/import</c> asks for.</summary>
/// <param name="Method">One of <see cref="Methods"/>.</param>
/// <param name="Url">Where the content is fetched from; null where it is staged, or copied from store to store.</param>
/// <param name="Stores">The stores that receive it; null for the default one.</param>
/// <param name="Remote">The image of another region whose content is fetched; null for other methods.</param>
internal sealed record GlanceImport(string Method, string? Url, RemoteImage? Remote, StoreChoice? Stores)
{
    public const string GlanceDirect = "glance-direct";
    public const string WebDownload = "web-download";
    public const string CopyImage = "copy-image";
    public const string GlanceDownload = "glance-download";

    /// <summary>The header by which a store is named where there is no body, or beside it.</summary>
    public const string StoreHeader = "X-Image-Meta-Store";

    /// <summary>The methods in which content can be imported.</summary>
    public static readonly string[] Methods = [GlanceDirect, WebDownload, CopyImage, GlanceDownload];

    /// <exception cref="GlanceRefusalException">The request is malformed, or asks for a method or a choice of stores that there is not.</exception>
    public static GlanceImport Read(JsonElement body, HttpRequest request, StoreRegistry stores)
    {
        var (name, method) = ReadMethod(body);
        return new GlanceImport(
            name, name == WebDownload ? Needed(method, "uri", name) : null, name == GlanceDownload ? ReadRemote(method) : null,
            ReadStores(body, request, stores));
    }

    /// <summary>The store of the header; null where there is none.</summary>
    /// <exception cref="GlanceRefusalException">No store has the name.</exception>
    public static string? StoreOf(HttpRequest request, StoreRegistry stores)
    {
        var name = request.Headers[StoreHeader].ToString();
        return name.Length == 0 ? null : Exists(name, stores) ? name : throw GlanceRefusalException.BadRequest($"There is no store '{name}'.");
    }

    private static (string Name, JsonElement Method) ReadMethod(JsonElement body)
    {
        if (GlanceBody.Find(body, "method") is not { ValueKind: JsonValueKind.Object } method
            || GlanceBody.Find(method, "name") is not { } named)
            throw GlanceRefusalException.BadRequest("The request needs an import method: {\"method\": {\"name\": \"web-download\", \"uri\": …}}.");

        var name = GlanceBody.Text(named, "method.name");
        if (!Methods.Contains(name))
            throw GlanceRefusalException.BadRequest($"Unknown import method name '{name}'; use one of {string.Join(", ", Methods)}.");

        return (name, method);
    }

    private static RemoteImage ReadRemote(JsonElement method)
    {
        var id = Needed(method, "glance_image_id", GlanceDownload);
        if (!ImageId.TryParse(id, out var image))
            throw GlanceRefusalException.BadRequest($"Remote image id does not look like a UUID: {id}");

        var face = GlanceBody.Find(method, "glance_service_interface") is { } said ? GlanceBody.Text(said, "glance_service_interface") : RemoteImage.Interfaces[0];
        return new RemoteImage(Needed(method, "glance_region", GlanceDownload), face, image);
    }

    private static string Needed(JsonElement method, string field, string name) => GlanceBody.Find(method, field) is { } found
        ? GlanceBody.Text(found, field)
        : throw GlanceRefusalException.BadRequest($"Import method '{name}' needs {field} to be set.");

    private static StoreChoice? ReadStores(JsonElement body, HttpRequest request, StoreRegistry stores)
    {
        var header = StoreOf(request, stores);
        var listed = GlanceBody.Find(body, "stores") is { } list ? GlanceBody.Texts(list, "stores").Distinct().ToList() : [];
        var all = GlanceBody.Find(body, "all_stores") is { } flag && GlanceBody.Flag(flag, "all_stores");
        if (GlanceBody.Find(body, "all_stores_must_succeed") is { } must)
            GlanceBody.Flag(must, "all_stores_must_succeed"); // an image is of use as soon as one store has it; those that fail are named

        if ((header is null ? 0 : 1) + (listed.Count > 0 ? 1 : 0) + (all ? 1 : 0) > 1)
            throw GlanceRefusalException.BadRequest($"Name stores in one way: all_stores, stores or the header {StoreHeader}.");
        if (listed.Find(name => !Exists(name, stores)) is { } unknown)
            throw GlanceRefusalException.Conflict($"There is no store '{unknown}'.");

        return all ? new StoreChoice { All = true }
            : listed.Count > 0 ? new StoreChoice { Names = listed }
            : StoreChoice.Of(header);
    }

    private static bool Exists(string name, StoreRegistry stores) => stores.All.Any(s => s.Name == name);
}

/// <summary>An image of another region.</summary>
/// <param name="Interface">Of the region's endpoints the one that is meant, which need not be one.</param>
internal sealed record RemoteImage(string Region, string Interface, ImageId Id)
{
    /// <summary>By which a region has its endpoints; those of one region are all the same here.</summary>
    public static readonly string[] Interfaces = ["public", "internal", "admin"];
}
