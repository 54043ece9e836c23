using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Vitrine.Transfers;

namespace Vitrine.Events;

/// <summary>What this node tells everybody who listens: events in their order, and once a second how far running transfers are.</summary>
/// <remarks>One loop reads for all listeners, and only while there are any. A listener who does not keep up is cut off, and holds nobody up.</remarks>
public sealed partial class EventFeed(
    IEventCatalogue events, ITransferCatalogue transfers, LibraryOptions options, TimeProvider time, ILogger<EventFeed> logger) : IAsyncDisposable
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    private const int PageSize = 500;
    private const int MostUnread = 1_000;
    private const int MostTransfers = 1_000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<EventSubscription> _listeners = [];
    private Dictionary<TransferId, long> _told = [];
    private EventPosition _position;
    private long _lastProgress;
    private Task _loop = Task.CompletedTask;

    /// <summary>Whatever is committed from now on is told to the subscription, until it is disposed.</summary>
    /// <param name="wantsProgress">Whether it is told how far running transfers are, too.</param>
    /// <exception cref="TooManyStreamsException">As many as this node bears are listening.</exception>
    public async Task<EventSubscription> SubscribeAsync(bool wantsProgress, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_listeners.Count >= options.EventStreams)
                throw new TooManyStreamsException(options.EventStreams);

            if (_listeners.Count == 0)
                _position = (await events.FindSpanAsync(cancellationToken))?.Last ?? default;
            var subscription = new EventSubscription(this, _position, wantsProgress, MostUnread);
            _listeners.Add(subscription);
            if (_loop.IsCompleted)
                _loop = Task.Run(RunAsync, CancellationToken.None);
            return subscription;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>What was written behind a position, page by page, to its present end.</summary>
    /// <returns>Null where events behind the position may have been forgotten, or it is none of this catalogue.</returns>
    public async Task<IAsyncEnumerable<LibraryEvent>?> FindSinceAsync(EventPosition after, CancellationToken cancellationToken) =>
        await events.FindSpanAsync(cancellationToken) is { } span && after >= span.First && after <= span.Last ? ReadAsync(after, cancellationToken) : null;

    /// <summary>Forgets what is too old.</summary>
    public Task PruneAsync(CancellationToken cancellationToken) => events.PruneAsync(time.GetUtcNow() - Lifetime, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
        _turn.Dispose();
    }

    internal async ValueTask RemoveAsync(EventSubscription subscription)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            _listeners.Remove(subscription);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async IAsyncEnumerable<LibraryEvent> ReadAsync(
        EventPosition after, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await events.ListAsync(after, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var one in page)
                yield return one;
            after = page[^1].Position!.Value;
        }
    }

    private async Task RunAsync()
    {
        while (await TryTellAsync())
        {
            try
            {
                await events.WaitAsync(Interval, _stopping.Token);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                LogFailed(failure);
                await Task.Delay(Interval, time, _stopping.Token);
            }
        }
    }

    /// <returns>False where nobody listens any more.</returns>
    private async Task<bool> TryTellAsync()
    {
        await _turn.WaitAsync(_stopping.Token);
        try
        {
            if (_listeners.Count == 0)
            {
                _loop = Task.CompletedTask;
                return false;
            }

            await TellEventsAsync();
            if (_listeners.Exists(l => l.WantsProgress) && time.GetElapsedTime(_lastProgress) >= Interval)
                await TellProgressAsync();
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            // The database may be away for a moment; nothing is lost, as nothing was passed over.
            LogFailed(failure);
        }
        finally
        {
            _turn.Release();
        }

        return true;
    }

    private async Task TellEventsAsync()
    {
        while (await events.ListAsync(_position, PageSize, _stopping.Token) is { Count: > 0 } page)
        {
            foreach (var one in page)
                Tell(new FeedItem(one, null));
            _position = page[^1].Position!.Value;
        }
    }

    private async Task TellProgressAsync()
    {
        _lastProgress = time.GetTimestamp();
        var told = new Dictionary<TransferId, long>();
        foreach (var transfer in await transfers.ListAsync(new TransferQuery { States = Transfer.LivingStates, Limit = MostTransfers }, _stopping.Token))
        {
            told[transfer.Id] = transfer.Version;
            if (_told.GetValueOrDefault(transfer.Id) != transfer.Version)
                Tell(new FeedItem(null, transfer));
        }

        _told = told;
    }

    private void Tell(FeedItem item)
    {
        foreach (var listener in _listeners)
            listener.Tell(item);
    }

    [LoggerMessage(LogLevel.Warning, "Events could not be read; they are told when they can")]
    private partial void LogFailed(Exception failure);
}

/// <summary>An event, or a transfer as it stands.</summary>
public readonly record struct FeedItem(LibraryEvent? Event, Transfer? Progress);

/// <summary>One listener's share of the feed.</summary>
public sealed class EventSubscription : IAsyncDisposable
{
    private readonly EventFeed _feed;
    private readonly Channel<FeedItem> _unread;

    internal EventSubscription(EventFeed feed, EventPosition start, bool wantsProgress, int mostUnread)
    {
        (_feed, Start, WantsProgress) = (feed, start, wantsProgress);
        _unread = Channel.CreateBounded<FeedItem>(new BoundedChannelOptions(mostUnread) { SingleReader = true, AllowSynchronousContinuations = false });
    }

    /// <summary>Events behind this are told.</summary>
    public EventPosition Start { get; }

    internal bool WantsProgress { get; }

    /// <summary>Completed where the listener did not keep up.</summary>
    public ChannelReader<FeedItem> Items => _unread.Reader;

    public ValueTask DisposeAsync() => _feed.RemoveAsync(this);

    internal void Tell(FeedItem item)
    {
        if (item.Progress is not null && !WantsProgress)
            return;

        // How far a transfer is, is told again in a second; an event is not.
        if (!_unread.Writer.TryWrite(item) && item.Event is not null)
            _unread.Writer.TryComplete();
    }
}

/// <summary>As many as one node bears are listening already.</summary>
public sealed class TooManyStreamsException(int limit) : LibraryException($"This node tells events to {limit} listeners already.")
{
    public int Limit { get; } = limit;

    public override string Code => "too-many-streams";

    public override string Remedy => "Try again later or at another node, or look at the transfers now and then.";
}
