using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;

namespace Vitrine.Stores.Objects.S3;

/// <summary>Says in the domain's words what a server of objects, or the network before it, says in its own.</summary>
internal sealed class S3Errors(string store)
{
    private const int LongestCode = 64;

    public string Store => store;

    /// <summary>Whether the same request may succeed later.</summary>
    public static bool IsPassing(Exception error) => error switch
    {
        // The answer broke off in the middle, or was none of the protocol's.
        AmazonUnmarshallingException => true,
        AmazonServiceException { ErrorCode: "SlowDown" or "RequestTimeout" or "OperationAborted" } => true,
        // The bytes were changed on their way.
        AmazonServiceException { ErrorCode: "BadDigest" or "XAmzContentSHA256Mismatch" } => true,
        AmazonServiceException { StatusCode: HttpStatusCode.InsufficientStorage or HttpStatusCode.NotImplemented } => false,
        AmazonServiceException { StatusCode: >= HttpStatusCode.InternalServerError or HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout } => true,
        // No status at all: there was no answer.
        AmazonServiceException { StatusCode: < HttpStatusCode.Continue } => true,
        AmazonServiceException => false,
        // What the client says of bodies that are shorter than announced.
        AmazonClientException => true,
        // The socket's own where a connection is reset as soon as it is made.
        HttpRequestException or IOException or SocketException or TimeoutException or OperationCanceledException => true,
        _ => false,
    };

    /// <param name="needed">How many bytes were to be written; null where none were.</param>
    public LibraryException Explain(Exception error, long? needed = null) => error switch
    {
        // radosgw says QuotaExceeded, Swift answers 413 where a quota is used up.
        AmazonServiceException { ErrorCode: "QuotaExceeded" } or
        AmazonServiceException { StatusCode: HttpStatusCode.InsufficientStorage or HttpStatusCode.RequestEntityTooLarge } =>
            new StoreFullException(store, needed, free: null, error),
        _ => Unavailable(Reason(error), error),
    };

    public StoreUnavailableException Unavailable(string reason, Exception? inner = null) => new(store, reason, inner);

    private static string Reason(Exception error) => error switch
    {
        AmazonUnmarshallingException => "its server's answer cannot be understood.",
        AmazonServiceException { ErrorCode: "NoSuchBucket" } => "its bucket is not there.",
        AmazonServiceException { ErrorCode: "RequestTimeTooSkewed" } => "the clocks of this machine and of its server differ.",
        AmazonServiceException { ErrorCode: "SlowDown" } => "its server is overloaded.",
        AmazonServiceException { StatusCode: HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden } refused =>
            $"its server refuses the access key, or what it asks for ({Code(refused)}).",
        AmazonServiceException { StatusCode: >= HttpStatusCode.Continue } failed => $"its server answers {(int)failed.StatusCode} ({Code(failed)}).",
        OperationCanceledException or TimeoutException => "its server does not answer in time.",
        AmazonClientException or HttpRequestException or IOException or SocketException => "its server cannot be reached, or breaks off.",
        _ => "its server's answer cannot be understood.",
    };

    // The server chooses the code, and it is shown to people.
    private static string Code(AmazonServiceException error) =>
        error.ErrorCode is { Length: > 0 and <= LongestCode } code && code.All(char.IsAsciiLetterOrDigit) ? code : "without a code";
}
