namespace Vitrine.Stores.Objects.S3;

/// <summary>An object that grows piece by piece.</summary>
/// <remarks>
/// <para>What is appended is sent as a piece when it is <see cref="PieceLength"/> long, or when it is to be durable. At most
/// <see cref="MostUnsent"/> pieces are on their way, so that one appender holds 40 MiB at the most beside what a single append brings;
/// sealing holds four parts of at most 13 MiB, where the server cannot copy pieces that it has. Pieces arrive in any order: one that comes before its predecessor does not count until that is there.</para>
/// <para>What fails to be sent stays in memory, and is sent again when it is asked for again.</para>
/// </remarks>
internal sealed class S3Appender : ObjectAppender
{
    private const int PieceLength = 8 * 1024 * 1024;
    private const int FirstTailLength = 64 * 1024;
    private const int MostUnsent = 4;

    // So many short pieces at the end become one.
    private const int FoldAt = 64;

    private readonly S3Bucket _bucket;
    private readonly string _name;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly CancellationTokenSource _end = new();
    private readonly List<Extent> _extents;
    private ulong _nextNumber;
    private byte[] _tail = new byte[FirstTailLength];
    private int _tailLength;

    public S3Appender(S3Bucket bucket, string name, List<S3Piece> found)
    {
        (_bucket, _name, _nextNumber) = (bucket, name, S3Piece.NextEpoch(found));
        _extents = [.. S3Piece.Assemble(found).Select(p => new Extent(p))];
    }

    public override long Length
    {
        get
        {
            lock (_lock)
                return TailStart + _tailLength;
        }
    }

    private long TailStart => _extents.Count > 0 ? _extents[^1].Piece.End : 0;

    public override async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (Unsent() is { Count: >= MostUnsent } unsent)
            await EnsureSending(unsent[0]).WaitAsync(cancellationToken);

        lock (_lock)
            Add(bytes.Span);
    }

    /// <summary>Appends what came before anything else did, and waits for nothing.</summary>
    public void Begin(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
            Add(bytes);
    }

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = 0;
        while (count < buffer.Length && await ReadSomeAsync(offset + count, buffer[count..], cancellationToken) is > 0 and var read)
            count += read;

        return count;
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await SendAllAsync(cancellationToken);
            await FoldAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public override async Task CutAsync(long length, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await SettleAsync();
            if (CutMemory(length) is not { } given)
                return;

            await SendAllAsync(cancellationToken);
            await RemoveAsync(given, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public override async Task SealAsync(string name, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            // Nothing may arrive once the pieces are gone.
            await SettleAsync();
            await PutWholeAsync(name, cancellationToken);
            await RemoveAllAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await SettleAsync();
    }

    private List<Extent> Unsent()
    {
        lock (_lock)
            return _extents.FindAll(e => e.Unsent is not null);
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var part = bytes[..Math.Min(bytes.Length, PieceLength - _tailLength)];
            AddToTail(part);
            bytes = bytes[part.Length..];
            if (_tailLength == PieceLength)
                _ = EnsureSending(EndTail());
        }
    }

    private void AddToTail(ReadOnlySpan<byte> bytes)
    {
        if (_tailLength + bytes.Length > _tail.Length)
            Array.Resize(ref _tail, (int)Math.Min(PieceLength, Math.Max(2L * _tail.Length, _tailLength + bytes.Length)));

        bytes.CopyTo(_tail.AsSpan(_tailLength));
        _tailLength += bytes.Length;
    }

    private Extent EndTail()
    {
        var extent = new Extent(new S3Piece(_name, _nextNumber++, TailStart, _tailLength)) { Unsent = _tail.AsMemory(0, _tailLength) };
        _extents.Add(extent);

        // Where pieces come to be full, the next will too.
        _tail = GC.AllocateUninitializedArray<byte>(_tailLength == PieceLength ? PieceLength : FirstTailLength);
        _tailLength = 0;
        return extent;
    }

    private Task EnsureSending(Extent extent)
    {
        lock (_lock)
        {
            if (extent.Sending.IsCompleted && extent.Unsent is not null)
                extent.Sending = Task.Run(() => SendAsync(extent));

            return extent.Sending;
        }
    }

    private async Task SendAsync(Extent extent)
    {
        await _bucket.PutAsync(extent.Piece.ObjectName, extent.Unsent!.Value, _end.Token);
        lock (_lock)
            extent.Unsent = null;
    }

    private async Task SendAllAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_tailLength > 0)
                EndTail();
        }

        await Task.WhenAll(Unsent().Select(EnsureSending)).WaitAsync(cancellationToken);
    }

    /// <summary>Waits until nothing is on its way any more, whether it arrived or not.</summary>
    private async Task SettleAsync()
    {
        List<Task> sending;
        lock (_lock)
            sending = [.. _extents.Select(e => e.Sending)];

        await Task.WhenAll(sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<int> ReadSomeAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Extent? extent;
        lock (_lock)
        {
            if (offset >= TailStart)
                return Copy(_tail.AsMemory(0, _tailLength), offset - TailStart, buffer);

            extent = _extents.Find(e => offset < e.Piece.End)!;
            if (extent.Unsent is { } unsent)
                return Copy(unsent, offset - extent.Piece.Start, buffer);
        }

        var wanted = (int)Math.Min(buffer.Length, extent.Piece.End - offset);
        try
        {
            return await _bucket.ReadAsync(extent.Piece.ObjectName, offset - extent.Piece.Start, buffer[..wanted], cancellationToken);
        }
        catch (ObjectMissingException) when (!IsInUse(extent))
        {
            // It was folded into another just now.
            return await ReadSomeAsync(offset, buffer, cancellationToken);
        }
        catch (ObjectMissingException)
        {
            throw _bucket.Unavailable("a piece of what it keeps is gone.");
        }
    }

    private static int Copy(ReadOnlyMemory<byte> from, long offset, Memory<byte> to)
    {
        var count = (int)Math.Clamp(from.Length - offset, 0, to.Length);
        if (count > 0)
            from.Slice((int)offset, count).CopyTo(to);

        return count;
    }

    private bool IsInUse(Extent extent)
    {
        lock (_lock)
            return _extents.Contains(extent);
    }

    /// <returns>What is of no use any more; null where no piece had to be cut.</returns>
    private List<Extent>? CutMemory(long length)
    {
        lock (_lock)
        {
            if (length >= TailStart)
            {
                _tailLength = (int)Math.Min(_tailLength, length - TailStart);
                return null;
            }

            _tailLength = 0;
            var given = _extents.Where(e => e.Piece.Start >= length).ToList();
            _extents.RemoveAll(given.Contains);
            if (_extents.LastOrDefault() is { } last && last.Piece.End > length)
                last.CutTo(length);

            // A piece of no bytes says so, for what was given up may be there, or may still arrive.
            _extents.Add(new Extent(new S3Piece(_name, _nextNumber++, length, 0)) { Unsent = ReadOnlyMemory<byte>.Empty });
            return given;
        }
    }

    private async Task FoldAsync(CancellationToken cancellationToken)
    {
        if (BeginFold() is not { } begun)
            return;

        var (pieces, fold) = begun;
        var bytes = new byte[fold.Piece.Length];
        try
        {
            await FillAsync(fold.Piece.Start, bytes, cancellationToken);
            await _bucket.PutAsync(fold.Piece.ObjectName, bytes, cancellationToken);
        }
        catch (LibraryException)
        {
            // All is durable as it is, and the next flush tries again.
            return;
        }

        lock (_lock)
        {
            var index = _extents.IndexOf(pieces[0]);
            _extents.RemoveRange(index, pieces.Count);
            _extents.Insert(index, fold);
        }

        await RemoveAsync(pieces, cancellationToken);
    }

    /// <returns>The last pieces, as many as make one of the usual length, and what they become; null where they are few.</returns>
    private (List<Extent> Pieces, Extent Fold)? BeginFold()
    {
        lock (_lock)
        {
            // The new piece cuts off what is behind it, unless that has a higher number.
            if (Unsent().Count > 0)
                return null;

            var end = TailStart;
            var pieces = _extents.AsEnumerable().Reverse().TakeWhile(e => end - e.Piece.Start <= PieceLength).Reverse().ToList();
            return pieces.Count < FoldAt
                ? null
                : (pieces, new Extent(new S3Piece(_name, _nextNumber++, pieces[0].Piece.Start, end - pieces[0].Piece.Start)));
        }
    }

    private Task PutWholeAsync(string name, CancellationToken cancellationToken)
    {
        var length = Length;
        return length > S3Bucket.PartLength
            ? _bucket.PutInPartsAsync(name, Divide(), async (offset, part, token) => await FillAsync(offset, part, token), cancellationToken)
            : PutAtOnceAsync(name, new byte[length], cancellationToken);
    }

    /// <summary>Parts end where pieces do. One that is a long piece is copied where it is; short ones are sent together.</summary>
    private List<S3Part> Divide()
    {
        lock (_lock)
        {
            var parts = new List<S3Part>();
            var start = 0L;
            foreach (var extent in _extents)
            {
                if (extent.Piece.End - start < S3Bucket.ShortestPart)
                    continue;

                var isPiece = extent.Piece.Start == start && extent.Unsent is null;
                parts.Add(new S3Part(start, (int)(extent.Piece.End - start), isPiece ? extent.Piece.ObjectName : null));
                start = extent.Piece.End;
            }

            if (Length > start)
                parts.Add(new S3Part(start, (int)(Length - start)));

            return parts;
        }
    }

    private async Task PutAtOnceAsync(string name, byte[] whole, CancellationToken cancellationToken)
    {
        await FillAsync(0, whole, cancellationToken);
        await _bucket.PutAsync(name, whole, cancellationToken);
    }

    private async Task FillAsync(long offset, Memory<byte> part, CancellationToken cancellationToken)
    {
        if (await ReadAsync(offset, part, cancellationToken) != part.Length)
            throw _bucket.Unavailable("a piece of what it keeps is shorter than it was.");
    }

    private async Task RemoveAsync(List<Extent> extents, CancellationToken cancellationToken)
    {
        try
        {
            await _bucket.DeleteAllAsync(extents.Select(e => e.Piece.ObjectName), cancellationToken);
        }
        catch (LibraryException)
        {
            // They count no more, and go when the object is sealed or deleted.
        }
    }

    private async Task RemoveAllAsync(CancellationToken cancellationToken)
    {
        try
        {
            await S3Objects.DeletePiecesAsync(_bucket, _name, cancellationToken);
        }
        catch (LibraryException)
        {
            // The sealed object is there, which is what was asked for. Lists show what is left, as they would after a crash here.
        }
    }

    /// <summary>A part of the object, in the bucket or on its way there.</summary>
    private sealed class Extent(S3Piece piece)
    {
        /// <summary>As far as it counts: the object in the bucket may be longer.</summary>
        public S3Piece Piece { get; private set; } = piece;

        /// <summary>Its bytes until they have arrived.</summary>
        public ReadOnlyMemory<byte>? Unsent { get; set; }

        public Task Sending { get; set; } = Task.CompletedTask;

        public void CutTo(long length)
        {
            Piece = Piece with { Length = length - Piece.Start };
            Unsent = Unsent?[..(int)Piece.Length];
        }
    }
}
