using System.Text.Json.Serialization;
using Vitrine.Quotas;

namespace Vitrine.OpenStack.Identity;

// Quotas as Keystone's unified limits spell them: those of every project are registered limits.

internal static class LimitNames
{
    /// <summary>The resource by the name that Glance has registered for it; sizes are in MiB there, too.</summary>
    public static string Of(QuotaResource resource) => resource switch
    {
        QuotaResource.Size => "image_size_total",
        QuotaResource.Staged => "image_stage_total",
        QuotaResource.Images => "image_count_total",
        QuotaResource.Uploading => "image_count_uploading",
        _ => throw new ArgumentOutOfRangeException(nameof(resource)),
    };

    /// <exception cref="InvalidFieldException">Nothing here is limited by this name.</exception>
    public static QuotaResource Parse(string name, string field)
    {
        var all = Enum.GetValues<QuotaResource>();
        return all.Any(r => Of(r) == name)
            ? all.First(r => Of(r) == name)
            : throw new InvalidFieldException(field, $"must be one of {string.Join(", ", all.Select(Of))}");
    }
}

internal sealed record KeystoneRegisteredLimit(
    string Id, string ServiceId, string? RegionId, string ResourceName, long DefaultLimit, string? Description, Links Links)
{
    public static KeystoneRegisteredLimit From(Quota quota, string root) => new(
        quota.Id.ToString(), ServiceCatalogue.ImageServiceId, RegionId: null, LimitNames.Of(quota.Resource), quota.Limit,
        quota.Description.Length > 0 ? quota.Description : null, Links.To($"{root}/registered_limits/{quota.Id}"));
}

internal sealed record RegisteredLimitAnswer(KeystoneRegisteredLimit RegisteredLimit);

internal sealed record RegisteredLimitsAnswer(
    IReadOnlyList<KeystoneRegisteredLimit> RegisteredLimits,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ListLinks? Links);

internal sealed record KeystoneLimit(
    string Id, string? ProjectId, string? DomainId, string ServiceId, string? RegionId, string ResourceName, long ResourceLimit, string? Description,
    Links Links)
{
    public static KeystoneLimit From(Quota quota, string root) => new(
        quota.Id.ToString(), quota.Project?.Value, DomainId: null, ServiceCatalogue.ImageServiceId, RegionId: null, LimitNames.Of(quota.Resource),
        quota.Limit, quota.Description.Length > 0 ? quota.Description : null, Links.To($"{root}/limits/{quota.Id}"));
}

internal sealed record LimitAnswer(KeystoneLimit Limit);

internal sealed record LimitsAnswer(
    IReadOnlyList<KeystoneLimit> Limits,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ListLinks? Links);

internal sealed record LimitModelAnswer(LimitModel Model);

internal sealed record LimitModel(string Name, string Description);
