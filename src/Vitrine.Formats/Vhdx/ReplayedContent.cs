using Vitrine.Stores;

namespace Vitrine.Formats.Vhdx;

/// <summary>Content with some of its pages replaced, and with zeros behind its end where it is to be longer.</summary>
/// <param name="pages">By their number; null is a page of zeros.</param>
internal sealed class ReplayedContent(ContentReader content, long length, Dictionary<long, byte[]?> pages) : ContentReader
{
    private const int PageLength = VhdxLogEntry.SectorSize;

    public override long Length => length;

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        buffer = buffer[..(int)Math.Min(buffer.Length, length - offset)];
        var count = buffer.Length;
        if (offset < content.Length)
            count = await content.ReadAsync(offset, buffer[..(int)Math.Min(count, content.Length - offset)], cancellationToken);
        else
            buffer.Span.Clear();

        Replace(offset, buffer.Span[..count]);
        return count;
    }

    public override ValueTask DisposeAsync() => content.DisposeAsync();

    private void Replace(long offset, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var within = (int)(offset % PageLength);
            var part = bytes[..Math.Min(bytes.Length, PageLength - within)];
            if (pages.TryGetValue(offset / PageLength, out var page))
            {
                if (page is null)
                    part.Clear();
                else
                    page.AsSpan(within, part.Length).CopyTo(part);
            }

            offset += part.Length;
            bytes = bytes[part.Length..];
        }
    }
}
