namespace Vitrine.Testing.Library;

/// <summary>The bytes of a source, in pieces and with interruptions that the test decides.</summary>
/// <param name="bytes">What is given, to its end.</param>
/// <param name="beforeRead">Called with the number of bytes given so far; answers how many to give at most, or throws.</param>
public sealed class ScriptedStream(ReadOnlyMemory<byte> bytes, Func<int, CancellationToken, ValueTask<int>> beforeRead) : Stream
{
    private int _given;

    public ScriptedStream(ReadOnlyMemory<byte> bytes)
        : this(bytes, (_, _) => ValueTask.FromResult(int.MaxValue))
    {
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var most = await beforeRead(_given, cancellationToken);
        var count = Math.Min(Math.Min(most, buffer.Length), bytes.Length - _given);
        bytes.Slice(_given, count).CopyTo(buffer);
        _given += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
