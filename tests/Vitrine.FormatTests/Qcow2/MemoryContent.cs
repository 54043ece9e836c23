using Vitrine.Stores;

namespace Vitrine.FormatTests.Qcow2;

/// <summary>Bytes as content. It gives few at a time where that is asked for, as a store may.</summary>
internal sealed class MemoryContent(ReadOnlyMemory<byte> bytes, int most = int.MaxValue) : ContentReader
{
    public override long Length => bytes.Length;

    /// <summary>How many reads there were.</summary>
    public int Reads { get; private set; }

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Reads++;
        var count = Math.Min(most, (int)Math.Min(buffer.Length, Length - offset));
        bytes.Span.Slice((int)offset, count).CopyTo(buffer.Span);
        return ValueTask.FromResult(count);
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
