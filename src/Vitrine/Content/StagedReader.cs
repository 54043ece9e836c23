using Vitrine.Stores;

namespace Vitrine.Content;

/// <summary>Reads at any place what a writer holds. The writer stays its owner's.</summary>
internal sealed class StagedReader(ContentWriter writer) : ContentReader
{
    public override long Length => writer.Length;

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        writer.ReadAsync(offset, buffer, cancellationToken);

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
