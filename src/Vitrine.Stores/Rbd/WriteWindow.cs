namespace Vitrine.Stores.Rbd;

/// <summary>The blocks of a writer that are on their way to the cluster. A block that fails stays and is sent again by the next call that waits.</summary>
/// <param name="most">How many there may be before the writer is held up.</param>
internal sealed class WriteWindow(RbdImage image, int most)
{
    /// <summary>As long as an image's objects are, so that each is written once.</summary>
    public const int BlockSize = 1 << BlockOrder;
    public const int BlockOrder = 22;

    // So many zeros in a row are left out; fewer are not worth a request of their own.
    private const int Grain = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly List<SentBlock> _sent = [];
    private readonly Stack<byte[]> _free = [];
    private long _sequence;

    /// <summary>A buffer of a block's size, which comes back with <see cref="Send"/>.</summary>
    public byte[] Rent()
    {
        lock (_lock)
            return _free.TryPop(out var buffer) ? buffer : GC.AllocateUninitializedArray<byte>(BlockSize, pinned: true);
    }

    public void Return(byte[] buffer)
    {
        lock (_lock)
            _free.Push(buffer);
    }

    /// <summary>Begins to write the first bytes of a buffer, except for zeros: the image has none but these where nothing was written.</summary>
    public void Send(byte[] buffer, int length, long offset)
    {
        lock (_lock)
            _sent.Add(new SentBlock(_sequence++, buffer, length, offset, WriteAsync(buffer, length, offset)));
    }

    /// <summary>Waits until another block may be sent.</summary>
    /// <exception cref="CephException">A block could not be written.</exception>
    public Task WaitForRoomAsync(CancellationToken cancellationToken) => WaitAsync(() => _sent.Count < most, cancellationToken);

    /// <summary>Waits until all that was sent before is written. Others may send meanwhile.</summary>
    /// <exception cref="CephException">A block could not be written.</exception>
    public Task DrainAsync(CancellationToken cancellationToken)
    {
        long end;
        lock (_lock)
            end = _sequence;

        return WaitAsync(() => _sent.TrueForAll(b => b.Sequence >= end), cancellationToken);
    }

    /// <summary>Waits until nothing is under way, however it ends.</summary>
    /// <returns>Whether all of it was written.</returns>
    public async Task<bool> SettleAsync()
    {
        List<SentBlock> sent;
        lock (_lock)
            sent = [.. _sent];

        return (await Task.WhenAll(sent.Select(b => b.Writing))).All(result => result >= 0);
    }

    /// <summary>Forgets what could not be written. Nothing may be under way.</summary>
    public void Clear()
    {
        lock (_lock)
            _sent.Clear();
    }

    private async Task WaitAsync(Func<bool> isEnough, CancellationToken cancellationToken)
    {
        lock (_lock)
            SendAgain();

        while (true)
        {
            Task any;
            lock (_lock)
            {
                TakeBack();
                if (isEnough())
                    return;

                any = Task.WhenAny(_sent.Select(b => b.Writing));
            }

            await any.WaitAsync(cancellationToken);
        }
    }

    private void SendAgain()
    {
        for (var i = 0; i < _sent.Count; i++)
        {
            if (_sent[i] is { HasFailed: true } failed)
                _sent[i] = failed with { Writing = WriteAsync(failed.Buffer, failed.Length, failed.Offset) };
        }
    }

    private void TakeBack()
    {
        var written = _sent.FindAll(b => b.IsWritten);
        foreach (var block in written)
            _free.Push(block.Buffer);

        _sent.RemoveAll(written.Contains);
        if (_sent.Find(b => b.HasFailed) is { } failed)
            CephException.Check(failed.Result, "write to an image");
    }

    private async Task<long> WriteAsync(byte[] buffer, int length, long offset)
    {
        var runs = Runs(buffer.AsSpan(0, length));
        var results = await Task.WhenAll(runs.Select(run => image.WriteAsync(offset + run.Start, buffer.AsMemory(run.Start, run.Length))));
        return results.FirstOrDefault(result => result < 0);
    }

    private static List<(int Start, int Length)> Runs(ReadOnlySpan<byte> bytes)
    {
        var runs = new List<(int Start, int Length)>();
        for (var start = 0; start < bytes.Length; start += Grain)
        {
            var grain = bytes.Slice(start, Math.Min(Grain, bytes.Length - start));
            if (!grain.ContainsAnyExcept((byte)0))
                continue;

            if (runs is [.., var last] && last.Start + last.Length == start)
                runs[^1] = (last.Start, last.Length + grain.Length);
            else
                runs.Add((start, grain.Length));
        }

        return runs;
    }

    private sealed record SentBlock(long Sequence, byte[] Buffer, int Length, long Offset, Task<long> Writing)
    {
        // The banned property would wait; a task that is completed has its result.
        public long Result => Writing.IsCompletedSuccessfully ? Writing.GetAwaiter().GetResult() : -CephError.InputOutput;
        public bool IsWritten => Writing.IsCompleted && Result >= 0;
        public bool HasFailed => Writing.IsCompleted && Result < 0;
    }
}
