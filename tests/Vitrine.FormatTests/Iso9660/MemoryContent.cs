using Vitrine.Stores;

namespace Vitrine.FormatTests.Iso9660;

/// <summary>An array as content, that counts what is read of it.</summary>
internal sealed class MemoryContent(byte[] bytes) : ContentReader
{
    public override long Length => bytes.Length;

    /// <summary>How many bytes have been read.</summary>
    public long Read { get; private set; }

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = (int)Math.Min(buffer.Length, bytes.Length - offset);
        bytes.AsMemory((int)offset, count).CopyTo(buffer);
        Read += count;
        return ValueTask.FromResult(count);
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
