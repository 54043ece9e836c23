namespace Vitrine.Server.Rest;

/// <summary>The headers of tus 1.0, the protocol of resumable uploads.</summary>
internal static class TusHeaders
{
    public const string Resumable = "Tus-Resumable";
    public const string Version = "Tus-Version";
    public const string Extension = "Tus-Extension";
    public const string MaxSize = "Tus-Max-Size";
    public const string Offset = "Upload-Offset";
    public const string Length = "Upload-Length";
    public const string Expires = "Upload-Expires";
    public const string Concat = "Upload-Concat";
    public const string Checksum = "Upload-Checksum";
    public const string ChecksumAlgorithm = "Tus-Checksum-Algorithm";
    public const string MethodOverride = "X-HTTP-Method-Override";

    public const string OnlyVersion = "1.0.0";
    public const string ContentType = "application/offset+octet-stream";
    public const string Extensions = "checksum,expiration,termination,concatenation";

    /// <summary>The status of bytes that do not have the sum that came with them; tus has chosen it, and HTTP knows it not.</summary>
    public const int ChecksumMismatch = 460;
}

/// <summary>The client speaks another version of tus, or none.</summary>
internal sealed class TusVersionException() : LibraryException($"Uploads are sent by tus {TusHeaders.OnlyVersion}.")
{
    public override string Code => "tus-version";

    public override string Remedy => $"Send the header {TusHeaders.Resumable}: {TusHeaders.OnlyVersion}.";
}
