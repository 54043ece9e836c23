namespace Vitrine.Stores.Chunked;

/// <content>Whether what is written is a content that the store has.</content>
internal sealed partial class ChunkedWriter
{
    // Those that went on as this one did so far; null before the first look.
    private List<(StoredContent Content, ContentMap Map)>? _likely;
    private long _compared;

    public override async ValueTask<StoredContent?> RecognizeAsync(bool isWhole, CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await ThrowIfFailedAsync();
            if (isWhole && _carried > 0)
                await AddCarryAsync();

            _likely ??= await FindLikelyAsync();
            if (_likely.Count == 0)
                return null;

            var news = _map.Slice(_compared, _map.Length);
            _likely.RemoveAll(l => (isWhole && l.Content.Length != _map.Length) || !l.Map.HasAt(_compared, news));
            _compared = _map.Length;
            return _likely.Count > 0 ? _likely[0].Content : null;
        }
        finally
        {
            _gate.Release();
        }
    }

    // What this writer has put into a pack of its own is in no content yet.
    private async Task<List<(StoredContent Content, ContentMap Map)>> FindLikelyAsync()
    {
        var beginning = _map.Slice(0, Beginnings.Length);
        return _map.Length < Beginnings.Length || beginning.Exists(e => !_engine.Known.IsOfUse(e)) ? [] : await _engine.Beginnings.FindAsync(beginning);
    }
}
