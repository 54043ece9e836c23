using Vitrine.Client;
using Vitrine.Content;
using Vitrine.Stores;

namespace Vitrine.Server.Rest;

/// <summary>What stores say of contents, told of the images that have them.</summary>
internal sealed class StoreReports(StoreRegistry registry, IReplicaCatalogue catalogue)
{
    private static readonly ILookup<Digest, ContentImage> NoHolders = Enumerable.Empty<ContentImage>().ToLookup(i => i.Holder.Digest);

    public async Task<StoreReportRecord> ReportAsync(LibraryStore store, CancellationToken cancellationToken)
    {
        var contents = registry.Contents(store.Name);
        var report = contents.Upkeep is { } upkeep
            ? await upkeep.ReportAsync(cancellationToken)
            : await StoreReport.OfWholeContentsAsync(contents, cancellationToken);
        var holders = await HoldersAsync(store.Name, cancellationToken);
        var logical = report.Contents.Sum(c => c.Logical * holders[c.Digest].Count());
        return new StoreReportRecord
        {
            Store = store.Name,
            Kind = store.Kind,
            Logical = logical,
            Stored = report.Stored,
            Unique = report.Unique,
            Shared = report.Shared,
            Metadata = report.Metadata,
            Staged = report.Staged,
            Collectable = report.Collectable,
            Unreadable = report.Unreadable,
            Ratio = report.Stored > 0 ? Math.Round((double)logical / report.Stored, 2) : null,
            Contents =
            [
                .. report.Contents.OrderByDescending(c => c.Logical).ThenBy(c => c.Digest.Hex, StringComparer.Ordinal)
                    .Select(c => new ContentUseRecord(c.Digest.Hex, c.Logical, c.Unique, c.Shared, ImagesOf(c.Digest, holders))),
            ],
            Projects = [.. UsesOf(report, holders).OrderByDescending(p => p.Logical).ThenBy(p => p.Project, StringComparer.Ordinal)],
        };
    }

    public async Task<StoreOperationRecord> DescribeAsync(StoreOperation operation, CancellationToken cancellationToken) =>
        (await DescribeAsync(operation.Store, [operation], cancellationToken)).Single();

    public async Task<IReadOnlyList<StoreOperationRecord>> DescribeAsync(
        string store, IReadOnlyList<StoreOperation> operations, CancellationToken cancellationToken)
    {
        var holders = operations.Any(o => o.Scrubbed is { Faults.Count: > 0 }) ? await HoldersAsync(store, cancellationToken) : NoHolders;
        return [.. operations.Select(o => WireRecords.From(o) with { Scrubbed = ScrubOf(o.Scrubbed, holders) })];
    }

    private async Task<ILookup<Digest, ContentImage>> HoldersAsync(string store, CancellationToken cancellationToken)
    {
        var holders = await catalogue.ListHoldersAsync(store, cancellationToken);
        var replicas = (await catalogue.ListAsync([.. holders.Select(h => h.Image)], cancellationToken))
            .Where(r => r.State is ReplicaState.Ready).CountBy(r => r.Image).ToDictionary();
        return holders.ToLookup(h => h.Digest, h => new ContentImage(h, replicas.GetValueOrDefault(h.Image)));
    }

    private static ScrubRecord? ScrubOf(ScrubResult? result, ILookup<Digest, ContentImage> holders) => result is null ? null : new ScrubRecord(
        result.Bytes,
        [.. result.Faults.Select(f => new StoreFaultRecord(f.What, [.. f.Contents.Select(c => new FaultyContentRecord(c.Hex, ImagesOf(c, holders)))]))],
        result.Repairing);

    private static ContentImageRecord[] ImagesOf(Digest content, ILookup<Digest, ContentImage> holders) =>
        [.. holders[content].Select(i => new ContentImageRecord(i.Holder.Image.ToString(), i.Holder.Name, i.Holder.Project.Value, i.Replicas))];

    private static IEnumerable<ProjectUseRecord> UsesOf(StoreReport report, ILookup<Digest, ContentImage> holders) =>
        from content in report.Contents
        let projects = holders[content.Digest].GroupBy(i => i.Holder.Project).ToList()
        from project in projects
        let isAlone = projects.Count == 1
        let images = project.LongCount()
        group (content, isAlone, images) by project.Key into uses
        select new ProjectUseRecord(
            uses.Key.Value,
            uses.Sum(u => u.images),
            uses.Sum(u => u.content.Logical * u.images),
            uses.Sum(u => u.isAlone ? u.content.Unique : 0),
            uses.Sum(u => u.content.Shared + (u.isAlone ? 0 : u.content.Unique)));

    /// <param name="Replicas">In how many stores the image is ready.</param>
    private sealed record ContentImage(ContentHolder Holder, int Replicas);
}
