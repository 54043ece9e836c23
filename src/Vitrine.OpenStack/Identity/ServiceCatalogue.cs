using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Vitrine.OpenStack.Identity;

/// <summary>A service that clients find by its type. Register one to have it in the service catalogue.</summary>
/// <param name="Type">As <c>image</c>: what clients look for.</param>
/// <param name="Name">As <c>glance</c>: for people.</param>
/// <param name="Path">Where on this server it is, as <c>/image</c>.</param>
public sealed record CatalogueService(string Type, string Name, string Path)
{
    public static CatalogueService Identity { get; } = new("identity", "keystone", "/identity/v3");

    // Without the version: clients ask the service which versions it has.
    public static CatalogueService Image { get; } = new("image", "glance", "/image");
}

/// <summary>Tells clients where the services are, as seen from where they asked.</summary>
public sealed class ServiceCatalogue
{
    private static readonly string[] Interfaces = ["public", "internal", "admin"];

    private readonly OpenStackOptions _options;
    private readonly IReadOnlyList<CatalogueService> _services;

    public ServiceCatalogue(IOptions<OpenStackOptions> options, IEnumerable<CatalogueService> services) =>
        (_options, _services) = (options.Value, [.. services]);

    public string Region => _options.Region;

    /// <summary>By which limits name the service that keeps them.</summary>
    internal static string ImageServiceId { get; } = IdOf(CatalogueService.Image);

    /// <summary>Where the image service of a region is, without a slash at the end; null for a region that nobody has said anything of.</summary>
    internal string? ImageUrl(string region, HttpRequest request) => _options.Regions.TryGetValue(region, out var other)
        ? other.Image.TrimEnd('/')
        : region == Region ? BaseUrl(request) + CatalogueService.Image.Path : null;

    /// <summary>Scheme, host and base path by which the client reaches us, without a slash at the end.</summary>
    public string BaseUrl(HttpRequest request) =>
        (_options.PublicUrl ?? $"{request.Scheme}://{request.Host}{request.PathBase}").TrimEnd('/');

    /// <summary>The header <c>WWW-Authenticate</c> of every 401 that an OpenStack face answers.</summary>
    public string Challenge(HttpRequest request) => $"Keystone uri=\"{IdentityUrl(request)}\"";

    /// <summary>Where clients log in, with the version.</summary>
    public string IdentityUrl(HttpRequest request) => _options.Keystone.Url?.TrimEnd('/') ?? BaseUrl(request) + CatalogueService.Identity.Path;

    internal IReadOnlyList<CatalogueEntry> Entries(HttpRequest request) =>
    [
        .. _services.Select(service => new CatalogueEntry(
            [.. Interfaces.Select(name => EndpointOf(service, name, request))], IdOf(service), service.Type, service.Name)),
    ];

    internal IReadOnlyList<KeystoneService> Services(string selfUrl) =>
    [
        .. _services.Select(service => new KeystoneService(
            IdOf(service), service.Type, service.Name, Enabled: true, Description: "", Links.To($"{selfUrl}/services/{IdOf(service)}"))),
    ];

    internal IReadOnlyList<KeystoneEndpoint> Endpoints(HttpRequest request, string selfUrl) =>
    [
        .. from service in _services
           from name in Interfaces
           let endpoint = EndpointOf(service, name, request)
           select new KeystoneEndpoint(
               endpoint.Id, name, Region, Region, IdOf(service), endpoint.Url, Enabled: true, Links.To($"{selfUrl}/endpoints/{endpoint.Id}")),
    ];

    private CatalogueEndpoint EndpointOf(CatalogueService service, string name, HttpRequest request) =>
        new(IdFor($"{service.Type}/{name}"), name, Region, Region, BaseUrl(request) + service.Path);

    private static string IdOf(CatalogueService service) => IdFor(service.Type);

    // The same on every node and after every start, without being stored.
    private static string IdFor(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name))[..16]);
}
