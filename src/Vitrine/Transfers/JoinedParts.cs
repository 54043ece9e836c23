using Vitrine.Stores;

namespace Vitrine.Transfers;

/// <summary>The parts of an upload in their order, as one content. One part is open at a time.</summary>
/// <param name="parts">In the order in which they make the whole.</param>
internal sealed class JoinedParts(IContentStore store, IReadOnlyList<UploadPart> parts) : ContentReader
{
    private UploadPart? _part;
    private ContentWriter? _open;

    public override long Length { get; } = parts.Sum(p => p.Length);

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (offset >= Length || buffer.Length == 0)
            return 0;

        var (part, start) = Find(offset);
        if (_open is null || part != _part)
            await OpenAsync(part, cancellationToken);

        var wanted = (int)Math.Min(buffer.Length, start + part.Length - offset);
        return await _open!.ReadAsync(offset - start, buffer[..wanted], cancellationToken) is > 0 and var read ? read : throw Lost(part);
    }

    public override async ValueTask DisposeAsync()
    {
        (var closing, _open) = (_open, null);
        if (closing is not null)
            await closing.DisposeAsync();
    }

    private (UploadPart Part, long Start) Find(long offset)
    {
        var start = 0L;
        foreach (var part in parts)
        {
            if (offset < start + part.Length)
                return (part, start);

            start += part.Length;
        }

        throw new ArgumentOutOfRangeException(nameof(offset));
    }

    private async Task OpenAsync(UploadPart part, CancellationToken cancellationToken)
    {
        await DisposeAsync();
        (_part, _open) = (part, await store.OpenWriterAsync(part.Key, cancellationToken));
        if (_open.Length != part.Length)
            throw Lost(part);
    }

    private static UploadPartsException Lost(UploadPart part) => new(part.Upload, $"the store has lost bytes of part {part.Number}");
}
