using System.Net;

namespace Vitrine.Client;

/// <summary>The library refused a request, could not be reached, or did not keep what it promises.</summary>
/// <remarks>
/// A refusal has a <see cref="Status"/> and says what the server said. Without one the network failed, or this client
/// found that something does not fit; then <see cref="Code"/> is one of <see cref="ClientCodes"/>.
/// </remarks>
public sealed class LibraryClientException : Exception
{
    internal LibraryClientException(string code, string message, string remedy, Exception? inner = null) : base(message, inner)
    {
        (Code, Remedy) = (code, remedy);
    }

    internal LibraryClientException(HttpStatusCode status, ProblemRecord problem) : base(problem.Detail)
    {
        (Status, Code, Field, Remedy, RequestId) = (status, problem.Code, problem.Field, problem.Remedy, problem.RequestId);
    }

    /// <summary>Null where no answer came.</summary>
    public HttpStatusCode? Status { get; }

    /// <summary>A word for the failure that never changes: <c>checksum-mismatch</c>.</summary>
    public string Code { get; }

    /// <summary>The field of the request that broke a rule; null where none did.</summary>
    public string? Field { get; }

    /// <summary>What can be done about it, as a sentence.</summary>
    public string Remedy { get; }

    /// <summary>Finds the request in the server's log; null where no answer came.</summary>
    public string? RequestId { get; }

    /// <summary>The same request may succeed a little later: the server restarts, or is busy with the same thing.</summary>
    public bool MayPass => Status is HttpStatusCode.RequestTimeout or HttpStatusCode.Locked or HttpStatusCode.TooManyRequests
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
        || (Status is null && Code is ClientCodes.Unreachable or ClientCodes.Stalled);
}

/// <summary>What this client itself finds wrong.</summary>
public static class ClientCodes
{
    /// <summary>No connection, or one that broke.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>The server kept the connection and sent nothing for too long.</summary>
    public const string Stalled = "stalled";

    /// <summary>There is neither a token nor anything to get one by.</summary>
    public const string NotLoggedIn = "not-logged-in";

    /// <summary>What answered is not a library.</summary>
    public const string NotALibrary = "not-a-library";

    /// <summary>What one end has is not what the other end has.</summary>
    public const string ChecksumMismatch = "checksum-mismatch";

    /// <summary>The file was changed while it was sent.</summary>
    public const string FileChanged = "file-changed";

    /// <summary>The transfer ended without content.</summary>
    public const string TransferFailed = "transfer-failed";

    /// <summary>The image has no content that could be pulled.</summary>
    public const string NoContent = "no-content";
}
