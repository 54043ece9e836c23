namespace Vitrine.FormatTests.Iso9660;

/// <summary>So many zeros, and a one at their end.</summary>
internal sealed class Zeros(long length) : Stream
{
    private long _position;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        count = (int)Math.Min(count, length - _position);
        buffer.AsSpan(offset, count).Clear();
        _position += count;
        if (count > 0 && _position == length)
            buffer[offset + count - 1] = 1;
        return count;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>Leaves holes in a new file where zeros are written, so that a large medium takes no room.</summary>
internal sealed class Holes(FileStream file) : Stream
{
    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => file.Length;

    public override long Position
    {
        get => file.Position;
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        if (buffer.AsSpan(offset, count).ContainsAnyExcept((byte)0))
            file.Write(buffer, offset, count);
        else
            file.Seek(count, SeekOrigin.Current);
    }

    public override void Flush() => file.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file.SetLength(file.Position);
            file.Dispose();
        }

        base.Dispose(disposing);
    }
}
