using System.Collections.Concurrent;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>Uploads between two requests of their clients.</summary>
/// <remarks>
/// The sums of what came so far stay in memory, so that an upload in many small requests is not read again at each. That is
/// a convenience only: an upload that is not here is opened from the store, after a restart or on another node.
/// </remarks>
internal sealed class OpenUploads(TransferHolds holds, StoreRegistry stores)
{
    private readonly ConcurrentDictionary<TransferId, OpenUpload> _open = [];

    /// <summary>How many bytes there are of an upload.</summary>
    public async Task<long> LengthAsync(Transfer transfer, CancellationToken cancellationToken)
    {
        if (_open.TryGetValue(transfer.Id, out var upload) && upload.Length is { } known)
            return known;

        try
        {
            await using var writer = await stores.Contents(transfer.Store).OpenWriterAsync(StagingKey.Of(transfer.Id), cancellationToken);
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
        var upload = _open.GetOrAdd(transfer.Id, _ => new OpenUpload());
        if (!upload.TryEnter())
            throw new UploadBusyException(transfer.Id);

        try
        {
            var hold = await OpenAsync(upload, transfer, cancellationToken);
            var result = await use(hold);
            upload.Length = hold.Length;
            return result;
        }
        catch (Exception failure)
        {
            await upload.CloseAsync();
            if (failure is TransferLostException && await holds.Transfers.FindAsync(transfer.Id, CancellationToken.None) is null or { IsOver: true })
                await stores.Contents(transfer.Store).DiscardAsync(StagingKey.Of(transfer.Id), CancellationToken.None);
            throw;
        }
        finally
        {
            upload.LastUse = holds.Time.GetUtcNow();
            if (upload.Hold is null or { Transfer.IsOver: true })
                await RemoveAsync(transfer.Id, upload);
            upload.Leave();
        }
    }

    /// <summary>Closes what no client has touched for a while; the bytes stay in the store.</summary>
    public async Task CloseIdleAsync(TimeSpan idle)
    {
        foreach (var (id, upload) in _open)
        {
            if (holds.Time.GetUtcNow() - upload.LastUse < idle || !upload.TryEnter())
                continue;

            await RemoveAsync(id, upload);
            upload.Leave();
        }
    }

    private async Task<TransferHold> OpenAsync(OpenUpload upload, Transfer transfer, CancellationToken cancellationToken)
    {
        // Another node may have had the upload since: then the version went on, and so may have the bytes.
        if (upload.Hold is { } held && held.Transfer.Version == transfer.Version)
            return held;

        await upload.CloseAsync();
        upload.Hold = await holds.TakeAsync(transfer.Id, cancellationToken) ?? throw new UploadBusyException(transfer.Id);
        try
        {
            await upload.Hold.OpenAsync(cancellationToken);
        }
        catch (WriterBusyException)
        {
            throw new UploadBusyException(transfer.Id);
        }

        upload.Length = upload.Hold.Length;
        return upload.Hold;
    }

    private async Task RemoveAsync(TransferId id, OpenUpload upload)
    {
        await upload.CloseAsync();
        _open.TryRemove(new KeyValuePair<TransferId, OpenUpload>(id, upload));
    }

    private sealed class OpenUpload
    {
        private int _busy;

        public TransferHold? Hold { get; set; }
        public long? Length { get; set; }
        public DateTimeOffset LastUse { get; set; } = DateTimeOffset.MaxValue;

        public bool TryEnter() => Interlocked.Exchange(ref _busy, 1) == 0;

        public void Leave() => Volatile.Write(ref _busy, 0);

        public async Task CloseAsync()
        {
            if (Hold is { } hold)
                await hold.CloseAsync(CancellationToken.None);
            (Hold, Length) = (null, null);
        }
    }
}
