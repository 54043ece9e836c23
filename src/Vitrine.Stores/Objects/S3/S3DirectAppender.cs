using Amazon.S3.Model;

namespace Vitrine.Stores.Objects.S3;

/// <summary>An object that grows and goes straight to the name that it will be sealed under, in parts of an upload, so that each byte is sent once.</summary>
/// <remarks>
/// <para>Parts can neither be read nor outlive this process before the object is sealed, so nothing is sent until it is longer than
/// <see cref="UndecidedLength"/>. Where it is flushed before that, it becomes one of pieces, which sends each byte twice: a slow source can afford it.</para>
/// <para>It holds three parts in memory at the most, beside those that have a room.</para>
/// </remarks>
internal sealed class S3DirectAppender(S3Bucket bucket, string name, string sealedName) : ObjectAppender
{
    private const int UndecidedLength = 2 * S3Bucket.PartLength;
    private const int FirstTailLength = 64 * 1024;
    private const int SecondTailLength = 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _end = new();
    private readonly List<Part> _parts = [];
    private byte[]? _held;
    private byte[] _tail = new byte[FirstTailLength];
    private int _tailLength;
    private Task<string>? _upload;
    private S3Appender? _pieces;

    public override long Length
    {
        get
        {
            lock (_lock)
                return _pieces?.Length ?? TailStart + _tailLength;
        }
    }

    public override bool IsBeyondFlushing
    {
        get
        {
            lock (_lock)
                return _parts.Count > 0;
        }
    }

    private long TailStart => SentLength + (_held is null ? 0 : S3Bucket.PartLength);

    private long SentLength => _parts.Sum(p => (long)p.Length);

    public override async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await SendAgainAsync(cancellationToken);
        var hasRoom = WillSend(bytes.Length);
        if (hasRoom)
            await bucket.Rooms.TakeAsync(cancellationToken);

        try
        {
            if (!TryAdd(bytes.Span, ref hasRoom))
                await _pieces!.AppendAsync(bytes, cancellationToken);
        }
        finally
        {
            if (hasRoom)
                bucket.Rooms.Leave();
        }
    }

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_pieces is null)
                return ValueTask.FromResult(Read(offset, buffer.Span));
        }

        return _pieces.ReadAsync(offset, buffer, cancellationToken);
    }

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            _pieces ??= BecomePieces();

        return _pieces.FlushAsync(cancellationToken);
    }

    public override async Task CutAsync(long length, CancellationToken cancellationToken)
    {
        if (_pieces is not null)
        {
            await _pieces.CutAsync(length, cancellationToken);
            return;
        }

        if (length < SentLength)
        {
            ThrowIfBeyondFlushing(isAllowed: length == 0);
            await GiveUpAsync();
        }

        lock (_lock)
            CutMemory(length);
    }

    public override async Task SealAsync(string asName, CancellationToken cancellationToken)
    {
        if (asName != sealedName)
            throw new ArgumentException("It was begun to be sealed under another name.", nameof(asName));

        if (_pieces is not null)
            await _pieces.SealAsync(asName, cancellationToken);
        else if (_parts.Count == 0 && _held is null)
            await bucket.PutAsync(asName, _tail.AsMemory(0, _tailLength), cancellationToken);
        else
            await CompleteAsync(cancellationToken);
    }

    public override async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        if (_pieces is not null)
            await _pieces.DisposeAsync();

        await GiveUpAsync();
        ReturnMemory();
    }

    private bool WillSend(int length)
    {
        lock (_lock)
            return _pieces is null && (_held is not null || _parts.Count > 0) && _tailLength + length >= S3Bucket.PartLength;
    }

    /// <returns>False where it has become one of pieces.</returns>
    private bool TryAdd(ReadOnlySpan<byte> bytes, ref bool hasRoom)
    {
        lock (_lock)
        {
            while (_pieces is null && bytes.Length > 0)
            {
                var taken = bytes[..Math.Min(bytes.Length, S3Bucket.PartLength - _tailLength)];
                AddToTail(taken);
                bytes = bytes[taken.Length..];
                if (_tailLength == S3Bucket.PartLength)
                    EndTail(ref hasRoom);
            }

            return _pieces is null;
        }
    }

    private void AddToTail(ReadOnlySpan<byte> bytes)
    {
        if (_tailLength + bytes.Length > _tail.Length)
        {
            var longer = _tailLength + bytes.Length <= SecondTailLength ? new byte[SecondTailLength] : bucket.Rooms.Rent();
            _tail.AsSpan(0, _tailLength).CopyTo(longer);
            _tail = longer;
        }

        bytes.CopyTo(_tail.AsSpan(_tailLength));
        _tailLength += bytes.Length;
    }

    private void EndTail(ref bool hasRoom)
    {
        if (TailStart + _tailLength < UndecidedLength)
            _held = _tail;
        else
            SendAll(ref hasRoom);

        (_tail, _tailLength) = (bucket.Rooms.Rent(), 0);
    }

    private void SendAll(ref bool hasRoom)
    {
        _upload ??= Task.Run(() => bucket.BeginUploadAsync(sealedName, _end.Token));
        foreach (var (buffer, length) in new[] { (_held, S3Bucket.PartLength), (_tail, _tailLength) })
        {
            if (buffer is null || length == 0)
                continue;

            var part = new Part(_parts.Count + 1, buffer, length);
            _parts.Add(part);
            BeginSending(part, hasRoom);
            hasRoom = false;
        }

        _held = null;
    }

    private void BeginSending(Part part, bool hasRoom) => part.Sending = Task.Run(() => SendAsync(part, hasRoom));

    private async Task SendAsync(Part part, bool hasRoom)
    {
        if (!hasRoom)
            await bucket.Rooms.TakeAsync(_end.Token);

        try
        {
            part.Tag = await bucket.PutPartAsync(sealedName, await _upload!, part.Number, part.Bytes, part.Length, _end.Token);
            bucket.Rooms.Return(part.TakeBuffer());
        }
        finally
        {
            bucket.Rooms.Leave();
        }
    }

    // What failed stays in memory.
    private async Task SendAgainAsync(CancellationToken cancellationToken)
    {
        List<Part> failed;
        lock (_lock)
        {
            failed = _parts.FindAll(p => p.Sending.IsFaulted);
            if (_upload is { IsFaulted: true })
                _upload = Task.Run(() => bucket.BeginUploadAsync(sealedName, _end.Token), CancellationToken.None);
            foreach (var part in failed)
                BeginSending(part, hasRoom: false);
        }

        foreach (var part in failed)
            await part.Sending.WaitAsync(cancellationToken);
    }

    private async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await SendAgainAsync(cancellationToken);
        SendRest();
        await Task.WhenAll(_parts.Select(p => p.Sending)).WaitAsync(cancellationToken);
        await bucket.CompleteUploadAsync(sealedName, await _upload!, [.. _parts.Select(p => p.Tag!)], SentLength, cancellationToken);
        _upload = null;
    }

    // Only the last part may be shorter, so that it is the last thing to be sent.
    private void SendRest()
    {
        var hasRoom = false;
        lock (_lock)
        {
            SendAll(ref hasRoom);
            if (_tailLength > 0)
                (_tail, _tailLength) = ([], 0);
        }
    }

    private void ThrowIfBeyondFlushing(bool isAllowed = false)
    {
        if (_parts.Count > 0 && !isAllowed)
            throw new InvalidOperationException("An object whose parts are on their way can be sealed or given up, and nothing else.");
    }

    private S3Appender BecomePieces()
    {
        ThrowIfBeyondFlushing();
        var pieces = new S3Appender(bucket, name, []);
        pieces.Begin(_held);
        pieces.Begin(_tail.AsSpan(0, _tailLength));
        ReturnMemory();
        return pieces;
    }

    private void ReturnMemory()
    {
        if (_held is not null)
            bucket.Rooms.Return(_held);

        bucket.Rooms.Return(_tail);
        (_held, _tail, _tailLength) = (null, [], 0);
    }

    private int Read(long offset, Span<byte> buffer)
    {
        ThrowIfBeyondFlushing();
        var count = 0;
        while (count < buffer.Length && offset + count < Length)
        {
            var at = (int)(offset + count);
            var from = at < TailStart ? _held.AsSpan(at) : _tail.AsSpan(at - (int)TailStart, _tailLength - at + (int)TailStart);
            var taken = Math.Min(from.Length, buffer.Length - count);
            from[..taken].CopyTo(buffer[count..]);
            count += taken;
        }

        return count;
    }

    private void CutMemory(long length)
    {
        if (length < TailStart && _held is not null)
        {
            bucket.Rooms.Return(_tail);
            (_tail, _tailLength, _held) = (_held, S3Bucket.PartLength, null);
        }

        _tailLength = (int)Math.Min(_tailLength, length - TailStart);
    }

    private async Task GiveUpAsync()
    {
        if (_upload is not { } given)
            return;

        _upload = null;
        await Task.WhenAll(_parts.Select(p => p.Sending)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _parts.Clear();
        await ((Task)given).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (given.IsCompletedSuccessfully)
            await bucket.AbortUploadAsync(sealedName, await given);
    }

    /// <summary>A part of the upload.</summary>
    private sealed class Part(int number, byte[] buffer, int length)
    {
        private byte[]? _buffer = buffer;

        public int Number => number;

        public int Length => length;

        public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, length);

        /// <summary>What the server says of it, when it has it.</summary>
        public PartETag? Tag { get; set; }

        public Task Sending { get; set; } = Task.CompletedTask;

        public byte[] TakeBuffer()
        {
            var taken = _buffer!;
            _buffer = null;
            return taken;
        }
    }
}
