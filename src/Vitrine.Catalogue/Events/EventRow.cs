using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Events;
using Vitrine.Images;
using Vitrine.Transfers;

namespace Vitrine.Catalogue.Events;

/// <summary>An event as its table has it, without what the database itself adds.</summary>
internal class EventRow
{
    public string Image { get; init; } = "";
    public string? Transfer { get; init; }
    public string Project { get; init; } = "";
    public string? Visibility { get; init; }
    public string? Domain { get; init; }
    public string State { get; init; } = "";
    public string? Previous { get; init; }
    public string? Failure { get; init; }
    public string? Cause { get; init; }
    public string? Node { get; init; }
    public string? Step { get; init; }
    public int? Attempt { get; init; }
    public long? Moved { get; init; }
    public string? RequestedBy { get; init; }
    public string? RequestId { get; init; }

    public static EventRow From(LibraryEvent one) => new()
    {
        Image = one.Image.ToString(),
        Transfer = one.Transfer?.ToString(),
        Project = one.Project.Value,
        Visibility = Stored.Word(one.Visibility),
        Domain = one.Domain,
        State = one.State,
        Previous = one.Previous,
        Failure = one.Failure,
        Cause = one.Cause,
        Node = one.Node,
        Step = one.Step,
        Attempt = one.Attempt,
        Moved = one.Moved,
        RequestedBy = one.User?.Value,
        RequestId = one.RequestId,
    };

    protected LibraryEvent ToEvent(EventPosition position, DateTimeOffset at) => new()
    {
        Position = position,
        Image = ImageId.Parse(Image),
        Transfer = Transfer is null ? null : TransferId.Parse(Transfer),
        Project = new ProjectId(Project),
        Visibility = Stored.EnumOrNull<Visibility>(Visibility),
        Domain = Domain,
        State = State,
        Previous = Previous,
        Failure = Failure,
        Cause = Cause,
        Node = Node,
        Step = Step,
        Attempt = Attempt,
        Moved = Moved,
        User = RequestedBy is null ? null : new UserId(RequestedBy),
        RequestId = RequestId,
        At = at,
    };
}
