namespace Vitrine.Formats.Wrappers;

/// <summary>Unpacks one file: takes packed bytes, gives what they mean, and knows nothing of where either lie.</summary>
internal abstract class Unpacker : IDisposable
{
    /// <param name="packed">What comes next of the file.</param>
    /// <param name="unpacked">Room for what it means; not empty.</param>
    /// <param name="isLast">Nothing follows the packed bytes.</param>
    /// <returns>Where nothing was taken and nothing given, more has to be offered than was.</returns>
    /// <exception cref="Content.UnsafeContentException">The file is refused.</exception>
    public abstract UnpackStep Unpack(ReadOnlySpan<byte> packed, Span<byte> unpacked, bool isLast);

    public abstract void Dispose();
}

/// <param name="IsOver">All of the file was taken, and what it means given.</param>
internal readonly record struct UnpackStep(int Taken, int Given, bool IsOver = false);
