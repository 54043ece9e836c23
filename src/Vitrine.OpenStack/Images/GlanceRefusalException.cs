using Microsoft.AspNetCore.Http;

namespace Vitrine.OpenStack.Images;

/// <summary>A request that Glance's protocol refuses before, or beside what, the library has to say about it.</summary>
internal sealed class GlanceRefusalException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;

    public static GlanceRefusalException BadRequest(string message) => new(StatusCodes.Status400BadRequest, message);

    public static GlanceRefusalException Forbidden(string message) => new(StatusCodes.Status403Forbidden, message);

    public static GlanceRefusalException NotFound(string message) => new(StatusCodes.Status404NotFound, message);

    public static GlanceRefusalException Conflict(string message) => new(StatusCodes.Status409Conflict, message);

    public static GlanceRefusalException TooLarge(string message) => new(StatusCodes.Status413PayloadTooLarge, message);
}
