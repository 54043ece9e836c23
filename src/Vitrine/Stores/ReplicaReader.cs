using Microsoft.Extensions.Logging;

namespace Vitrine.Stores;

/// <summary>Reads on from another replica where one turns out, in the middle of it, to be damaged or out of reach.</summary>
/// <param name="first">What was opened first.</param>
/// <param name="open">Opens the next replica; null where there is none.</param>
internal sealed partial class ReplicaReader(ContentReader first, Func<CancellationToken, Task<ContentReader?>> open, ILogger logger) : ContentReader
{
    private readonly SemaphoreSlim _one = new(1);

    // The last is the one that is read; some reads may still be under way with each.
    private readonly List<ContentReader> _opened = [first];
    private volatile ContentReader _current = first;
    private int _isDisposed;

    public override long Length => _current.Length;

    public override FileStream? File => _current.File;

    public override IAsyncEnumerable<ReadOnlyMemory<byte>>? ZstdFrames => _current.ZstdFrames;

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            var reader = _current;
            try
            {
                return await reader.ReadAsync(offset, buffer, cancellationToken);
            }
            catch (LibraryException failure) when (ReplicaReaders.IsOfReplica(failure))
            {
                if (!await TryGoOnAsync(reader, cancellationToken))
                    throw;

                LogGoingOn(failure, offset);
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;

        await _one.WaitAsync();
        foreach (var reader in _opened)
            await reader.DisposeAsync();
        _one.Dispose();
    }

    /// <returns>False where no other replica can be read.</returns>
    private async Task<bool> TryGoOnAsync(ContentReader failed, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_current != failed)
                return true;
            if (await open(cancellationToken) is not { } next)
                return false;

            _opened.Add(next);
            _current = next;
            return true;
        }
        finally
        {
            _one.Release();
        }
    }

    [LoggerMessage(LogLevel.Warning, "A replica failed at byte {Offset}; the reader goes on from another")]
    private partial void LogGoingOn(Exception failure, long offset);
}
