using Microsoft.Extensions.Logging;
using Vitrine.Content;
using Vitrine.Disks;
using Vitrine.Images;
using Vitrine.Quotas;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <content>From the last byte that came to an active image: checked, unpacked, converted, committed.</content>
internal sealed partial class TransferHold
{
    private static readonly TimeSpan ClaimInterval = TimeSpan.FromMilliseconds(50);

    private StagingKey UnpackedKey => StagingKey.OfUnpacked(Transfer.Id, Transfer.StagingTurn);

    private StagingKey ConvertedKey => StagingKey.OfConverted(Transfer.Id, Transfer.StagingTurn);

    /// <summary>Checks what came, makes it durable, and makes the image active: the only way to an active image.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await ChangeAsync(t => t.Check(), cancellationToken);
        if (Transfer is { Kind: TransferKind.Copy, Content: { } copied })
        {
            await CommitCopyAsync(copied, cancellationToken);
            return;
        }

        var result = await Opened.FinishAsync(cancellationToken);
        var image = await _holds.GetImageAsync(Transfer, cancellationToken);
        if (ContentRules.WrapperToOpen(result, image) is { } wrapper)
            await UnpackAsync(ContentRules.AcceptSource(result, wrapper, Transfer.Length, Transfer.Expected), cancellationToken);
        else
            await KeepAsync(Opened, ContentRules.Accept(result, image, Transfer.Length, Transfer.Expected), cancellationToken);
    }

    /// <summary>Keeps what came, which is the whole, until somebody asks for its import.</summary>
    /// <exception cref="ContentLengthException">More or fewer bytes came than were announced.</exception>
    /// <exception cref="ContentEmptyException">Not one came.</exception>
    public async Task StageAsync(CancellationToken cancellationToken)
    {
        var length = Length;
        ContentRules.CheckLength(length, Transfer.Length);
        await FlushAsync(cancellationToken);
        await SaveAsync(
            async () => new CatalogueChange
            {
                Transfers = [Transfer.Stage() with { Moved = length }],
                Image = await _holds.GetImageAsync(Transfer, cancellationToken) with { Size = length },
                Within = [QuotaResource.Staged],
            },
            cancellationToken);
    }

    /// <summary>Finishes what an earlier run had brought as far as the store; false where it had not.</summary>
    public async Task<bool> TryCompleteEarlierAsync(CancellationToken cancellationToken)
    {
        if (Transfer.Content is not { } content)
            return false;

        await ClaimAsync(content.Digest, cancellationToken);
        if (await Store.FindAsync(content.Digest, cancellationToken) is null)
            return false;

        await ActivateAsync(content, cancellationToken);
        return true;
    }

    /// <summary>Takes the content out of the file that came, and makes that the image's.</summary>
    private async Task UnpackAsync(SourceFile source, CancellationToken cancellationToken)
    {
        await ChangeAsync(t => t.Unpack(0), cancellationToken);
        await using var content = await _holds.Wrappers.OpenAsync(Opened.Staged, source.Wrapper!.Value, cancellationToken);
        await DeriveAsync(
            UnpackedKey, content.Body, content.Length, (transfer, unpacked) => transfer.Unpack(unpacked),
            async (unpacked, result) => await KeepAsync(
                unpacked, ContentRules.AcceptUnpacked(result, await _holds.GetImageAsync(Transfer, cancellationToken), source), cancellationToken),
            cancellationToken);
    }

    /// <summary>Lays the disk in what came out in another format, and makes that the image's content.</summary>
    private async Task ConvertAsync(Ingest arrived, ContentFacts facts, ConversionTarget target, CancellationToken cancellationToken)
    {
        await ChangeAsync(t => t.Convert(0), cancellationToken);
        var disk = await _holds.Formats.OpenAsync(arrived.Staged, facts.Format, facts.Container, cancellationToken);
        await using var conversion = await _holds.Formats.ConvertAsync(disk, target, cancellationToken);
        var laidOut = await conversion.LayOutAsync(cancellationToken)
            ?? throw new InvalidOperationException($"Content of the format {target.Format.Word()} is not laid out before it is written.");
        await using var body = new ContentStream(laidOut, offset: 0);
        await DeriveAsync(
            ConvertedKey, body, laidOut.Length, (transfer, converted) => transfer.Convert(converted),
            (converted, result) => CommitAsync(converted, ContentRules.AcceptConverted(result, facts, target.Format), cancellationToken),
            cancellationToken);
    }

    /// <summary>Makes content of what came, beside it: a pass of its own.</summary>
    /// <param name="advance">Tells the transfer how many bytes there are.</param>
    /// <param name="keep">What becomes of the content.</param>
    private async Task DeriveAsync(
        StagingKey key, Stream body, long? length, Func<Transfer, long, Transfer> advance, Func<Ingest, IngestResult, Task> keep,
        CancellationToken cancellationToken)
    {
        if (length > _holds.Options.MaxImageSize)
            throw new LimitExceededException("bytes of an image", _holds.Options.MaxImageSize);

        await _holds.Stores.CheckRoomAsync(Transfer.Store, length, cancellationToken);
        try
        {
            await using var derived = await OpenDerivedAsync(key, cancellationToken);

            // As long a computation as the sums are, it has its place where they have.
            await IngestThreads.Shared.Run(() => derived.TakeAsync(
                body, length, _holds.Options.MaxImageSize, _ => ReportAsync(derived), cancellationToken));
            await keep(derived, await derived.FinishAsync(cancellationToken));
        }
        catch
        {
            // Nobody can go on in the middle of it, and the room may be what another try needs.
            await DiscardAsync(key);
            throw;
        }

        async Task ReportAsync(Ingest derived)
        {
            await ChangeAsync(t => advance(t, derived.Length), CancellationToken.None);
            await _holds.Stores.CheckReserveAsync(Transfer.Store, CancellationToken.None);
        }
    }

    private async Task<Ingest> OpenDerivedAsync(StagingKey key, CancellationToken cancellationToken)
    {
        var writer = await Store.OpenWriterAsync(key, cancellationToken);
        try
        {
            if (writer.Length > 0)
                await writer.ResetAsync(cancellationToken);
            return new Ingest(writer, _holds.Inspector, Published, _holds.Time, digest => _holds.FindSumsAsync(digest, Published));
        }
        catch
        {
            await writer.DisposeAsync();
            throw;
        }
    }

    /// <exception cref="StoreDamagedException">The store that it came from gave other bytes than it was given.</exception>
    private async Task CommitCopyAsync(ContentFacts content, CancellationToken cancellationToken)
    {
        var isRight = Opened.IsByName ? Opened.Length == content.Size : (await Opened.FinishAsync(cancellationToken)).Digest == content.Digest;
        if (!isRight)
        {
            await RestartAsync(cancellationToken);
            throw new StoreDamagedException(Transfer.SourceStore!, $"content {content.Digest}");
        }

        await CommitAsync(Opened, content, cancellationToken);
    }

    /// <summary>Checks the disk in what came, and keeps that as the store keeps it.</summary>
    private async Task KeepAsync(Ingest ingest, ContentFacts content, CancellationToken cancellationToken)
    {
        var facts = await CheckDiskAsync(ingest, content, cancellationToken);
        var image = await _holds.GetImageAsync(Transfer, cancellationToken);
        if (_holds.Stores.Choose(Transfer.Store).Conversion.TargetFor(facts, image) is { } target)
            await ConvertAsync(ingest, facts, target, cancellationToken);
        else
            await CommitAsync(ingest, facts, cancellationToken);
    }

    private async Task CommitAsync(Ingest ingest, ContentFacts content, CancellationToken cancellationToken)
    {
        await ClaimAsync(content.Digest, cancellationToken);
        await ChangeAsync(t => t.Settle(content), cancellationToken);
        await ingest.CommitAsync(content.Digest, cancellationToken);
        await ActivateAsync(content, cancellationToken);
    }

    /// <summary>Looks at the tables of the disk as a whole, which bytes that pass by cannot be held against.</summary>
    /// <returns>The facts, with the length of the disk where only its tables say it.</returns>
    private async Task<ContentFacts> CheckDiskAsync(Ingest ingest, ContentFacts content, CancellationToken cancellationToken)
    {
        if (!_holds.Formats.CanOpen(content.Format))
            return content;

        await using var disk = await _holds.Formats.OpenAsync(ingest.Staged, content.Format, content.Container, cancellationToken);
        await disk.CheckAsync(cancellationToken);

        // A medium for installing may be started either way.
        if (content.Format is DiskFormat.Iso)
            return content;

        var image = await _holds.GetImageAsync(Transfer, cancellationToken);
        var modes = await _holds.Formats.FindBootModesAsync(disk, cancellationToken);
        if (modes.WarningFor(ImageRules.FirmwareOf(image.Hardware)) is { } warning)
            await ChangeAsync(t => t.Note(warning), cancellationToken);
        return content.Format is DiskFormat.Raw ? content : content with { VirtualSize = content.VirtualSize ?? disk.Length };
    }

    private async Task ActivateAsync(ContentFacts content, CancellationToken cancellationToken)
    {
        var change = await SaveAsync(
            async () => TransferChanges.Finish(
                Transfer, await _holds.GetImageAsync(Transfer, cancellationToken),
                await _holds.Replicas.ListAsync([Transfer.Image], cancellationToken), content, _holds.Time.Now()),
            cancellationToken);
        _holds.Count(Transfer);
        LogDone(_holds.Logger, Transfer.Id, Transfer.Image, Transfer.Store, content.Size, content.Digest);
        foreach (var further in change.Transfers.Skip(1))
            await _holds.Scheduler.ScheduleAsync(further.Id, CancellationToken.None);
    }

    /// <summary>The collector may be removing the same content at this moment; it is quick.</summary>
    private async Task ClaimAsync(Digest digest, CancellationToken cancellationToken)
    {
        while (!await _holds.Replicas.TryClaimAsync(Transfer.Store, digest, Transfer.Id, cancellationToken))
            await Task.Delay(ClaimInterval, _holds.Time, cancellationToken);
    }

    [LoggerMessage(LogLevel.Information, "Transfer {Transfer} brought image {Image} into store {Store}: {Size} bytes, {Digest}")]
    private static partial void LogDone(ILogger logger, TransferId transfer, ImageId image, string store, long size, Digest digest);
}
