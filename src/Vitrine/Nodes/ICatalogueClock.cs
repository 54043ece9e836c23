namespace Vitrine.Nodes;

/// <summary>The clock of the machine that keeps the catalogue, which all nodes share.</summary>
public interface ICatalogueClock
{
    Task<DateTimeOffset> ReadAsync(CancellationToken cancellationToken);
}
