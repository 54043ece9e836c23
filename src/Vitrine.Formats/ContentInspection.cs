using Vitrine.Content;
using Vitrine.Images;

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
    private readonly IsoVolume _iso = new();
    private readonly PieceFeed _pieces = new();
    private Signature? _signature;
    private IFormatReader? _reader;
    private long _position;
    private bool _isStartJudged;
    private bool _isVolumeJudged;

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
        if (trailer is not null && (_iso.IsFound || !trailer.MayFollow(_signature)))
            throw Signatures.Polyglot(_signature?.Name ?? "ISO 9660", trailer.Name);

        if (_reader is not null)
            return CompleteReader(_reader);
        if (trailer is not null)
            return trailer.Read(_tail.Bytes, _position);

        return new FormatVerdict(_iso.IsFound ? DiskFormat.Iso : DiskFormat.Raw, VirtualSize: null);
    }

    private long NextStop => !_isStartJudged ? Signatures.StartLength : !_isVolumeJudged ? IsoVolume.End : long.MaxValue;

    private void Take(ReadOnlySpan<byte> bytes)
    {
        if (!_isStartJudged)
            bytes.CopyTo(_start.AsSpan((int)_position));
        else
            _pieces.Observe(bytes);

        _iso.Observe(bytes);
        _position += bytes.Length;
        if (_position == Signatures.StartLength)
            JudgeStart();
        else if (_position == IsoVolume.End)
            JudgeVolume();
    }

    private void JudgeStart()
    {
        _isStartJudged = true;
        var start = _start.AsSpan(0, (int)Math.Min(_position, Signatures.StartLength));
        TextContent.Refuse(start);

        _signature = Signatures.Find(start);
        _reader = _signature?.BeginReading(_pieces);
        _pieces.Observe(start);
    }

    private void JudgeVolume()
    {
        _isVolumeJudged = true;
        if (_iso.IsFound && _signature is not null)
            throw Signatures.Polyglot(_signature.Name, "ISO 9660");
    }

    private FormatVerdict CompleteReader(IFormatReader reader) => _pieces.IsWaiting
        ? throw Refusal.Truncated(_signature!.Name)
        : reader.Complete(_position, _tail.Bytes);
}
