using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Vitrine.Stores;

namespace Vitrine.Formats.Qcow2;

/// <summary>The words of an image's tables, of which those used last are held: never a whole table.</summary>
internal sealed class Qcow2Tables
{
    private const int MaxPageLength = 64 * 1024;
    private const int MaxPages = 2048;

    // Maps 64 GiB of a disk whose clusters have the usual 64 KiB.
    private const int MaxLength = 8 * 1024 * 1024;

    private readonly ContentReader _content;
    private readonly RecentlyLoaded<long, ulong[]> _pages;
    private readonly int _pageLength;

    public Qcow2Tables(ContentReader content, int clusterSize)
    {
        _content = content;
        _pageLength = Math.Min(clusterSize, MaxPageLength);
        _pages = new RecentlyLoaded<long, ulong[]>(Math.Min(MaxLength / _pageLength, MaxPages), LoadAsync);
    }

    /// <summary>How many words a page has. No page belongs to two L2 tables.</summary>
    public int PageWords => _pageLength / sizeof(ulong);

    /// <summary>The words of a table from one of them on to the end of its page, and behind the table's end what lies there.</summary>
    /// <param name="table">The table's offset in the content.</param>
    /// <param name="words">How many of them the table has; fewer are an error.</param>
    /// <exception cref="Content.UnsafeContentException">The content ends before the page's part of the table does.</exception>
    public async ValueTask<ReadOnlyMemory<ulong>> GetAsync(long table, long word, long words, CancellationToken cancellationToken)
    {
        var within = (int)(word % PageWords);
        var first = word - within;
        var page = await _pages.GetAsync(table + first * sizeof(ulong), cancellationToken);
        var count = (int)Math.Min(PageWords, words - first);
        return count <= page.Length ? page.AsMemory(within, count - within) : throw Refusal.Truncated("qcow2");
    }

    private async ValueTask<ulong[]> LoadAsync(long offset)
    {
        var length = (int)Math.Clamp(_content.Length - offset, 0, _pageLength) / sizeof(ulong) * sizeof(ulong);
        var bytes = ArrayPool<byte>.Shared.Rent(_pageLength);
        try
        {
            await _content.ReadExactlyAsync("qcow2", offset, bytes.AsMemory(0, length), CancellationToken.None);
            var words = MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan(0, length)).ToArray();
            BinaryPrimitives.ReverseEndianness(words, words);
            return words;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
