using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Sources;

/// <summary>A file at a source as content: what is read is fetched, and what follows on it comes by the same connection.</summary>
/// <remarks>For a look at a file, not for all of it: each step aside is a request of its own. One reader at a time.</remarks>
public sealed class SourceContent : ContentReader
{
    /// <summary>What lies ahead by no more than this is read over, which is quicker than another request.</summary>
    private const int LongestSkip = 256 * 1024;

    private readonly ISource _source;
    private readonly Uri _address;
    private readonly string? _validator;
    private readonly SemaphoreSlim _turn = new(1);
    private SourceReading? _reading;
    private long _position;

    private SourceContent(ISource source, Uri address, SourceReading first)
    {
        (_source, _address, _reading) = (source, address, first);
        _validator = first.Validator;
        Length = first.Length!.Value;
    }

    public override long Length { get; }

    /// <exception cref="SourceException">The source cannot be read, or does not say how long the file is.</exception>
    public static async Task<SourceContent> OpenAsync(ISource source, Uri address, CancellationToken cancellationToken)
    {
        var first = await source.OpenAsync(address, 0, validator: null, cancellationToken);
        if (first.Length is not null)
            return new SourceContent(source, address, first);

        await first.DisposeAsync();
        throw new SourceException(SourceFault.Broken, "The source does not say how long the file is.", mayPass: false);
    }

    public override async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (buffer.IsEmpty || offset >= Length)
            return 0;

        await _turn.WaitAsync(cancellationToken);
        try
        {
            await MoveToAsync(offset, cancellationToken);
            var read = await _reading!.Body.ReadAsync(buffer, cancellationToken);
            if (read == 0)
                throw new SourceException(SourceFault.Broken, "The source ended the file before its announced length.", mayPass: true);

            _position += read;
            return read;
        }
        finally
        {
            _turn.Release();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_reading is { } reading)
            await reading.DisposeAsync();
        _turn.Dispose();
    }

    private async Task MoveToAsync(long offset, CancellationToken cancellationToken)
    {
        if (_reading is null || offset < _position || offset - _position > LongestSkip)
            await OpenAtAsync(offset, cancellationToken);

        // Also where a source without ranges began again at the start.
        var scratch = new byte[Math.Min(64 * 1024, offset - _position)];
        while (_position < offset)
        {
            var read = await _reading!.Body.ReadAsync(scratch.AsMemory(0, (int)Math.Min(scratch.Length, offset - _position)), cancellationToken);
            if (read == 0)
                throw new SourceException(SourceFault.Broken, "The source ended the file before its announced length.", mayPass: true);

            _position += read;
        }
    }

    private async Task OpenAtAsync(long offset, CancellationToken cancellationToken)
    {
        if (_reading is { } before)
        {
            _reading = null;
            await before.DisposeAsync();
        }

        var reading = await _source.OpenAsync(_address, offset, _validator, cancellationToken);
        if (reading.Validator != _validator || reading.Length is { } length && length != Length)
        {
            await reading.DisposeAsync();
            throw new SourceException(SourceFault.Broken, "The file at the source changed while it was read.", mayPass: true);
        }

        (_reading, _position) = (reading, reading.Offset);
    }
}
