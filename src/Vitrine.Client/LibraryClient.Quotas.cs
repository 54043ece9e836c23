namespace Vitrine.Client;

public sealed partial class LibraryClient
{
    /// <param name="project">Its id or name; null for what projects may have that have no quotas of their own.</param>
    public Task<QuotaList> GetQuotasAsync(string? project, CancellationToken cancellationToken) =>
        GetAsync(QuotaPath(project), LibraryJson.Default.QuotaList, cancellationToken);

    /// <inheritdoc cref="GetQuotasAsync" path="/param"/>
    public Task<QuotaList> ChangeQuotasAsync(string? project, QuotaChange change, CancellationToken cancellationToken) => SendJsonAsync(
        HttpMethod.Patch, QuotaPath(project), change, LibraryJson.Default.QuotaChange, LibraryJson.Default.QuotaList, cancellationToken);

    private static string QuotaPath(string? project) =>
        project is null ? $"{Api}/quotas" : $"{Api}/projects/{Uri.EscapeDataString(project)}/quotas";
}
