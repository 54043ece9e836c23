using System.Text.Json.Serialization;

namespace Vitrine.OpenStack.Images;

/// <summary>The methods of import that are offered.</summary>
internal sealed record GlanceImportInfo([property: JsonPropertyName("import-methods")] GlanceImportMethods ImportMethods);

internal sealed record GlanceImportMethods(string Description, string Type, IReadOnlyList<string> Value);

/// <summary>The quotas of the caller's project by their names, and how much of each is used; -1 is no limit.</summary>
internal sealed record GlanceUsage(IReadOnlyDictionary<string, GlanceQuotaUsage> Usage);

internal sealed record GlanceQuotaUsage(long Limit, long Usage);
