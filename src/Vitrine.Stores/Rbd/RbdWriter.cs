using System.Globalization;
using Vitrine.Content;

namespace Vitrine.Stores.Rbd;

/// <summary>An image that is written under its staging name, and locked for as long as this is open.</summary>
/// <remarks>
/// The image is longer than what was written, and grows in steps; what nothing was written to takes no room. How much of it counts is in its metadata.
/// </remarks>
internal sealed class RbdWriter : ContentWriter
{
    private const long FirstSize = 1L << 30;
    private const long LargestStep = 64L << 30;

    private readonly RbdPlace _place;
    private readonly StagingKey _key;
    private readonly string _id;
    private readonly RbdImage _image;
    private readonly WriteWindow _window;
    private readonly Lock _lock = new();
    private byte[]? _block;
    private long _blockStart;
    private long _length;
    private long _savedLength;
    private long _size;
    private bool _mayBeSealed;
    private bool _isCommitted;
    private bool _isOver;

    private RbdWriter(RbdPlace place, StagingKey key, string id, RbdImage image)
    {
        (_place, _key, _id, _image) = (place, key, id, image);
        _window = new WriteWindow(image, place.Options.ParallelWrites);
    }

    public override long Length => Volatile.Read(ref _length);

    /// <summary>Goes on with an image that this client has taken. Waits for the cluster.</summary>
    /// <param name="id">The image's id.</param>
    public static RbdWriter TakeOver(RbdPlace place, StagingKey key, string id, RbdImage image)
    {
        var writer = new RbdWriter(place, key, id, image);
        if (image.Find(RbdLayout.DigestKey) is not null)
            writer.Unseal();

        // What lies behind the length that was saved is of nobody any more. It goes, for zeros are not written over it.
        writer._length = writer._savedLength = writer._blockStart = LengthOf(image);
        writer._size = image.Size;
        writer.ResizeTo(writer._length);
        return writer;
    }

    /// <summary>How many bytes of an image under way are durable.</summary>
    public static long LengthOf(RbdImage image) => Math.Clamp(NumberOf(image, RbdLayout.LengthKey), 0, image.Size);

    /// <summary>When that was last said.</summary>
    public static DateTimeOffset LastWriteOf(RbdImage image) => DateTimeOffset.FromUnixTimeMilliseconds(
        Math.Clamp(NumberOf(image, RbdLayout.WrittenKey), 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            // All that can fail or be cancelled comes first: either none of the bytes are taken or all.
            await _window.WaitForRoomAsync(cancellationToken);
            if (_mayBeSealed || _length + bytes.Length > _size)
                await Task.Run(() => MakeRoom(_length + bytes.Length), CancellationToken.None);
        }
        catch (CephException error)
        {
            throw _place.Explain(error, bytes.Length);
        }

        lock (_lock)
            Accept(bytes.Span);
    }

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        var wanted = buffer[..(int)Math.Clamp(_length - offset, 0, buffer.Length)];
        if (wanted.IsEmpty)
            return 0;

        return await RunAsync(async () =>
        {
            await DrainAsync(cancellationToken);
            return await _image.ReadAsync(offset, wanted);
        });
    }

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        return RunAsync(async () =>
        {
            var length = await DrainAsync(cancellationToken);
            if (length != _savedLength)
                await Task.Run(() => Save(length), CancellationToken.None);
            return true;
        });
    }

    public override Task ResetAsync(CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        cancellationToken.ThrowIfCancellationRequested();
        return RunAsync(async () =>
        {
            await _window.SettleAsync();
            _window.Clear();
            await Task.Run(Reset, CancellationToken.None);
            return true;
        });
    }

    public override Task CommitAsync(Digest digest, CancellationToken cancellationToken)
    {
        ThrowIfCommitted();
        return RunAsync(async () =>
        {
            var length = await DrainAsync(cancellationToken);
            if (!await Task.Run(() => IsPublished(digest), CancellationToken.None))
                await Task.Run(() => Finish(length), CancellationToken.None);
            await using (await _place.Locks.TakeAsync(_place.Pool, _place.Layout.NameOf(digest), cancellationToken))
                await Task.Run(() => Publish(digest), CancellationToken.None);
            return true;
        });
    }

    public override async ValueTask DisposeAsync()
    {
        if (_isOver)
            return;

        _isOver = true;
        try
        {
            if (!_isCommitted)
                await TrySaveAsync();
            await _window.SettleAsync();
            await Task.Run(_image.Dispose);
        }
        finally
        {
            _place.Forget(_key);
        }
    }

    private void Accept(ReadOnlySpan<byte> bytes)
    {
        Volatile.Write(ref _length, _length + bytes.Length);
        for (var left = bytes; left.Length > 0;)
        {
            _block ??= _window.Rent();
            var filled = (int)(_length - left.Length - _blockStart);
            var room = (int)(WriteWindow.BlockSize - _blockStart % WriteWindow.BlockSize) - filled;
            var count = Math.Min(left.Length, room);
            left[..count].CopyTo(_block.AsSpan(filled));
            left = left[count..];
            if (count == room)
                SendBlock(filled + count);
        }
    }

    private void SendBlock(int length)
    {
        _window.Send(_block!, length, _blockStart);
        (_block, _blockStart) = (null, _blockStart + length);
    }

    /// <returns>How many bytes are in the cluster now.</returns>
    private async Task<long> DrainAsync(CancellationToken cancellationToken)
    {
        long length;
        lock (_lock)
        {
            length = _length;
            if (length > _blockStart)
                SendBlock((int)(length - _blockStart));
        }

        await _window.DrainAsync(cancellationToken);
        return length;
    }

    private void MakeRoom(long needed)
    {
        if (_mayBeSealed)
            Unseal();
        if (needed > _size)
            ResizeTo(Math.Max(needed, _size + Math.Clamp(_size, FirstSize, LargestStep)));
    }

    private void ResizeTo(long size)
    {
        if (size != _size)
            _image.Resize(size);
        _size = size;
    }

    private void Save(long length)
    {
        _image.Set(RbdLayout.LengthKey, length.ToString(CultureInfo.InvariantCulture));
        _image.Set(RbdLayout.WrittenKey, _place.Time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
        _savedLength = length;
    }

    private void Reset()
    {
        // In this order: the old length must not vouch for bytes that are written after the cut.
        Unseal();
        Save(0);
        lock (_lock)
        {
            if (_block is { } block)
                _window.Return(block);
            (_block, _blockStart) = (null, 0);
            Volatile.Write(ref _length, 0);
        }

        ResizeTo(0);
    }

    private void Finish(long length)
    {
        if (_mayBeSealed)
            Unseal();
        _image.Flush();
        ResizeTo(length);
        Save(length);
    }

    // The rename makes the content visible, so all that belongs to it comes before. Whoever dies before it leaves an image that is staged
    // still, and that the next writer of the key takes the seal from again.
    private void Publish(Digest digest)
    {
        var (pool, name) = (_place.Pool, _place.Layout.NameOf(digest));
        var found = pool.FindId(name);
        if (found is null)
        {
            _mayBeSealed = true;
            _image.Unset(RbdLayout.OwnerKey);
            _image.Set(RbdLayout.DigestKey, digest.Hex);
            _image.Protect(RbdLayout.Snapshot);
            pool.Rename(_place.Layout.NameOf(_key), name);
        }

        _isCommitted = true;
        _image.Dispose();
        if (found is not null && found != _id)
            TryRemoveStaged();
    }

    private void TryRemoveStaged()
    {
        try
        {
            _place.Pool.TryRemove(_place.Layout.NameOf(_key));
        }
        catch (CephException error)
        {
            // The content is there, and this is swept later.
            _place.Connection.Look(error, _place.Pool);
        }
    }

    // An earlier try may have been carried out although its answer was lost.
    private bool IsPublished(Digest digest) => _mayBeSealed && _place.Pool.FindId(_place.Layout.NameOf(digest)) == _id;

    private void Unseal()
    {
        // What is committed never changes again, even where this writer was not told that it is.
        if (_place.Pool.FindId(_place.Layout.NameOf(_key)) != _id)
            throw new CephException(CephError.Busy, "write to an image that is committed");

        if (!_image.TryRemove(RbdLayout.Snapshot))
            throw new CephException(CephError.Busy, "remove the snapshot of an image under way");

        _image.Unset(RbdLayout.DigestKey);
        _mayBeSealed = false;
    }

    // On the way out: what cannot be saved now has to be given again.
    private async Task TrySaveAsync()
    {
        try
        {
            var length = await DrainAsync(CancellationToken.None);
            if (length != _savedLength)
                await Task.Run(() => Save(length));
        }
        catch (CephException error)
        {
            _place.Connection.Look(error, _place.Pool);
        }
    }

    private async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (CephException error)
        {
            throw _place.Explain(error);
        }
    }

    private static long NumberOf(RbdImage image, string key) => long.TryParse(image.Find(key), CultureInfo.InvariantCulture, out var number) ? number : 0;

    private void ThrowIfCommitted()
    {
        if (_isCommitted)
            throw new InvalidOperationException("The writer has committed; open another.");
    }
}
