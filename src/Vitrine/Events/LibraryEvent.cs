using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Vitrine.Access;
using Vitrine.Images;
using Vitrine.Transfers;

namespace Vitrine.Events;

/// <summary>Something that became of an image or of a transfer, written down in the transaction in which it did.</summary>
public sealed record LibraryEvent
{
    /// <summary>Given by the catalogue, as is the time; null before that.</summary>
    public EventPosition? Position { get; init; }

    public required ImageId Image { get; init; }

    /// <summary>The transfer whose state changed; null where the image's did.</summary>
    public TransferId? Transfer { get; init; }

    /// <summary>Whose it is.</summary>
    public required ProjectId Project { get; init; }

    /// <summary>Who else saw the image, and in which domain, at that moment; null for transfers, which only their project sees.</summary>
    public Visibility? Visibility { get; init; }

    public string? Domain { get; init; }

    /// <summary>The state from now on, in the words of images or of transfers; <c>disabled</c> and <c>enabled</c> of active images, too.</summary>
    public required string State { get; init; }

    /// <summary>The state before; null where there was none.</summary>
    public string? Previous { get; init; }

    /// <summary>The code of the failure, where the state is one.</summary>
    public string? Failure { get; init; }

    /// <summary>Of a transfer: why it failed, in a sentence without secrets, where the state is a failure.</summary>
    public string? Cause { get; init; }

    /// <summary>Of a transfer: the name of the node that works on it, or that let go of it with this; null where none did.</summary>
    public string? Node { get; init; }

    /// <summary>Of a transfer: what is being done within the state; see <see cref="TransferSteps"/>.</summary>
    public string? Step { get; init; }

    /// <summary>Of a transfer: how often its source had been connected to.</summary>
    public int? Attempt { get; init; }

    /// <summary>Of a transfer: the bytes that the store had.</summary>
    public long? Moved { get; init; }

    /// <summary>Who asked for the transfer, as far as that is known.</summary>
    public UserId? User { get; init; }

    public string? RequestId { get; init; }

    /// <summary>When, as the database has it.</summary>
    public DateTimeOffset At { get; init; }
}

/// <summary>Where an event stands among all: nothing is ever put before one that was read.</summary>
/// <param name="Transaction">The transaction that wrote it, as the database counts them; 0 where there is one writer at a time.</param>
public readonly record struct EventPosition(long Transaction, long Number) : IComparable<EventPosition>
{
    public static bool TryParse(string? text, [NotNullWhen(true)] out EventPosition position)
    {
        position = default;
        if (text?.Split('-') is not [var transaction, var number] || !TryRead(transaction, out var t) || !TryRead(number, out var n))
            return false;

        position = new EventPosition(t, n);
        return true;
    }

    public int CompareTo(EventPosition other) => (Transaction, Number).CompareTo((other.Transaction, other.Number));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Transaction}-{Number}");

    public static bool operator <(EventPosition a, EventPosition b) => a.CompareTo(b) < 0;

    public static bool operator >(EventPosition a, EventPosition b) => a.CompareTo(b) > 0;

    public static bool operator <=(EventPosition a, EventPosition b) => a.CompareTo(b) <= 0;

    public static bool operator >=(EventPosition a, EventPosition b) => a.CompareTo(b) >= 0;

    private static bool TryRead(string text, out long value) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}

/// <summary>Where events are kept for a while; <see cref="ICatalogue"/> writes them.</summary>
/// <remarks>What is read is settled: no transaction that is still open can put an event before one that was read.</remarks>
public interface IEventCatalogue
{
    /// <summary>The events behind a position, in their order.</summary>
    Task<IReadOnlyList<LibraryEvent>> ListAsync(EventPosition after, int limit, CancellationToken cancellationToken);

    /// <summary>What became of a transfer, in the order in which it did; of more than so many, the last.</summary>
    Task<IReadOnlyList<LibraryEvent>> ListForAsync(TransferId transfer, int limit, CancellationToken cancellationToken);

    /// <summary>The first and the last that there are; null where there is none.</summary>
    Task<(EventPosition First, EventPosition Last)?> FindSpanAsync(CancellationToken cancellationToken);

    /// <summary>Waits until an event may have been written, here or on another node, but no longer than so long. One caller at a time.</summary>
    Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken);

    /// <summary>Forgets those that are older.</summary>
    Task PruneAsync(DateTimeOffset before, CancellationToken cancellationToken);
}
