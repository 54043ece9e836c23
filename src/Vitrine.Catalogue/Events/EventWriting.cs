using System.Data.Common;
using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Events;
using Vitrine.Images;
using Vitrine.Transfers;

namespace Vitrine.Catalogue.Events;

/// <summary>Writes down what a change makes of images and transfers, as part of its transaction.</summary>
internal sealed class EventWriting(Dialect dialect, DbTransaction transaction, CancellationToken cancellationToken)
{
    private const string Disabled = "disabled";
    private const string Enabled = "enabled";

    private readonly string _insert = $"insert into events ({Row<EventRow>.Columns}, created_at) values ({Row<EventRow>.Parameters}, {dialect.Now})";

    /// <summary>How many events the transaction has written.</summary>
    public int Written { get; private set; }

    /// <summary>Looks at the stored image before it is replaced.</summary>
    public async Task BeginAsync(Image image)
    {
        var before = image.Version == 0
            ? null
            : await FindAsync<ImageBefore>("select status, enabled from images where id = @id", image.Id.ToString());
        var state = image.Status.Word();
        if (before is null || before.Status != state)
            await WriteAsync(image, state, before?.Status);
        else if (image.Status is ImageStatus.Active && before.Enabled != image.Enabled)
            await WriteAsync(image, image.Enabled ? Enabled : Disabled, image.Enabled ? Disabled : Enabled);
    }

    /// <summary>Looks at the stored transfer before it is replaced: another state is an event, and so is another run that works on it.</summary>
    public async Task BeginAsync(Transfer transfer)
    {
        var before = transfer.Version == 0
            ? null
            : await FindAsync<TransferBefore>("select state, node, node_name from transfers where id = @id", transfer.Id.ToString());
        var state = transfer.State.Word();
        var isTakenOver = transfer.Node is not null && transfer.Node != before?.Node;
        if (before?.State == state && !isTakenOver)
            return;

        var failure = transfer.State is TransferState.Failed or TransferState.Retrying ? transfer.Failure : null;
        await WriteAsync(new LibraryEvent
        {
            Image = transfer.Image,
            Transfer = transfer.Id,
            Project = transfer.Project,
            State = state,
            Previous = before?.State,
            Failure = failure?.Code,
            Cause = failure?.Cause,
            Node = transfer.NodeName ?? before?.NodeName,
            Step = transfer.Step,
            Attempt = transfer.Attempt,
            Moved = transfer.Moved,
            User = transfer.User,
            RequestId = transfer.RequestId,
        });
    }

    /// <summary>Has the commit wake whoever waits for events, where any were written.</summary>
    public async Task EndAsync()
    {
        if (Written > 0 && dialect.Notice is { } notice)
            await transaction.Connection!.ExecuteAsync(new CommandDefinition(notice, transaction: transaction, cancellationToken: cancellationToken));
    }

    private Task WriteAsync(Image image, string state, string? previous) => WriteAsync(new LibraryEvent
    {
        Image = image.Id,
        Project = image.Owner,
        Visibility = image.Visibility,
        Domain = image.Domain,
        State = state,
        Previous = previous,
    });

    private async Task WriteAsync(LibraryEvent one)
    {
        await transaction.Connection!.ExecuteAsync(new CommandDefinition(_insert, EventRow.From(one), transaction, cancellationToken: cancellationToken));
        Written++;
    }

    private Task<T?> FindAsync<T>(string statement, string id) =>
        transaction.Connection!.QuerySingleOrDefaultAsync<T>(new CommandDefinition(statement, new { id }, transaction, cancellationToken: cancellationToken));

    private sealed class TransferBefore
    {
        public string State { get; init; } = "";

        /// <summary>The run that has it.</summary>
        public string? Node { get; init; }

        public string? NodeName { get; init; }
    }

    private sealed class ImageBefore
    {
        public string Status { get; init; } = "";
        public bool Enabled { get; init; }
    }
}
