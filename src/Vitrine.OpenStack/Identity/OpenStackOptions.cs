using Microsoft.Extensions.Options;
using Vitrine.OpenStack.Identity.External;

namespace Vitrine.OpenStack.Identity;

/// <summary>The section <c>OpenStack</c>.</summary>
public sealed class OpenStackOptions
{
    /// <summary>The region of all endpoints in the service catalogue; clients choose by it. Default: RegionOne.</summary>
    public string Region { get; set; } = "RegionOne";

    /// <summary>
    /// The address by which clients reach this service, as <c>https://images.example.org</c>, for links and the service
    /// catalogue. Default: whatever host the request named, which is right unless a proxy hides it.
    /// </summary>
    public string? PublicUrl { get; set; }

    /// <summary>The identity service of the cloud, where it has one.</summary>
    public ExternalKeystoneOptions Keystone { get; init; } = new();

    /// <summary>Other regions by their names, whose images are imported by <c>glance-download</c>. Their users' tokens are valid there.</summary>
    public IDictionary<string, RegionOptions> Regions { get; } = new Dictionary<string, RegionOptions>(StringComparer.OrdinalIgnoreCase);
}

/// <summary>Where another region is.</summary>
public sealed class RegionOptions
{
    /// <summary>The address of its image service, as its service catalogue has it, without a version.</summary>
    public string Image { get; set; } = "";
}

internal sealed class OpenStackOptionsValidator : IValidateOptions<OpenStackOptions>
{
    public ValidateOptionsResult Validate(string? name, OpenStackOptions options)
    {
        var faults = new List<string>();
        if (options.Region.Length is 0 or > 255 || options.Region.Any(char.IsControl))
            faults.Add("OpenStack:Region must have 1 to 255 characters.");
        if (options.PublicUrl is not null && !IsWebAddress(options.PublicUrl))
            faults.Add("OpenStack:PublicUrl must be an http or https URL without query and fragment.");
        if (options.Keystone.IsUsed)
            faults.AddRange(options.Keystone.Faults());

        foreach (var (region, _) in options.Regions.Where(r => !IsWebAddress(r.Value.Image)))
            faults.Add($"OpenStack:Regions:{region}:Image must be an http or https URL without query and fragment.");

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static bool IsWebAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && url is { Scheme: "http" or "https", Query: "", Fragment: "", UserInfo: "" };
}
