using Vitrine.Content;

namespace Vitrine.Formats;

/// <summary>Reads one format's header from the pieces that it has asked for.</summary>
internal interface IFormatReader
{
    /// <summary>Called once all pieces have been read and the content has ended.</summary>
    /// <param name="length">Of the whole content.</param>
    /// <param name="tail">Its last bytes: <see cref="ContentTail.Capacity"/> of them, or all if there are fewer.</param>
    FormatVerdict Complete(long length, ReadOnlySpan<byte> tail);
}
