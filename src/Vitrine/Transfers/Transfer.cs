using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Vitrine.Access;
using Vitrine.Content;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>Names a transfer for ever.</summary>
public readonly record struct TransferId(Guid Value)
{
    public static TransferId New() => new(Guid.CreateVersion7());

    public static bool TryParse(string? text, [NotNullWhen(true)] out TransferId id)
    {
        var parsed = Guid.TryParseExact(text, "D", out var value);
        id = new TransferId(value);
        return parsed;
    }

    public static TransferId Parse(string text) => new(Guid.ParseExact(text, "D"));

    public override string ToString() => Value.ToString("D");
}

/// <summary>Bytes on their way into the library, as they stand now.</summary>
/// <remarks>
/// A pure record: its methods answer the next one. Only one node works on a transfer at a time; it holds the newest
/// <see cref="Fence"/>, and what a predecessor still tries to store is refused because the version went on.
/// What comes after the end changes nothing and is no error: a cancel and the last bytes may cross on their way.
/// </remarks>
public sealed record Transfer
{
    public required TransferId Id { get; init; }
    public required ImageId Image { get; init; }
    public required ProjectId Project { get; init; }
    public required TransferKind Kind { get; init; }

    /// <summary>Who asked for it; null where nobody did, as for the library's own housekeeping.</summary>
    public UserId? User { get; init; }

    /// <summary>The request that began it, by the name that its caller's log and ours have for it; null where it had none.</summary>
    public string? RequestId { get; init; }

    /// <summary>The name of the store that receives the content.</summary>
    public required string Store { get; init; }

    /// <summary>The address of an import with everything secret taken out; null for uploads.</summary>
    public string? SourceUrl { get; init; }

    /// <summary>The whole address, and those of mirrors of it, encrypted by <see cref="ISecretProtector"/>.</summary>
    public string? SourceSecret { get; init; }

    /// <summary>
    /// Of a copy: the store that it reads from, or read from last; null while nobody chose one. Of an import: the store in which its
    /// content was staged, where another is to have it.
    /// </summary>
    public string? SourceStore { get; init; }

    /// <summary>Of a copy: the store whose replica is given up once this one is ready; null for none.</summary>
    public string? MovesFrom { get; init; }

    /// <summary>The stores that are to have a copy once the content is here.</summary>
    public ImmutableArray<string> FurtherStores { get; init; } = [];

    /// <summary>The operation of a store that wants this copy; null where a user does.</summary>
    public StoreOperationId? Operation { get; init; }

    /// <summary>What the caller says the sum of the file is.</summary>
    public Checksum? Expected { get; init; }

    public TransferState State { get; init; } = TransferState.Queued;

    /// <summary>What is being done within the state: <c>connecting</c>, <c>receiving</c>, <c>assembling</c>, <c>unpacking</c>, <c>storing</c>.</summary>
    public string Step { get; init; } = TransferSteps.Waiting;

    /// <summary>The length of the whole in bytes; null while nobody knows it.</summary>
    public long? Length { get; init; }

    /// <summary>The bytes that the store holds so far.</summary>
    public long Moved { get; init; }

    /// <summary>All bytes taken from the source, those included that had to be taken again.</summary>
    public long Fetched { get; init; }

    /// <summary>The bytes that were taken so far out of the wrapper in which the file came; 0 where it came without.</summary>
    public long Unpacked { get; init; }

    /// <summary>How many bytes have been made of the disk in it, where the store keeps that in another format.</summary>
    public long Converted { get; init; }

    /// <summary>The bytes that were put together so far out of the parts of an upload; 0 where it came in one.</summary>
    public long Assembled { get; init; }

    /// <summary>Bytes per second, averaged over the last seconds.</summary>
    public double Rate { get; init; }

    /// <summary>The most bytes that the store has held at any time: to get further is what an attempt is for.</summary>
    public long Furthest { get; init; }

    /// <summary>How often the source was connected to.</summary>
    public int Attempt { get; init; }

    /// <summary>How many attempts in a row came no further than those before them.</summary>
    public int Fruitless { get; init; }

    /// <summary>While retrying: when the next attempt begins.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>
    /// Set once every check has passed: from here on only the store's and the catalogue's commits remain, and whoever takes
    /// the transfer over needs no byte more. Of a copy, whose content is known beforehand, it is set from the beginning.
    /// </summary>
    public ContentFacts? Content { get; init; }

    /// <summary>The source's mark for this version of the file (a strong ETag or a date), for resuming.</summary>
    public string? Validator { get; init; }

    /// <summary>The run of a node that works on it or did last; <see cref="Nodes.Node.Instance"/>.</summary>
    public string? Node { get; init; }

    /// <summary>The name of that node, for people.</summary>
    public string? NodeName { get; init; }

    /// <summary>Grows with each taking; the holder of the greatest may store.</summary>
    public long Fence { get; init; }

    /// <summary>How often it began anew beside what a run still holds that was taken for dead; see <see cref="StagingKey.Of"/>.</summary>
    public int StagingTurn { get; init; }

    /// <summary>The last failure: the end of a failed transfer, or what a retrying one ran into.</summary>
    public TransferFailure? Failure { get; init; }

    /// <summary>What a user should know about the way, as that a source cannot resume.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the last byte arrived.</summary>
    public DateTimeOffset? LastProgress { get; init; }

    public DateTimeOffset? EndedAt { get; init; }
    public long Version { get; init; }

    /// <summary>The states of those that are not over.</summary>
    public static IReadOnlyList<TransferState> LivingStates { get; } =
        [TransferState.Queued, TransferState.Running, TransferState.Verifying, TransferState.Retrying];

    /// <summary>Counts against the limits of what runs at once: nobody waits for it at the other end.</summary>
    public bool IsLimited => Kind is TransferKind.Import or TransferKind.Copy;

    /// <summary>Its bytes can come once more, from a source or from a store that has them; what a client sent, only the client can send again.</summary>
    public bool CanBeginAnew => Kind is TransferKind.Copy || (Kind is TransferKind.Import && SourceSecret is not null);

    /// <summary>The host that an import takes from; null where the address has none.</summary>
    public string? SourceHost =>
        SourceUrl is not null && Uri.TryCreate(SourceUrl, UriKind.Absolute, out var address) && address.Host.Length > 0 ? address.Host : null;

    /// <summary>True where the client has sent everything, and the library waits to be told what becomes of it.</summary>
    public bool IsStaged => Kind is TransferKind.Stream && State is TransferState.Queued && Step is TransferSteps.Staged;

    public bool IsOver => State is TransferState.Done or TransferState.Failed or TransferState.Cancelled;

    /// <summary>The time until the last byte at the present rate; null where it cannot be told.</summary>
    public TimeSpan? TimeLeft => Length is { } length && Rate >= 1 && !IsOver
        ? TimeSpan.FromSeconds(Math.Clamp((length - Moved) / Rate, 0, 365 * 86_400.0))
        : null;

    /// <summary>A node takes the transfer, from the queue or from a node that is gone.</summary>
    public Transfer Take(string node, string nodeName, DateTimeOffset now) => IsOver ? this : this with
    {
        State = TransferState.Running,
        Step = TransferSteps.Connecting,
        Node = node,
        NodeName = nodeName,
        Fence = Fence + 1,
        NextAttemptAt = null,
        Rate = 0,
        StartedAt = StartedAt ?? now,
    };

    /// <summary>A connection to the source is being made.</summary>
    public Transfer Reach() => IsOver ? this : this with
    {
        State = TransferState.Running,
        Step = TransferSteps.Connecting,
        Attempt = Attempt + 1,
        NextAttemptAt = null,
    };

    /// <summary>A source, or an uploading client, begins to give bytes.</summary>
    /// <param name="offset">What the store holds already.</param>
    public Transfer Connect(long? length, long offset, string? validator, DateTimeOffset now) => IsOver ? this : this with
    {
        State = TransferState.Running,
        Step = TransferSteps.Receiving,
        Length = length,
        Moved = offset,
        Validator = validator,
        LastProgress = now,
    };

    /// <summary>The store holds <paramref name="moved"/> bytes now; <paramref name="fetched"/> came since the last call.</summary>
    public Transfer Advance(long moved, long fetched, DateTimeOffset now) => IsOver ? this : this with
    {
        State = TransferState.Running,
        Step = TransferSteps.Receiving,
        Moved = moved,
        Fetched = Fetched + fetched,
        Rate = RateAfter(fetched, now),
        Furthest = Math.Max(Furthest, moved),
        Fruitless = moved > Furthest ? 0 : Fruitless,
        LastProgress = fetched > 0 ? now : LastProgress,
    };

    /// <summary>The parts of an upload, which no node works on, have so many bytes together.</summary>
    public Transfer Gather(long moved, DateTimeOffset now) => IsOver ? this : this with
    {
        Moved = moved,
        Fetched = Fetched + Math.Max(0, moved - Moved),
        Rate = RateAfter(Math.Max(0, moved - Moved), now),
        Furthest = Math.Max(Furthest, moved),
        StartedAt = StartedAt ?? now,
        LastProgress = now,
    };

    /// <summary>The parts of an upload are all here, and so many bytes of them are put together.</summary>
    public Transfer Assemble(long assembled) => IsOver ? this : this with
    {
        State = TransferState.Verifying,
        Step = TransferSteps.Assembling,
        Assembled = assembled,
        Rate = 0,
    };

    /// <summary>The last byte is here and is held against what was announced.</summary>
    public Transfer Check() => IsOver ? this : this with { State = TransferState.Verifying, Step = TransferSteps.Checking, Rate = 0, NextAttemptAt = null };

    /// <summary>The file came in a wrapper, and so many bytes have been taken out of it.</summary>
    public Transfer Unpack(long unpacked) => IsOver ? this : this with { State = TransferState.Verifying, Step = TransferSteps.Unpacking, Unpacked = unpacked };

    /// <summary>The store keeps the disk in another format, of which so many bytes have been made.</summary>
    public Transfer Convert(long converted) => IsOver ? this : this with { State = TransferState.Verifying, Step = TransferSteps.Converting, Converted = converted };

    /// <summary>All checks have passed; the content is made visible.</summary>
    public Transfer Settle(ContentFacts content) => IsOver ? this : this with
    {
        State = TransferState.Verifying,
        Step = TransferSteps.Storing,
        Content = content,
        Length = LengthOf(content),
        Moved = LengthOf(content),
    };

    /// <summary>The node lets go, and leaves the rest to whoever comes.</summary>
    public Transfer Release() => IsOver ? this : this with
    {
        State = TransferState.Queued,
        Step = TransferSteps.Waiting,
        Node = null,
        NodeName = null,
        Rate = 0,
    };

    /// <summary>What came is held by a run that neither goes on nor lets go, as a process that was stopped: it begins anew beside that.</summary>
    public Transfer BeginBeside() => IsOver ? this : (this with { StagingTurn = StagingTurn + 1, Moved = 0, Validator = null })
        .Note("The node that received the first bytes neither went on nor let go of them, so the transfer began again from the start.");

    /// <summary>The client has sent everything; it is kept until somebody asks for its import.</summary>
    public Transfer Stage() => IsOver ? this : Release() with { Step = TransferSteps.Staged };

    /// <summary>What is staged is to become the image's content: from here on it is an import that has all its bytes already.</summary>
    /// <param name="user">Who asks for that.</param>
    /// <param name="stores">Where the content is wanted; the first of them receives it, and the others a copy.</param>
    /// <exception cref="TransferStateException">The client is still sending, or has given up.</exception>
    public Transfer Import(UserId? user, string? requestId, IReadOnlyList<string> stores) => IsStaged
        ? this with
        {
            Kind = TransferKind.Import,
            Step = TransferSteps.Waiting,
            User = user,
            RequestId = requestId,
            Store = stores[0],
            SourceStore = stores[0] == Store ? null : Store,
            FurtherStores = [.. stores.Skip(1)],
            Length = Moved,
        }
        : throw new TransferStateException(Id, State, "nothing is staged yet");

    /// <summary>A user wants another try of what failed or was cancelled; it goes on from what is still staged.</summary>
    /// <exception cref="TransferStateException">It did not fail and was not cancelled, or the client has to send again.</exception>
    public Transfer Requeue() => State is TransferState.Failed or TransferState.Cancelled && CanBeginAnew
        ? this with
        {
            State = TransferState.Queued,
            Step = TransferSteps.Waiting,
            Node = null,
            NodeName = null,
            Fruitless = 0,
            EndedAt = null,
        }
        : throw new TransferStateException(Id, State, "only an import or a copy that failed or was cancelled can be tried again");

    /// <summary>An attempt failed in a way that may pass. Not an error to the user.</summary>
    public Transfer Retry(TransferFailure failure, DateTimeOffset next) => IsOver ? this : this with
    {
        State = TransferState.Retrying,
        Step = TransferSteps.Waiting,
        Rate = 0,
        Fruitless = Fruitless + 1,
        Failure = failure,
        NextAttemptAt = next,
    };

    public Transfer Note(string note) => Notes.Contains(note) ? this : this with { Notes = Notes.Add(note) };

    public Transfer Finish(DateTimeOffset now) => IsOver ? this : this with
    {
        State = TransferState.Done,
        Step = TransferSteps.None,
        Rate = 0,
        Failure = null,
        NextAttemptAt = null,
        EndedAt = now,
    };

    public Transfer Fail(TransferFailure failure, DateTimeOffset now) => IsOver ? this : this with
    {
        State = TransferState.Failed,
        Rate = 0,
        Failure = failure,
        NextAttemptAt = null,
        EndedAt = now,
    };

    public Transfer Cancel(DateTimeOffset now) => IsOver ? this : this with
    {
        State = TransferState.Cancelled,
        Rate = 0,
        NextAttemptAt = null,
        EndedAt = now,
    };

    /// <summary>A copy takes the content itself, whatever file that once came in.</summary>
    private long LengthOf(ContentFacts content) => Kind is TransferKind.Copy ? content.Size : content.SourceSize;

    /// <summary>Averages over about five seconds, so that the figure neither jumps nor lags.</summary>
    private double RateAfter(long fetched, DateTimeOffset now)
    {
        if (LastProgress is not { } last || now <= last)
            return Rate;

        var seconds = (now - last).TotalSeconds;
        var weight = Rate < 1 ? 1 : 1 - Math.Exp(-seconds / 5);
        return Rate + weight * (fetched / seconds - Rate);
    }
}

public enum TransferKind
{
    /// <summary>We fetch from an address, or take what was staged; survives restarts.</summary>
    Import,

    /// <summary>A client sends in as many requests as it likes; survives restarts of both ends.</summary>
    Upload,

    /// <summary>A client sends in one request; ends with it, or is kept staged until it is to be an import.</summary>
    Stream,

    /// <summary>From another store of the library, for an image that is active already; survives restarts.</summary>
    Copy,
}

public enum TransferState
{
    /// <summary>Waiting for a node, or an upload for its first byte.</summary>
    Queued,
    Running,

    /// <summary>All bytes are here and are being checked and stored.</summary>
    Verifying,

    /// <summary>Waiting for its next attempt; its failure says what the last one ran into.</summary>
    Retrying,
    Done,
    Failed,
    Cancelled,
}

/// <summary>The words for what a transfer is doing.</summary>
public static class TransferSteps
{
    public const string None = "";
    public const string Waiting = "waiting";
    public const string Staged = "staged";
    public const string Rereading = "rereading";
    public const string Connecting = "connecting";
    public const string Receiving = "receiving";
    public const string Assembling = "assembling";
    public const string Checking = "checking";
    public const string Unpacking = "unpacking";
    public const string Converting = "converting";
    public const string Storing = "storing";
}

/// <summary>Why an attempt or a transfer failed, for a person and for a program.</summary>
/// <param name="Code">A word that never changes, as <c>source-dns</c>.</param>
/// <param name="Step">What was being done.</param>
/// <param name="Cause">A sentence without secrets.</param>
/// <param name="Remedy">What can be done about it.</param>
/// <param name="Node">The node that ran into it.</param>
public sealed record TransferFailure(string Code, string Step, string Cause, string Remedy, string? Node, DateTimeOffset At);
