using System.Buffers;
using System.Collections.Concurrent;
using Vitrine.Access;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>Uploads whose client sends several stretches at once, and then says in which order they make the whole.</summary>
/// <remarks>
/// The truth of how much came of a part is the store's; its row says so a second later, for whoever only looks. Putting the parts together is
/// work of <see cref="TransferRunner"/>, from the moment that their order is stored.
/// </remarks>
public sealed class UploadParts
{
    public const int MostParts = 100;

    private const int BlockSize = 256 * 1024;
    private const int MaxCrossings = 10;
    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromSeconds(1);

    private readonly IUploadPartCatalogue _parts;
    private readonly TransferDesk _desk;
    private readonly TransferHolds _holds;
    private readonly ConcurrentDictionary<StagingKey, bool> _busy = [];

    internal UploadParts(IUploadPartCatalogue parts, TransferDesk desk, TransferHolds holds)
    {
        (_parts, _desk, _holds) = (parts, desk, holds);
    }

    public async Task<IReadOnlyList<UploadPart>> ListAsync(TransferId upload, Caller caller, CancellationToken cancellationToken)
    {
        await _desk.GetAsync(upload, caller, cancellationToken);
        return await _parts.ListAsync(upload, cancellationToken);
    }

    /// <summary>Makes room for a part.</summary>
    /// <exception cref="LimitExceededException">The parts would be too many, or longer than the upload.</exception>
    public async Task<UploadPart> AddAsync(TransferId upload, long length, Caller caller, CancellationToken cancellationToken)
    {
        var transfer = await GetOpenAsync(upload, caller, cancellationToken);
        if (length <= 0)
            throw new InvalidFieldException("length", "a part has at least one byte");

        var now = _holds.Time.Now();
        var parts = await _parts.ChangeAsync(upload, known => [.. known, Next(transfer, known, length, now)], cancellationToken);
        return parts[^1];
    }

    /// <summary>A part, with as many bytes as the store has of it.</summary>
    public async Task<UploadPart> FindOffsetAsync(TransferId upload, int number, Caller caller, CancellationToken cancellationToken)
    {
        var transfer = await GetOpenAsync(upload, caller, cancellationToken);
        var part = await GetAsync(upload, number, cancellationToken);
        if (_busy.ContainsKey(part.Key) || part.Place is not null || !_holds.Stores.Has(transfer.Store))
            return part;

        try
        {
            await using var writer = await StoreOf(transfer).OpenWriterAsync(part.Key, cancellationToken);
            return part with { Moved = writer.Length };
        }
        catch (WriterBusyException)
        {
            return part;
        }
    }

    /// <summary>Takes what a client sends of a part, from an offset on; when it returns, that is durable.</summary>
    /// <exception cref="UploadOffsetException">The store has more or fewer bytes of the part than the offset.</exception>
    /// <exception cref="UploadBusyException">Another request is sending the same part.</exception>
    public async Task<UploadPart> AppendAsync(TransferId upload, int number, long offset, Stream body, Caller caller, CancellationToken cancellationToken)
    {
        var transfer = await GetOpenAsync(upload, caller, cancellationToken);
        var part = await GetAsync(upload, number, cancellationToken);
        RefuseJoined(transfer, [part]);
        _holds.Duty.CheckTakesBodies();
        _holds.Stores.CheckReaches(transfer.Store, _holds.Node);
        return await AloneAsync(part, async () =>
        {
            await using var writer = await StoreOf(transfer).OpenWriterAsync(part.Key, cancellationToken);
            if (writer.Length != offset)
                throw new UploadOffsetException(upload, writer.Length, offset);

            await ReceiveAsync(writer, part, _holds.Bandwidth.Pace(body, isCopy: false), cancellationToken);
            return part with { Moved = writer.Length };
        });
    }

    /// <summary>Gives a part up.</summary>
    public async Task RemoveAsync(TransferId upload, int number, Caller caller, CancellationToken cancellationToken)
    {
        var transfer = await GetOpenAsync(upload, caller, cancellationToken);
        var part = await GetAsync(upload, number, cancellationToken);
        RefuseJoined(transfer, [part]);
        _holds.Stores.CheckReaches(transfer.Store, _holds.Node);

        // The bytes first: a part of the same number must not find them.
        await AloneAsync(part, async () =>
        {
            await StoreOf(transfer).DiscardAsync(part.Key, cancellationToken);
            return part;
        });
        await _parts.ChangeAsync(upload, known => [.. known.Where(p => p.Number != number)], cancellationToken);
        await TellAsync(upload);
    }

    /// <summary>Says which parts, in which order, make the whole; a node puts them together from then on. To say the same again changes nothing.</summary>
    /// <exception cref="UploadBusyException">A request is still sending one of them.</exception>
    /// <exception cref="UploadPartsException">They are not whole, do not make the announced length, or are put together in another order already.</exception>
    public async Task<Transfer> JoinAsync(TransferId upload, IReadOnlyList<int> order, Caller caller, CancellationToken cancellationToken)
    {
        var transfer = await GetOpenAsync(upload, caller, cancellationToken);
        var parts = await _parts.ListAsync(upload, cancellationToken);
        if (parts.All(p => p.Place is null) && _holds.Stores.Has(transfer.Store))
        {
            await _holds.Stores.CheckRoomAsync(transfer.Store, transfer.Length, cancellationToken);
            foreach (var part in parts.Where(p => !p.IsWhole && order.Contains(p.Number)))
                await CatchUpAsync(transfer, part, cancellationToken);
        }

        await _parts.ChangeAsync(upload, known => Place(transfer, known, order), cancellationToken);
        await _holds.Scheduler.ScheduleAsync(upload, cancellationToken);
        return transfer;
    }

    /// <summary>A node that died between the store and the row left a row that is behind: whoever asked for the offset was told more.</summary>
    private Task CatchUpAsync(Transfer transfer, UploadPart part, CancellationToken cancellationToken) => AloneAsync(part, async () =>
    {
        await using var writer = await StoreOf(transfer).OpenWriterAsync(part.Key, cancellationToken);
        if (writer.Length > part.Moved)
            await CheckpointAsync(writer, part);
        return part;
    });

    private async Task<Transfer> GetOpenAsync(TransferId upload, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("upload an image");
        var transfer = await _desk.GetAsync(upload, caller, cancellationToken);
        return transfer is { Kind: TransferKind.Upload, IsOver: false }
            ? transfer
            : throw new TransferStateException(upload, transfer.State, "it takes no more bytes");
    }

    private async Task<UploadPart> GetAsync(TransferId upload, int number, CancellationToken cancellationToken) =>
        (await _parts.ListAsync(upload, cancellationToken)).FirstOrDefault(p => p.Number == number)
        ?? throw new UploadPartNotFoundException(upload, number);

    private static UploadPart Next(Transfer transfer, IReadOnlyList<UploadPart> known, long length, DateTimeOffset now)
    {
        RefuseJoined(transfer, known);
        if (known.Count == 0 && transfer.Moved > 0)
            throw new TransferStateException(transfer.Id, transfer.State, "its bytes came in one piece so far, and go on so");
        if (known.Count >= MostParts)
            throw new LimitExceededException("parts of an upload", MostParts);
        if (length > transfer.Length - known.Sum(p => p.Length))
            throw new LimitExceededException("bytes of all parts of this upload", transfer.Length ?? 0);

        return new UploadPart(transfer.Id, known.Count == 0 ? 1 : known[^1].Number + 1, length, Moved: 0, Place: null, now);
    }

    private static IReadOnlyList<UploadPart> Place(Transfer transfer, IReadOnlyList<UploadPart> known, IReadOnlyList<int> order)
    {
        var placed = known.Where(p => p.Place is not null).OrderBy(p => p.Place).Select(p => p.Number).ToList();
        if (placed.Count > 0)
            return placed.SequenceEqual(order) ? known : throw new UploadPartsException(transfer.Id, "they are put together in another order already");
        if (order.Count == 0 || order.Distinct().Count() != order.Count)
            throw new UploadPartsException(transfer.Id, order.Count == 0 ? "none is named" : "one is named twice");

        var parts = order.Select(number => known.FirstOrDefault(p => p.Number == number) ?? throw new UploadPartNotFoundException(transfer.Id, number)).ToList();
        if (parts.FirstOrDefault(p => !p.IsWhole) is { } missing)
            throw new UploadPartsException(transfer.Id, $"part {missing.Number} has {missing.Moved} of {missing.Length} bytes");
        if (parts.Sum(p => p.Length) is var sum && sum != transfer.Length)
            throw new UploadPartsException(transfer.Id, $"together they have {sum} bytes, and {transfer.Length} were announced");

        return [.. known.Select(p => p with { Place = parts.IndexOf(p) is >= 0 and var place ? place : null })];
    }

    private static void RefuseJoined(Transfer transfer, IEnumerable<UploadPart> parts)
    {
        if (parts.Any(p => p.Place is not null))
            throw new TransferStateException(transfer.Id, transfer.State, "its parts are being put together");
    }

    private IContentStore StoreOf(Transfer transfer) => _holds.Stores.Contents(transfer.Store);

    private async Task<UploadPart> AloneAsync(UploadPart part, Func<Task<UploadPart>> use)
    {
        if (!_busy.TryAdd(part.Key, true))
            throw new UploadBusyException(part.Upload);

        try
        {
            return await use();
        }
        catch (WriterBusyException)
        {
            throw new UploadBusyException(part.Upload);
        }
        finally
        {
            _busy.TryRemove(part.Key, out _);
        }
    }

    private async Task ReceiveAsync(ContentWriter writer, UploadPart part, Stream body, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        var (filled, last) = (0, _holds.Time.GetTimestamp());
        try
        {
            while (await body.ReadAsync(buffer.AsMemory(filled, BlockSize - filled), cancellationToken) is > 0 and var read)
            {
                if (read > part.Length - writer.Length - filled)
                    throw new LimitExceededException("bytes of this part", part.Length);

                filled += read;
                var isDue = _holds.Time.GetElapsedTime(last) >= CheckpointInterval;
                if (!isDue && filled < BlockSize)
                    continue;

                await writer.WriteAsync(buffer.AsMemory(0, Taken()), CancellationToken.None);
                if (!isDue)
                    continue;

                await CheckpointAsync(writer, part);
                last = _holds.Time.GetTimestamp();
            }
        }
        finally
        {
            // What came before a cut is kept: the client goes on behind it.
            if (filled > 0)
                await writer.WriteAsync(buffer.AsMemory(0, Taken()), CancellationToken.None);
            ArrayPool<byte>.Shared.Return(buffer);
            await CheckpointAsync(writer, part);
        }

        // What a failed write makes of its bytes is the store's to say, so they are not given twice.
        int Taken()
        {
            var count = filled;
            filled = 0;
            return count;
        }
    }

    private async Task CheckpointAsync(ContentWriter writer, UploadPart part)
    {
        await writer.FlushAsync(CancellationToken.None);
        var moved = writer.Length;
        await _parts.ChangeAsync(
            part.Upload, known => [.. known.Select(p => p.Number == part.Number ? p with { Moved = moved } : p)], CancellationToken.None);
        await TellAsync(part.Upload);
    }

    /// <summary>The transfer says how far all parts are together. The requests of other parts say so too, and a later word makes up for one that is lost.</summary>
    /// <exception cref="TransferLostException">It is over meanwhile.</exception>
    private async Task TellAsync(TransferId upload)
    {
        for (var crossings = 0; crossings < MaxCrossings; crossings++)
        {
            if (await _holds.Transfers.FindAsync(upload, CancellationToken.None) is not { IsOver: false } transfer)
                throw new TransferLostException(upload);

            // Looked at behind the transfer, whose version tells that nobody has said more since.
            var moved = (await _parts.ListAsync(upload, CancellationToken.None)).Sum(p => p.Moved);
            try
            {
                await _holds.Catalogue.SaveAsync(new CatalogueChange { Transfers = [transfer.Gather(moved, _holds.Time.Now())] }, CancellationToken.None);
                return;
            }
            catch (ConcurrentChangeException)
            {
                // Another part told of itself; what all have is still to be said.
            }
        }
    }
}
