using Vitrine.Stores;

namespace Vitrine.FormatTests;

/// <summary>Bytes as content; what is changed in them is changed in it.</summary>
/// <param name="most">The most that one read gives, as a store may give less than was asked for.</param>
internal sealed class MemoryContent(ReadOnlyMemory<byte> bytes, int most = int.MaxValue) : ContentReader
{
    private int _reads;
    private long _bytesRead;

    public override long Length => bytes.Length;

    /// <summary>How many reads there were.</summary>
    public int Reads => _reads;

    public long BytesRead => _bytesRead;

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var part = bytes.Span.Slice((int)offset, Math.Min(most, (int)Math.Min(buffer.Length, bytes.Length - offset)));
        part.CopyTo(buffer.Span);
        Interlocked.Increment(ref _reads);
        Interlocked.Add(ref _bytesRead, part.Length);
        return ValueTask.FromResult(part.Length);
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
