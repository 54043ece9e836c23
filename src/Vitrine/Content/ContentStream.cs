using Vitrine.Stores;

namespace Vitrine.Content;

/// <summary>Content from an offset to its end, for what wants a stream. The reader stays its owner's.</summary>
internal sealed class ContentStream(ContentReader reader, long offset) : ReadOnlyStream
{
    private long _offset = offset;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await reader.ReadAsync(_offset, buffer, cancellationToken);
        _offset += read;
        return read;
    }
}
