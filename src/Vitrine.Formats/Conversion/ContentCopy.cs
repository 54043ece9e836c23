using System.Buffers;
using Vitrine.Stores;

namespace Vitrine.Formats.Conversion;

/// <summary>Content from its first byte to its last, reading the next part while one is being written.</summary>
internal static class ContentCopy
{
    private const int PartLength = 1024 * 1024;

    public static async Task CopyToAsync(this ContentReader content, Stream output, CancellationToken cancellationToken)
    {
        var (current, next) = (ArrayPool<byte>.Shared.Rent(PartLength), ArrayPool<byte>.Shared.Rent(PartLength));
        try
        {
            var length = await content.ReadAsync(0, current, cancellationToken);
            for (var position = (long)length; length > 0; position += length)
            {
                var write = output.WriteAsync(current.AsMemory(0, length), cancellationToken).AsTask();
                var read = position < content.Length ? ReadAsync(position, next) : Task.FromResult(0);
                await Task.WhenAll(write, read);
                length = await read;
                (current, next) = (next, current);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(current);
            ArrayPool<byte>.Shared.Return(next);
        }

        // A read that fails at once fails as one that fails later: the write beside it is waited for.
        async Task<int> ReadAsync(long position, byte[] buffer) => await content.ReadAsync(position, buffer, cancellationToken);
    }
}
