using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>A range of content as content of its own: a member of an archive, or a disk without its footer.</summary>
internal sealed class ContentSlice(ContentReader content, long start, long length) : ContentReader
{
    public override long Length => length;

    public override ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        content.ReadAsync(start + offset, buffer[..(int)Math.Min(buffer.Length, length - offset)], cancellationToken);

    /// <summary>Closes the content that it is a range of.</summary>
    public override ValueTask DisposeAsync() => content.DisposeAsync();
}
