using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>The pages of content that its tables lie in, read when they are needed and kept within a fixed budget.</summary>
internal sealed class TableCache(ContentReader content, string format)
{
    /// <summary>A page's length in bytes. What is aligned to a power of two up to this never lies in two pages.</summary>
    public const int PageLength = 16 * 1024;

    private const long Budget = 4 * 1024 * 1024;

    private readonly BufferCache _pages = new(Budget);

    /// <summary>The bytes from an offset to the end of its page.</summary>
    /// <param name="least">How many of them there must be.</param>
    /// <exception cref="Content.UnsafeContentException">The content ends before.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ReadAsync(long offset, int least, CancellationToken cancellationToken)
    {
        if (offset < 0 || offset > content.Length - least)
            throw Refusal.Truncated(format);

        var page = offset / PageLength;
        return _pages.Find(page) is { } bytes
            ? ValueTask.FromResult<ReadOnlyMemory<byte>>(bytes.AsMemory((int)(offset % PageLength)))
            : FetchAsync(page, (int)(offset % PageLength), cancellationToken);
    }

    private async ValueTask<ReadOnlyMemory<byte>> FetchAsync(long page, int within, CancellationToken cancellationToken)
    {
        var bytes = new byte[Math.Min(PageLength, content.Length - page * PageLength)];
        await content.ReadExactlyAsync(format, page * PageLength, bytes, cancellationToken);
        _pages.Add(page, bytes);
        return bytes.AsMemory(within);
    }
}
