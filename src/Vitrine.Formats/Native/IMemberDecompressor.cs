namespace Vitrine.Formats.Native;

/// <summary>A library that unfolds one member of a file after the other, and needs to be told where each begins.</summary>
internal interface IMemberDecompressor : IDisposable
{
    /// <summary>Takes some of the source and gives some of what it means.</summary>
    /// <param name="destination">Not empty.</param>
    /// <returns>
    /// Whether the member has ended, and all of it has been written. Otherwise the whole source was consumed or the whole
    /// destination written.
    /// </returns>
    /// <exception cref="InvalidDataException">The source is damaged.</exception>
    bool Decompress(ReadOnlySpan<byte> source, Span<byte> destination, out int consumed, out int written);

    /// <summary>Makes ready for another member.</summary>
    void Reset();
}
