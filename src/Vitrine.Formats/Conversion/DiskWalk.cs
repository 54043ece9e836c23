using System.Runtime.ExceptionServices;
using Vitrine.Disks;

namespace Vitrine.Formats.Conversion;

/// <summary>Goes over all data of a disk with several workers at once, who do in guest order what depends on it.</summary>
/// <remarks>
/// Reading, looking for zeros, compressing and writing go side by side; only finding out where something goes waits for what
/// comes before it on the disk. So the outcome does not depend on how many workers there are, or which is faster.
/// </remarks>
/// <param name="PieceLength">The most that a worker reads at once, in bytes; a whole number of units.</param>
/// <param name="UnitLength">Pieces begin and end at whole units; no unit is in two of them.</param>
internal sealed record DiskWalk(Disk Disk, int PieceLength, int UnitLength, int Workers)
{
    /// <summary>Long enough that handing over the turn costs little beside reading and writing the piece.</summary>
    public const int CopyingLength = 1024 * 1024;

    /// <summary>More workers than these would only wait for the disk.</summary>
    public static int CopyingWorkers => Math.Clamp(Environment.ProcessorCount, 2, 4);

    /// <summary>As many as there are processors; the bound keeps the memory of all their buffers small.</summary>
    public static int CompressingWorkers => Math.Clamp(Environment.ProcessorCount, 2, 16);

    /// <param name="begin">Makes a worker; it is disposed of at the end.</param>
    /// <param name="progress">Told how many bytes of the disk are done.</param>
    public async Task RunAsync(Func<PieceWorker> begin, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var pieces = new PieceQueue(Disk, PieceLength, UnitLength, stop.Token);
        ExceptionDispatchInfo? failure = null;

        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(WorkAsync, CancellationToken.None)));
        cancellationToken.ThrowIfCancellationRequested();
        failure?.Throw();
        progress?.Report(Disk.Length);

        async Task WorkAsync()
        {
            try
            {
                using var worker = begin();
                while (await pieces.TakeAsync() is { } piece)
                    await HandleAsync(worker, piece, progress, stop.Token);
            }
#pragma warning disable CA1031 // Whatever it is, the other workers stop, and it is thrown where they have come together.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
                await stop.CancelAsync();
            }
        }
    }

    private async Task HandleAsync(PieceWorker worker, Piece piece, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        await worker.ReadAsync(Disk, piece, cancellationToken);
        worker.Prepare();
        await piece.Turn.WaitAsync(cancellationToken);
        await worker.TakeTurnAsync(cancellationToken);
        progress?.Report(Math.Min(piece.End, Disk.Length));
        piece.EndTurn();
        worker.Finish();
    }
}
