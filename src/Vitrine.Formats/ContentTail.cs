namespace Vitrine.Formats;

/// <summary>The last bytes that have passed.</summary>
internal sealed class ContentTail
{
    /// <summary>The longest trailer of all formats: the footer of a stream-optimized VMDK, three sectors.</summary>
    public const int Capacity = 3 * 512;

    private readonly byte[] _bytes = new byte[Capacity];
    private int _count;

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _count);

    public void Observe(ReadOnlySpan<byte> bytes)
    {
        var added = bytes.Length <= Capacity ? bytes : bytes[^Capacity..];
        var kept = Math.Min(_count, Capacity - added.Length);
        _bytes.AsSpan(_count - kept, kept).CopyTo(_bytes);
        added.CopyTo(_bytes.AsSpan(kept));
        _count = kept + added.Length;
    }
}
