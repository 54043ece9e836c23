using Vitrine.Stores;

namespace Vitrine.FormatTests;

/// <summary>Bytes as content; what is changed in them is changed in it.</summary>
internal sealed class ChangingContent(ReadOnlyMemory<byte> bytes) : ContentReader
{
    public override long Length => bytes.Length;

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var part = bytes.Span.Slice((int)offset, (int)Math.Min(buffer.Length, bytes.Length - offset));
        part.CopyTo(buffer.Span);
        return ValueTask.FromResult(part.Length);
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
