namespace Vitrine.Stores.Chunked;

/// <content>How a writer goes on with what an earlier one of its key has left.</content>
internal sealed partial class ChunkedWriter
{
    // Packs that a dead writer left open are sealed as they are: the next one is begun anew.
    private async Task TakeOverAsync(CancellationToken cancellationToken)
    {
        await foreach (var found in _engine.Objects.ListAsync(StoreLayout.StagedPrefix(_key), cancellationToken))
        {
            if (StoreLayout.PackOfOpen(found.Name) is { } id)
                await SealLeftAsync(found.Name, id);
        }

        var staged = await _log.ReplayAsync(_engine.HasAsync);
        var parts = staged.Parts.ToList();
        var sound = parts.FindIndex(p => p.Bytes is not null || !_engine.Known.IsOfUse(p.Extent));
        foreach (var (extent, _) in parts[..(sound < 0 ? parts.Count : sound)])
            _map.Add(extent);

        _loggedTo = _restLoggedTo = _map.Length;
        if (sound >= 0)
            await WriteAgainAsync(parts[sound..]);
    }

    private async Task SealLeftAsync(string name, Guid id)
    {
        // Where it was sealed already, this is what was left to be tidied up, and may be less than the whole.
        if (await _engine.Objects.FindAsync(StoreLayout.PackName(id), CancellationToken.None) is not null)
        {
            await _engine.Objects.DeleteAsync(name, CancellationToken.None);
            return;
        }

        var pack = await OpenPack.RecoverAsync(_engine.Objects, _key, id);
        await using (pack)
        {
            if (pack.Segments.Count == 0)
            {
                await _engine.Objects.DeleteAsync(name, CancellationToken.None);
                return;
            }

            await pack.SealAsync();
            _engine.Known.Add(_engine.Packs.NumberOf(id), pack.Blocks);
        }
    }

    // Bytes that were in no segment yet come again as if they had just been given, and so do those between them, and those in packs to which
    // nothing new may refer.
    private async Task WriteAgainAsync(IReadOnlyList<(MapExtent Extent, byte[]? Bytes)> parts)
    {
        var buffer = new byte[PackFormat.MaxSegment];
        foreach (var (extent, bytes) in parts)
        {
            if (bytes is not null)
            {
                await WriteAsync(bytes, CancellationToken.None);
                continue;
            }

            if (!await TryWriteAgainAsync(extent, buffer))
                return;
        }
    }

    private async Task<bool> TryWriteAgainAsync(MapExtent extent, byte[] buffer)
    {
        try
        {
            for (var left = extent; left.Length > 0;)
            {
                var read = await _engine.Extents.ReadAsync(left, buffer, isSequential: true);
                await WriteAsync(buffer.AsMemory(0, read), CancellationToken.None);
                left = left.Skip(read);
            }

            return true;
        }
        catch (StoreDamagedException)
        {
            // From here on it must come from where it came from before.
            return false;
        }
    }

    private async Task OrAbandonAsync(Task beginning)
    {
        try
        {
            await beginning;
        }
        catch
        {
            await AbandonAsync();
            throw;
        }
    }
}
