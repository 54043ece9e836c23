using System.Text.Json.Serialization;

namespace Vitrine.OpenStack.Images;

/// <summary>The methods of import that are offered.</summary>
internal sealed record GlanceImportInfo([property: JsonPropertyName("import-methods")] GlanceImportMethods ImportMethods);

internal sealed record GlanceImportMethods(string Description, string Type, IReadOnlyList<string> Value);

/// <summary>The use of quotas, of which there is one member a quota: none while the operator sets none.</summary>
internal sealed record GlanceUsage(IReadOnlyDictionary<string, GlanceQuotaUsage> Usage);

internal sealed record GlanceQuotaUsage(long Limit, long Usage);
