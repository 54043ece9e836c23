using System.Collections.Concurrent;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>Uploads between two requests of their clients.</summary>
/// <remarks>
/// The sums of what came so far stay in memory, so that an upload in many small requests is not read again at each. That is
/// a convenience only: an upload that is not here is opened from the store, after a restart or on another node.
/// </remarks>
internal sealed class OpenUploads(TransferHolds holds, StoreRegistry stores) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<TransferId, OpenUpload> _open = [];

    /// <summary>How many bytes there are of an upload.</summary>
    public async Task<long> LengthAsync(Transfer transfer, CancellationToken cancellationToken)
    {
        if (transfer.Content is { } whole)
            return whole.SourceSize;
        if (_open.TryGetValue(transfer.Id, out var upload) && upload.Length is { } known)
            return known;
        if (!stores.Has(transfer.Store))
            return transfer.Moved;

        try
        {
            await using var writer = await stores.Contents(transfer.Store).OpenWriterAsync(StagingKey.Of(transfer.Id, transfer.StagingTurn), cancellationToken);
            return writer.Length;
        }
        catch (WriterBusyException)
        {
            return transfer.Moved;
        }
    }

    /// <summary>Works on an upload, alone.</summary>
    /// <exception cref="UploadBusyException">Another request of this node, or another node, works on it.</exception>
    public async Task<T> UseAsync<T>(Transfer transfer, Func<TransferHold, Task<T>> use, CancellationToken cancellationToken)
    {
        var upload = Enter(transfer.Id);
        try
        {
            var hold = await OpenAsync(upload, transfer, cancellationToken);
            var result = await use(hold);
            upload.Length = hold.Length;
            return result;
        }
        catch (TransferLostException)
        {
            await upload.LetGoAsync();
            throw;
        }
        catch (Exception failure) when (failure is not (UploadOffsetException or UploadChecksumException))
        {
            await upload.CloseAsync();
            throw;
        }
        finally
        {
            upload.LastUse = holds.Time.GetUtcNow();
            await LeaveAsync(transfer.Id, upload, upload.Hold is null or { Transfer.IsOver: true });
        }
    }

    /// <summary>
    /// Closes what no client has touched for a while, and what another node has taken; the bytes stay in the store. Drops the
    /// bytes of what was cancelled.
    /// </summary>
    public async Task TidyAsync(TimeSpan idle, CancellationToken cancellationToken)
    {
        foreach (var (id, upload) in _open)
        {
            if (!upload.TryEnter())
                continue;

            var isOurs = false;
            try
            {
                isOurs = upload.Hold is { } hold
                    && (await holds.Transfers.FindAsync(id, cancellationToken))?.Version == hold.Transfer.Version;
                if (!isOurs)
                    await upload.LetGoAsync();
            }
            finally
            {
                await LeaveAsync(id, upload, isDone: !isOurs || holds.Time.GetUtcNow() - upload.LastUse >= idle);
            }
        }
    }

    /// <summary>Puts every upload of this node back that no client is sending to.</summary>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        var query = new TransferQuery { Kinds = [TransferKind.Upload], States = [TransferState.Running], Limit = int.MaxValue };
        foreach (var transfer in await holds.Transfers.ListAsync(query, cancellationToken))
        {
            if (transfer.Node == holds.Node.Instance)
                await TryReleaseAsync(transfer);
        }
    }

    private async Task TryReleaseAsync(Transfer transfer)
    {
        OpenUpload upload;
        try
        {
            upload = Enter(transfer.Id);
        }
        catch (UploadBusyException)
        {
            // A client is sending, and may; the next beat looks again.
            return;
        }

        try
        {
            upload.Hold ??= holds.Hold(transfer);
            await upload.Hold.CloseAsync(CancellationToken.None);
            await upload.Hold.ChangeAsync(t => t.Release(), CancellationToken.None);
        }
        catch (TransferLostException)
        {
            await upload.LetGoAsync();
        }
        finally
        {
            await LeaveAsync(transfer.Id, upload, isDone: true);
        }
    }

    /// <summary>Lets go of the uploads when the node stops, so that another can go on with them at once; those that a request still works on are left as a crash leaves them.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var upload in _open.Values.Where(u => u.TryEnter()))
            await upload.CloseAsync();
    }

    private OpenUpload Enter(TransferId id)
    {
        while (true)
        {
            var upload = _open.GetOrAdd(id, _ => new OpenUpload());
            if (!upload.TryEnter())
                throw new UploadBusyException(id);
            if (_open.TryGetValue(id, out var current) && current == upload)
                return upload;

            // Whoever was here before has just closed it and taken it out.
            upload.Leave();
        }
    }

    private async Task LeaveAsync(TransferId id, OpenUpload upload, bool isDone)
    {
        if (isDone)
        {
            await upload.CloseAsync();
            _open.TryRemove(new KeyValuePair<TransferId, OpenUpload>(id, upload));
        }

        upload.Leave();
    }

    private async Task<TransferHold> OpenAsync(OpenUpload upload, Transfer transfer, CancellationToken cancellationToken)
    {
        // Another node may have had the upload since: then the version went on, and so may have the bytes. What the caller
        // read may also be older than what the request before has stored here.
        if (upload.Hold is { } held && held.Transfer.Version >= transfer.Version)
            return held;

        await upload.CloseAsync();
        upload.Hold = await holds.TakeAsync(transfer.Id, cancellationToken) ?? throw new UploadBusyException(transfer.Id);
        try
        {
            await upload.Hold.OpenAsync(cancellationToken);
        }
        catch (WriterBusyException)
        {
            // The node that has it open sees that it was taken, and closes it.
            throw new UploadBusyException(transfer.Id);
        }

        upload.Length = upload.Hold.Length;
        return upload.Hold;
    }

    private sealed class OpenUpload
    {
        private int _busy;
        private long _length = -1;

        public TransferHold? Hold { get; set; }

        /// <summary>Null where it is not known. It is read beside the request that works on the upload.</summary>
        public long? Length
        {
            get => Volatile.Read(ref _length) is >= 0 and var length ? length : null;
            set => Volatile.Write(ref _length, value ?? -1);
        }

        public DateTimeOffset LastUse { get; set; } = DateTimeOffset.MaxValue;

        public bool TryEnter() => Interlocked.Exchange(ref _busy, 1) == 0;

        public void Leave() => Volatile.Write(ref _busy, 0);

        public async Task CloseAsync()
        {
            (var hold, Hold, Length) = (Hold, null, null);
            await using (hold)
                await (hold?.CloseAsync(CancellationToken.None) ?? Task.CompletedTask);
        }

        public async Task LetGoAsync()
        {
            (var hold, Hold, Length) = (Hold, null, null);
            await (hold?.LetGoAsync() ?? Task.CompletedTask);
        }
    }
}
