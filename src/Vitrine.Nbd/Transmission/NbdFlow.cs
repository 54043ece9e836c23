namespace Vitrine.Nbd.Transmission;

/// <summary>Bounds what one client has under way: replies that are being made, or made and not yet taken by it.</summary>
/// <remarks>Only the reader of requests waits here, so that a client which asks for too much is read no further.</remarks>
internal sealed class NbdFlow
{
    private const int MaxReplies = 256;
    private const int MaxBytes = 8 * 1024 * 1024;

    private readonly Lock _gate = new();
    private int _replies;
    private int _bytes;
    private TaskCompletionSource? _left;

    /// <summary>Takes a place, where there is one.</summary>
    /// <param name="bytes">The memory that the reply will hold.</param>
    /// <param name="left">Otherwise, what completes when somebody leaves.</param>
    public bool TryEnter(int bytes, out Task left)
    {
        lock (_gate)
        {
            if (_replies > 0 && (_replies >= MaxReplies || _bytes + bytes > MaxBytes))
            {
                left = NextLeave();
                return false;
            }

            _replies++;
            _bytes += bytes;
            left = Task.CompletedTask;
            return true;
        }
    }

    public void Leave(int replies, int bytes)
    {
        TaskCompletionSource? left;
        lock (_gate)
        {
            _replies -= replies;
            _bytes -= bytes;
            (left, _left) = (_left, null);
        }

        left?.SetResult();
    }

    /// <summary>Waits until nothing is under way.</summary>
    public async ValueTask EmptyAsync()
    {
        while (!IsEmpty(out var left))
            await left;
    }

    private bool IsEmpty(out Task left)
    {
        lock (_gate)
        {
            left = _replies == 0 ? Task.CompletedTask : NextLeave();
            return _replies == 0;
        }
    }

    private Task NextLeave() => (_left ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
}
