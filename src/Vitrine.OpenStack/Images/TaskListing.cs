using System.Runtime.CompilerServices;
using Vitrine.Access;
using Vitrine.Transfers;

namespace Vitrine.OpenStack.Images;

/// <summary>The question of <c>GET /v2/tasks</c>.</summary>
/// <remarks>
/// The library lists transfers by their age. The order of Glance's statuses, which its command line asks for, is made by
/// listing one status after the other, so that no page needs more than it shows.
/// </remarks>
internal sealed record TaskListing(IReadOnlyList<IReadOnlyList<TransferState>> Steps, bool OldestFirst, int Limit)
{
    private static readonly string[] StatusWords = ["failure", "pending", "processing", "success"];
    private static readonly string[] AgeKeys = ["created_at", "updated_at", "id", "type"];

    /// <exception cref="GlanceRefusalException">The question is not well put.</exception>
    public static TaskListing Read(GlanceQuery query)
    {
        var ascending = (query.Last("sort_dir") ?? "desc") switch
        {
            "asc" => true,
            "desc" => false,
            var other => throw GlanceRefusalException.BadRequest($"Invalid sort direction '{other}'; use asc or desc."),
        };
        var words = WordsFor(query);
        return (query.Last("sort_key") ?? "created_at") switch
        {
            "status" => new TaskListing([.. (ascending ? words : words.Reverse()).Select(StatesOf)], ascending, query.Limit()),
            var key when AgeKeys.Contains(key) => new TaskListing(
                words.Count == 0 ? [] : [[.. words.SelectMany(StatesOf)]], ascending, query.Limit()),
            var key => throw GlanceRefusalException.BadRequest($"Unsupported sort_key '{key}'; use status, {string.Join(", ", AgeKeys)}."),
        };
    }

    /// <param name="marker">The last task of the page before; null for the first page.</param>
    public async IAsyncEnumerable<Transfer> RunAsync(
        TransferDesk desk, Caller caller, Transfer? marker, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var left = Limit;
        var begin = marker is null ? 0 : Steps.TakeWhile(states => !states.Contains(marker.State)).Count();
        for (var step = begin; step < Steps.Count && left > 0; step++)
        {
            var query = new TransferQuery
            {
                Kinds = GlanceTask.Kinds,
                States = Steps[step],
                OldestFirst = OldestFirst,
                After = step == begin ? marker?.Id : null,
                Limit = left,
            };
            foreach (var transfer in await desk.ListAsync(query, caller, cancellationToken))
            {
                yield return transfer;
                left--;
            }
        }
    }

    /// <summary>The statuses that are asked for, in their order; none where the type is another than imports.</summary>
    private static IReadOnlyList<string> WordsFor(GlanceQuery query) =>
        query.Last("type") is { } type && type != GlanceTask.ImportType
            ? []
            : [.. StatusWords.Where(word => query.Last("status") is not { } asked || asked == word)];

    private static IReadOnlyList<TransferState> StatesOf(string word) =>
        [.. Enum.GetValues<TransferState>().Where(state => GlanceTask.StatusOf(state) == word)];
}
