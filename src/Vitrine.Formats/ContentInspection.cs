using System.Buffers;
using Vitrine.Content;
using Vitrine.Formats.Boot;
using Vitrine.Formats.Iso9660;
using Vitrine.Formats.Wrappers;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.Formats;

/// <summary>Looks at the start, at what the start's format points to, at where an ISO 9660 volume begins, and at the end.</summary>
/// <remarks>
/// The verdict does not depend on how the bytes were cut into calls: everything is judged when a certain position has been
/// reached, and positions are reached in order.
/// </remarks>
internal sealed class ContentInspection : FormatInspection
{
    private readonly byte[] _start = new byte[Signatures.StartLength];
    private readonly ContentTail _tail = new();
    private readonly VolumeRecognition _iso = new();
    private readonly PieceFeed _pieces;
    private Signature? _signature;
    private IFormatReader? _reader;
    private Wrapper? _wrapper;
    private long _position;
    private bool _isStartJudged;
    private bool _isVolumeJudged;

    /// <param name="findsRows">Whether somebody asks for <see cref="TakeRow"/>.</param>
    public ContentInspection(bool findsRows) => _pieces = new PieceFeed { Rows = findsRows ? new Queue<long>() : null };

    public override long? TakeRow() => _pieces.Rows is { } rows && rows.TryDequeue(out var row) ? row : null;

    public override void Observe(ReadOnlySpan<byte> bytes)
    {
        _tail.Observe(bytes);
        while (!bytes.IsEmpty)
        {
            var count = (int)Math.Min(bytes.Length, NextStop - _position);
            Take(bytes[..count]);
            bytes = bytes[count..];
        }
    }

    public override FormatVerdict Complete()
    {
        if (!_isStartJudged)
            JudgeStart();
        if (!_isVolumeJudged)
            JudgeVolume();

        var trailer = Signatures.FindTrailer(_tail.Bytes);
        if (trailer is not null && (_iso.IsFound || _wrapper is not null || !trailer.MayFollow(_signature)))
            throw Signatures.Polyglot(_signature?.Name ?? _wrapper?.Word() ?? "ISO 9660", trailer.Name);

        if (_reader is not null)
            return CompleteReader(_reader);
        if (trailer is not null)
            return trailer.Read(_tail.Bytes, _position);

        return _iso.IsFound
            ? new FormatVerdict(DiskFormat.Iso, VirtualSize: null, _iso.Label, _wrapper)
            : new FormatVerdict(DiskFormat.Raw, VirtualSize: null, Wrapper: _wrapper);
    }

    /// <summary>Looks at content that can be read anywhere, and reads of it what a look at all of it would have gone by.</summary>
    public async Task<FormatVerdict> InspectAsync(ContentReader content, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PieceFeed.MaxPiece);
        try
        {
            while (_position < content.Length)
            {
                if (FindNeed(content.Length) is var need && need.Start > _position)
                {
                    Skip(Math.Min(need.Start, NextStop));
                    continue;
                }

                var wanted = (int)Math.Min(need.End - _position, PieceFeed.MaxPiece);
                await content.ReadExactlyAsync("raw", _position, buffer.AsMemory(0, wanted), cancellationToken);
                Observe(buffer.AsSpan(0, wanted));
            }

            return Complete();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private long NextStop => !_isStartJudged ? Signatures.StartLength : !_isVolumeJudged ? VolumeRecognition.End : long.MaxValue;

    private void Take(ReadOnlySpan<byte> bytes)
    {
        if (!_isStartJudged)
            bytes.CopyTo(_start.AsSpan((int)_position));
        else
            _pieces.Observe(bytes);

        _iso.Pieces.Observe(bytes);
        MoveTo(_position + bytes.Length);
    }

    private void MoveTo(long position)
    {
        _position = position;
        if (_position == Signatures.StartLength)
            JudgeStart();
        else if (_position == VolumeRecognition.End)
            JudgeVolume();
    }

    private void Skip(long position)
    {
        _pieces.SkipTo(position);
        _iso.Pieces.SkipTo(position);
        MoveTo(position);
    }

    // The next bytes that matter to anybody: the start, a piece that is wanted, or the tail.
    private (long Start, long End) FindNeed(long length)
    {
        if (!_isStartJudged)
            return (_position, Math.Min(length, Signatures.StartLength));

        (long Start, long End) need = (Math.Max(_position, length - ContentTail.Capacity), length);
        foreach (var pieces in (ReadOnlySpan<PieceFeed>)[_pieces, _iso.Pieces])
        {
            if (pieces.Wanted is { } wanted && wanted.Start < need.Start)
                need = (wanted.Start, Math.Min(length, wanted.End));
        }

        return need;
    }

    private void JudgeStart()
    {
        _isStartJudged = true;
        var start = _start.AsSpan(0, (int)Math.Min(_position, Signatures.StartLength));
        TextContent.Refuse(start);

        _signature = Signatures.Find(start);
        _wrapper = WrapperSignatures.Find(start);
        if (_signature is not null && _wrapper is { } wrapper)
            throw Signatures.Polyglot(_signature.Name, wrapper.Word());

        if (_signature is null && _pieces.Rows is { } rows)
            MasterBootRecord.FindPartitions(start, rows);

        _reader = _signature?.BeginReading(_pieces);
        _pieces.Observe(start);
    }

    private void JudgeVolume()
    {
        _isVolumeJudged = true;
        if (_iso.IsFound && (_signature?.Name ?? _wrapper?.Word()) is { } name)
            throw Signatures.Polyglot(name, "ISO 9660");
    }

    private FormatVerdict CompleteReader(IFormatReader reader) => _pieces.IsWaiting
        ? throw Refusal.Truncated(_signature!.Name)
        : reader.Complete(_position, _tail.Bytes);
}
