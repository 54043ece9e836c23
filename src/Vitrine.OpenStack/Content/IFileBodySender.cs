using Microsoft.AspNetCore.Http;

namespace Vitrine.OpenStack.Content;

/// <summary>Sends a file as the body of an answer without its bytes passing through this process, where a connection can.</summary>
/// <remarks>A feature of the connection, found in <see cref="HttpContext.Features"/>; absent where bytes must be copied.</remarks>
public interface IFileBodySender
{
    /// <summary>Sends the headers, if that was not done yet, and exactly <paramref name="length"/> bytes of the file.</summary>
    /// <param name="offset">Where in the file to begin, in bytes.</param>
    ValueTask SendAsync(HttpResponse response, FileStream file, long offset, long length, CancellationToken cancellationToken);
}
