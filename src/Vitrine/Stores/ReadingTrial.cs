namespace Vitrine.Stores;

/// <summary>What can be tried in a store that takes no new content: a content that is there is found and read.</summary>
internal sealed class ReadingTrial(string store, IContentStore contents, TimeProvider time) : StoreTrial(store, contents, time)
{
    /// <summary>Of so many, the first that are listed, the smallest is read.</summary>
    private const int MostListed = 1000;

    private StoredContent? _smallest;

    public Task<CheckResult> RunAsync(IProgress<UpkeepProgress> progress, CancellationToken cancellationToken) => RunAsync(
        isReadOnly: true,
        [
            ("capacity", "It says how much room it has.", MeasureAsync),
            ("list", "It lists what it has.", ListAsync),
            ("read", "Content that it lists is found, and read whole as it was written.", ReadAsync),
        ],
        progress, cancellationToken);

    private async Task ListAsync(CancellationToken cancellationToken)
    {
        var listed = 0;
        await foreach (var content in Contents.ListAsync(cancellationToken))
        {
            if (_smallest is null || content.Length < _smallest.Length)
                _smallest = content;
            if (++listed == MostListed)
                break;
        }
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        // An empty store has nothing that it could fail to give.
        if (_smallest is not { } content)
            return;

        Require(await Contents.FindAsync(content.Digest, cancellationToken) == content, "content that it lists is not found, or with another length.");
        await using var reader = await Contents.OpenAsync(content.Digest, cancellationToken);
        if (await reader.DigestAsync(cancellationToken) != content.Digest)
            throw new StoreDamagedException(Store, $"content {content.Digest}");
    }
}
