namespace Vitrine.Formats;

/// <summary>Looks where ISO 9660 (ECMA-119, 8.1) puts its volume descriptors: every 2 KiB from 32 KiB on.</summary>
/// <remarks>
/// <code>
///  0x8000  1         6         7
///  +------+---------+---------+-----
///  | type |  CD001  | version |  …        the same again at 0x8800 and 0x9000
///  +------+---------+---------+-----
/// </code>
/// The system area before them is the producer's, so that boot records and partition tables of hybrid media may lie in it.
/// </remarks>
internal sealed class IsoVolume
{
    /// <summary>The position at which all that is looked for has passed.</summary>
    public const long End = Third + 5;

    private const long First = 0x8001;
    private const long Second = 0x8801;
    private const long Third = 0x9001;

    private readonly PieceFeed _pieces = new();

    public IsoVolume() => Look(First, next: _ => Look(Second, next: _ => Look(Third, next: null)));

    public bool IsFound { get; private set; }

    public void Observe(ReadOnlySpan<byte> bytes) => _pieces.Observe(bytes);

    private void Look(long offset, PieceHandler? next) => _pieces.Want(offset, "CD001"u8.Length, piece =>
    {
        IsFound |= piece.SequenceEqual("CD001"u8);
        next?.Invoke(piece);
    });
}
