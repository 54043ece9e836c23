using System.IO.Compression;

namespace Vitrine.Formats.Conversion;

/// <summary>Compresses small parts of a disk, each for itself.</summary>
internal static class Deflation
{
    // The level at which size and speed are nearest to what the field's tools give.
    private static readonly ZLibCompressionOptions Level = new() { CompressionLevel = 6 };
    private static readonly ZLibCompressionOptions Stored = new() { CompressionLevel = 0 };

    /// <summary>Compresses without any header (RFC 1951).</summary>
    /// <returns>How many bytes it took; negative where there was no room for them.</returns>
    public static int Deflate(ReadOnlySpan<byte> bytes, Memory<byte> output)
    {
        using var target = new BoundedStream(output);
        using (var stream = new DeflateStream(target, Level, leaveOpen: true))
            stream.Write(bytes);

        return target.Filled;
    }

    /// <summary>Compresses in the format of zlib (RFC 1950); what gets longer by it is only wrapped.</summary>
    /// <param name="output">At least some hundred bytes longer than what goes in.</param>
    /// <returns>How many bytes it took.</returns>
    public static int ZLib(ReadOnlySpan<byte> bytes, Memory<byte> output) =>
        TryZLib(bytes, output, Level) is >= 0 and var length ? length : TryZLib(bytes, output, Stored);

    private static int TryZLib(ReadOnlySpan<byte> bytes, Memory<byte> output, ZLibCompressionOptions level)
    {
        using var target = new BoundedStream(output);
        using (var stream = new ZLibStream(target, level, leaveOpen: true))
            stream.Write(bytes);

        return target.Filled;
    }

    /// <summary>Takes what there is room for, and then nothing more.</summary>
    private sealed class BoundedStream(Memory<byte> room) : Stream
    {
        /// <summary>Negative once there was no room.</summary>
        public int Filled { get; private set; }

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Filled < 0 || buffer.Length > room.Length - Filled)
            {
                Filled = -1;
                return;
            }

            buffer.CopyTo(room.Span[Filled..]);
            Filled += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
