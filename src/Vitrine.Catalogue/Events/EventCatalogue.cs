using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Events;
using Vitrine.Transfers;

namespace Vitrine.Catalogue.Events;

/// <summary>Events in the database.</summary>
internal sealed class EventCatalogue(CatalogueDatabase database) : IEventCatalogue
{
    // Transactions have a type of their own in PostgreSQL, which speaks of numbers through text alone; SQLite makes a number of both.
    private const string Transaction = "cast(cast(written_by as text) as bigint)";
    private const string Position = $"{Transaction} as written_by_number, number";

    private readonly string _settled = $"({database.Dialect.Settled("written_by")})";

    public async Task<IReadOnlyList<LibraryEvent>> ListAsync(EventPosition after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<StoredEvent>(new CommandDefinition(
            $"""
            select {Position}, created_at, {Row<EventRow>.Columns} from events
            where {_settled} and (written_by, number) > (cast(cast(@Transaction as text) as {database.Dialect.TransactionType}), @Number)
            order by events.written_by, number limit @limit
            """,
            new { after.Transaction, after.Number, limit }, cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToEvent())];
    }

    public async Task<IReadOnlyList<LibraryEvent>> ListForAsync(TransferId transfer, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var latest = await connection.QueryAsync<StoredEvent>(new CommandDefinition(
            $"""
            select {Position}, created_at, {Row<EventRow>.Columns} from events where transfer = @transfer
            order by events.written_by desc, number desc limit @limit
            """,
            new { transfer = transfer.ToString(), limit }, cancellationToken: cancellationToken));
        return [.. latest.Reverse().Select(row => row.ToEvent())];
    }

    public async Task<(EventPosition First, EventPosition Last)?> FindSpanAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await FindEndAsync("asc") is { } first && await FindEndAsync("desc") is { } last ? (first, last) : null;

        async Task<EventPosition?> FindEndAsync(string direction) => (await connection.QuerySingleOrDefaultAsync<StoredEvent>(new CommandDefinition(
            $"select {Position} from events where {_settled} order by events.written_by {direction}, number {direction} limit 1",
            cancellationToken: cancellationToken)))?.Position;
    }

    public Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) => database.Dialect.WaitForNoticeAsync(atMost, cancellationToken);

    public Task PruneAsync(DateTimeOffset before, CancellationToken cancellationToken) => database.WriteAsync(
        (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
            "delete from events where created_at < @before", new { before = Stored.Micros(before) }, transaction, cancellationToken: cancellationToken)),
        cancellationToken);

    private sealed class StoredEvent : EventRow
    {
        public long WrittenByNumber { get; init; }
        public long Number { get; init; }
        public long CreatedAt { get; init; }

        public EventPosition Position => new(WrittenByNumber, Number);

        public LibraryEvent ToEvent() => ToEvent(Position, Stored.Time(CreatedAt));
    }
}
