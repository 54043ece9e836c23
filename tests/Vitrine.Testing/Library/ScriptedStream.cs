using Vitrine.Content;

namespace Vitrine.Testing.Library;

/// <summary>The bytes of a source, in pieces and with interruptions that the test decides.</summary>
/// <param name="bytes">What is given, to its end.</param>
/// <param name="beforeRead">Called with the number of bytes given so far; answers how many to give at most, or throws.</param>
public sealed class ScriptedStream(ReadOnlyMemory<byte> bytes, Func<int, CancellationToken, ValueTask<int>> beforeRead) : ReadOnlyStream
{
    private int _given;

    public ScriptedStream(ReadOnlyMemory<byte> bytes)
        : this(bytes, (_, _) => ValueTask.FromResult(int.MaxValue))
    {
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

}
