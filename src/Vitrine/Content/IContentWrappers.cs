using Vitrine.Stores;

namespace Vitrine.Content;

/// <summary>Takes images out of the compressed files in which publishers offer them. No external program takes part.</summary>
/// <remarks>
/// The work is bounded by what goes in and what comes out, and so by whoever limits both; the memory is bounded whatever the
/// file says.
/// </remarks>
public interface IContentWrappers
{
    /// <summary>Begins to unpack.</summary>
    /// <param name="packed">The file as it was published. It stays the caller's, and open for as long as the image is read.</param>
    /// <param name="wrapper">As the inspection recognised it.</param>
    /// <exception cref="UnsafeContentException">It is damaged, has not exactly one member, or needs what is not supported.</exception>
    Task<UnpackedContent> OpenAsync(ContentReader packed, Wrapper wrapper, CancellationToken cancellationToken);
}

/// <summary>What is in a wrapper, from its first byte to its last.</summary>
public sealed class UnpackedContent(Stream body, long? length) : IAsyncDisposable
{
    /// <summary>
    /// Comes to its end only where the wrapper proves that all of it came, and nothing else; otherwise it throws
    /// <see cref="UnsafeContentException"/>.
    /// </summary>
    public Stream Body { get; } = body;

    /// <summary>What the wrapper says of the length, in bytes, and holds; null where it says nothing beforehand.</summary>
    public long? Length { get; } = length;

    public ValueTask DisposeAsync() => Body.DisposeAsync();
}
