namespace Vitrine.Transfers;

/// <summary>Sees to it that a node works on a transfer.</summary>
/// <remarks>
/// What is scheduled is a mere reminder: the catalogue says what is to be done, and transfers whose reminder was lost in a
/// crash are found there.
/// </remarks>
public interface ITransferScheduler
{
    /// <summary>Runs the transfer on some node of its zone as soon as there is room.</summary>
    Task ScheduleAsync(TransferId id, CancellationToken cancellationToken);
}
