using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>The pages of content that its tables lie in, read when they are needed and so many of them kept.</summary>
internal sealed class TableCache(ContentReader content, string format)
{
    /// <summary>A page's length in bytes. What is aligned to a power of two up to this never lies in two pages.</summary>
    public const int PageLength = 16 * 1024;

    private const int Pages = 256;

    private readonly RecentlyLoaded<long, byte[]> _pages = new(Pages, page => LoadAsync(content, format, page));

    /// <summary>The bytes from an offset to the end of its page.</summary>
    /// <param name="least">How many of them there must be.</param>
    /// <exception cref="Content.UnsafeContentException">The content ends before.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(long offset, int least, CancellationToken cancellationToken)
    {
        if (offset < 0 || offset > content.Length - least)
            throw Refusal.Truncated(format);

        var page = await _pages.GetAsync(offset / PageLength, cancellationToken);
        return page.AsMemory((int)(offset % PageLength));
    }

    private static async ValueTask<byte[]> LoadAsync(ContentReader content, string format, long page)
    {
        var bytes = new byte[Math.Min(PageLength, content.Length - page * PageLength)];
        await content.ReadExactlyAsync(format, page * PageLength, bytes, CancellationToken.None);
        return bytes;
    }
}
