using Vitrine.Content;

namespace Vitrine.Transfers;

/// <summary>The bytes of a file that go on at another mirror where one breaks off. Each mirror gets one chance.</summary>
internal sealed class MirroredBody(Mirrors mirrors, int index, SourceReading first) : ReadOnlyStream
{
    private readonly HashSet<int> _tried = [index];
    private MirrorReading _current = new(index, first);
    private long _position = first.Offset;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                var count = await _current.Reading.Body.ReadAsync(buffer, cancellationToken);
                _position += count;
                return count;
            }
            catch (SourceException) when (_current.Reading.Length is not null)
            {
                if (await mirrors.FindRestAsync(_current, _position, _tried, cancellationToken) is not { } other)
                    throw;

                _tried.Add(other.Index);
                await _current.Reading.DisposeAsync();
                _current = other;
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _current.Reading.DisposeAsync();
        await base.DisposeAsync();
    }
}
