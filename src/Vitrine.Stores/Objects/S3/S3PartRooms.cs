using System.Collections.Concurrent;

namespace Vitrine.Stores.Objects.S3;

/// <summary>Bounds how many parts of objects that grow are on their way to a server, whoever sends them, and lends their buffers.</summary>
internal sealed class S3PartRooms(int most) : IDisposable
{
    // Beside the parts on their way, a writer has parts that are being filled or wait. What is thrown away instead comes back soon, as garbage.
    private readonly int _mostKept = 2 * most + 2;
    private readonly SemaphoreSlim _free = new(most);
    private readonly ConcurrentBag<byte[]> _buffers = [];

    /// <summary>Waits until one more part may be on its way.</summary>
    public Task TakeAsync(CancellationToken cancellationToken) => _free.WaitAsync(cancellationToken);

    public void Leave() => _free.Release();

    /// <returns>A buffer of a part's length, with whatever bytes in it.</returns>
    public byte[] Rent() => _buffers.TryTake(out var buffer) ? buffer : GC.AllocateUninitializedArray<byte>(S3Bucket.PartLength);

    /// <summary>Takes a buffer back. One that was not lent here is left to the collector.</summary>
    public void Return(byte[] buffer)
    {
        if (buffer.Length == S3Bucket.PartLength && _buffers.Count < _mostKept)
            _buffers.Add(buffer);
    }

    public void Dispose() => _free.Dispose();
}
