using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Vitrine.Client;

/// <summary>What a word of a library's stream is.</summary>
public enum StreamWord
{
    /// <summary>The library listens: whatever happens from now on is told.</summary>
    Ready,
    Event,
    Progress,

    /// <summary>Events were missed: what they would have told must be asked for.</summary>
    Reset,
}

/// <summary>One word of a library's stream.</summary>
/// <param name="Id">From which another connection goes on; null of what has none.</param>
/// <param name="Event">Null of the others.</param>
/// <param name="Progress">Null of the others.</param>
public sealed record StreamedEvent(StreamWord Word, string? Id = null, EventRecord? Event = null, TransferRecord? Progress = null);

public sealed partial class LibraryClient
{
    /// <summary>The library writes at least a comment every 15 seconds.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(45);

    /// <summary>What becomes of images and transfers, as it happens, until the connection ends.</summary>
    /// <param name="images">The ids of the images to be told of; none for all that the caller may see.</param>
    /// <param name="lastId">The id of the last event that is known; null to be told from now on.</param>
    public async IAsyncEnumerable<StreamedEvent> StreamEventsAsync(
        IReadOnlyCollection<string> images, string? lastId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Get, $"{Api}/events{QueryOf(images.Select(i => KeyValuePair.Create("image", i)), "")}");
                if (lastId is not null)
                    request.Headers.Add("Last-Event-ID", lastId);
                return request;
            },
            cancellationToken);
        await using var body = new AudibleStream(this, await response.Content.ReadAsStreamAsync(cancellationToken));
        var events = SseParser.Create(body, (type, data) => Read(type, data)).EnumerateAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using (events.ConfigureAwait(false))
        {
            while (await TryNextAsync(events))
            {
                if (events.Current is { Data: { } told, EventId: var id })
                    yield return told with { Id = told.Event is null ? null : id };
            }
        }
    }

    /// <summary>
    /// A transfer as it stands whenever that changes, until it is over; the last one says how it ended. It is told by the library's stream, and asked
    /// for once a second where there is none.
    /// </summary>
    public async IAsyncEnumerable<TransferRecord> FollowTransferAsync(string id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using (var told = TellAsync(id, cancellationToken).GetAsyncEnumerator(cancellationToken))
        {
            while (await TryMoveNextAsync(told))
            {
                yield return told.Current;
                if (told.Current.IsOver)
                    yield break;
            }
        }

        await foreach (var transfer in WatchTransferAsync(id, cancellationToken))
            yield return transfer;
    }

    private async IAsyncEnumerable<TransferRecord> TellAsync(string id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = await GetTransferAsync(id, cancellationToken);
        yield return last;

        await foreach (var told in StreamEventsAsync([last.Image], lastId: null, cancellationToken))
        {
            if (told.Progress?.Id == id)
                yield return told.Progress;
            else if (told.Word is StreamWord.Ready or StreamWord.Reset || told.Event?.Transfer == id)
                yield return await GetTransferAsync(id, cancellationToken); // what became of it before the library listened is not told
        }
    }

    /// <returns>False at the end, and where the library refuses or is gone: then it has to be asked.</returns>
    private static async Task<bool> TryMoveNextAsync(IAsyncEnumerator<TransferRecord> transfers)
    {
        try
        {
            return await transfers.MoveNextAsync();
        }
        catch (LibraryClientException failure) when (failure.Code is not "transfer-not-found")
        {
            return false;
        }
    }

    private async Task<bool> TryNextAsync(IAsyncEnumerator<SseItem<StreamedEvent?>> events)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw Unreachable(failure);
        }
        catch (JsonException failure)
        {
            throw new LibraryClientException(
                ClientCodes.NotALibrary, $"{Address.Authority} tells what is not a library's.", "Check the address, and that both ends are of one version.", failure);
        }
    }

    /// <returns>Null of kinds that a later library may have.</returns>
    private static StreamedEvent? Read(string type, ReadOnlySpan<byte> data) => type switch
    {
        "image" or "transfer" => new StreamedEvent(StreamWord.Event, Event: JsonSerializer.Deserialize(data, LibraryJson.Default.EventRecord)),
        "progress" => new StreamedEvent(StreamWord.Progress, Progress: JsonSerializer.Deserialize(data, LibraryJson.Default.TransferRecord)),
        "ready" => new StreamedEvent(StreamWord.Ready),
        "reset" => new StreamedEvent(StreamWord.Reset),
        _ => null,
    };

    /// <summary>A stream that is silent for too long has lost its other end.</summary>
    private sealed class AudibleStream(LibraryClient client, Stream inner) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            using var patience = new CancellationTokenSource(LongestSilence, client.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
            try
            {
                return await inner.ReadAsync(buffer, either.Token);
            }
            catch (OperationCanceledException silence) when (!cancellationToken.IsCancellationRequested)
            {
                throw new LibraryClientException(ClientCodes.Stalled, $"{client.Address.Authority} stopped sending.", "Try again later.", silence);
            }
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask DisposeAsync()
        {
            await inner.DisposeAsync();
            await base.DisposeAsync();
        }
    }
}
