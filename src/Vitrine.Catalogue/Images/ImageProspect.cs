using System.Data.Common;
using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Images;

namespace Vitrine.Catalogue.Images;

/// <summary>What is found out about the answer of a query before it is asked, to choose the cheaper way to it.</summary>
/// <remarks>
/// A planner would choose by statistics, which SQLite does not keep by itself and PostgreSQL keeps only roughly. Counting up to
/// a limit costs next to nothing and is never wrong.
/// </remarks>
/// <param name="Candidates">Where not null, no other image can be in the answer.</param>
/// <param name="FewMemberships">Whether the project that asks is a member of few images.</param>
internal sealed record ImageProspect(IReadOnlyCollection<string>? Candidates, bool FewMemberships)
{
    /// <summary>So many images are looked at one by one; what more images have is met soon enough by walking a list in its order.</summary>
    public const int Few = 500;

    /// <param name="few">How many are few; <see cref="Few"/> but for tests, which have not so many images.</param>
    public static async Task<ImageProspect> OfAsync(
        ImageQuery query, int few, Dialect dialect, DbConnection connection, CancellationToken cancellationToken)
    {
        foreach (var (statement, values) in Searches(query, dialect))
        {
            var found = await FindFewAsync(statement, values);
            if (found.Count <= few)
                return new ImageProspect(found, FewMemberships: false);
        }

        if (query.Sight is { Everything: true } or { Project: null })
            return new ImageProspect(null, FewMemberships: false);

        var project = query.Sight.Project.Value.Value;
        var memberships = await FindFewAsync("select image from image_members where project = @project", new { project });
        return new ImageProspect(null, memberships.Count <= few);

        async Task<List<string>> FindFewAsync(string statement, object values)
        {
            var parameters = new DynamicParameters(values);
            parameters.Add("most", few + 1);
            return
            [
                .. await connection.QueryAsync<string>(
                    new CommandDefinition($"{statement} limit @most", parameters, cancellationToken: cancellationToken)),
            ];
        }
    }

    /// <summary>A search for each filter that may hold for few images and has an index, the cheapest first.</summary>
    private static IEnumerable<(string Statement, object Values)> Searches(ImageQuery query, Dialect dialect)
    {
        const string Living = "select id from images where status <> 'deleted' and";
        if (query.Ids.Count > 0)
            yield return ($"{Living} {dialect.In("id", "@ids")}", new { ids = query.Ids.Select(id => id.ToString()).ToArray() });
        if (query.Names.Count > 0)
            yield return ($"{Living} {dialect.In("name_key", "@names")}", new { names = ImageFilters.NameKeys(query) });
        if (query.Md5 is { } md5)
            yield return ($"{Living} content_md5 = @md5", new { md5 });
        if (query.Sha256 is { } sha256)
            yield return ($"{Living} content_digest = @digest", new { digest = ImageFilters.DigestKey(sha256) });
        foreach (var tag in query.Tags)
            yield return ("select image from image_tags where tag = @tag", new { tag });
        foreach (var (name, value) in query.Properties)
            yield return (
                "select image from image_properties where name = @name and value_key = substr(@value, 1, 64) and value = @value",
                new { name, value });
        if (!string.IsNullOrEmpty(query.NameContains))
            yield return ($"{Living} {dialect.Contains("name_folded", "@part")}", new { part = ImageRow.Fold(query.NameContains) });
    }
}
