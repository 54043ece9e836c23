using System.Text.Json.Serialization;

namespace Vitrine.Client;

/// <summary>What a project may have.</summary>
/// <param name="Project">Null for what projects may have that have no quotas of their own.</param>
public sealed record QuotaList(string? Project, IReadOnlyList<QuotaRecord> Items);

/// <summary>How much of one thing a project may have.</summary>
/// <param name="Resource"><c>size</c> of all images in all stores and <c>staged</c>, both in MiB; the number of <c>images</c>, and of those <c>uploading</c>.</param>
/// <param name="Limit">Null where there is none.</param>
/// <param name="Used">Null where no project is meant.</param>
/// <param name="IsOwn">It was set for this project, or here.</param>
public sealed record QuotaRecord(string Resource, long? Limit, long? Used, bool IsOwn);

/// <summary>Sets quotas.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record QuotaChange
{
    /// <summary>By resource; -1 is no limit, and null takes what was set away again.</summary>
    public IReadOnlyDictionary<string, long?> Limits { get; init; } = new Dictionary<string, long?>();
}
