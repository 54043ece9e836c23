using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>Reads of content that take all or nothing.</summary>
internal static class ContentReading
{
    /// <summary>Fills the buffer.</summary>
    /// <exception cref="Content.UnsafeContentException">The content ends before; <paramref name="format"/> points beyond its end.</exception>
    public static async ValueTask ReadExactlyAsync(
        this ContentReader content, string format, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (offset < 0 || offset > content.Length - buffer.Length)
            throw Refusal.Truncated(format);

        while (!buffer.IsEmpty)
        {
            var read = await content.ReadAsync(offset, buffer, cancellationToken);
            if (read == 0)
                throw new EndOfStreamException("The store gives back less than it says that it holds.");

            offset += read;
            buffer = buffer[read..];
        }
    }

    /// <summary>Reads the last bytes: <see cref="ContentTail.Capacity"/> of them, or all if there are fewer.</summary>
    public static async ValueTask<byte[]> ReadTailAsync(this ContentReader content, string format, CancellationToken cancellationToken)
    {
        var tail = new byte[Math.Min(content.Length, ContentTail.Capacity)];
        await content.ReadExactlyAsync(format, content.Length - tail.Length, tail, cancellationToken);
        return tail;
    }
}
