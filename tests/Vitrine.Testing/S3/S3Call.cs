namespace Vitrine.Testing.S3;

/// <summary>What a client may ask a server of objects for.</summary>
public enum S3Call
{
    Get,
    Head,
    Put,
    Delete,
    List,
    BeginUpload,
    PutPart,
    CopyPart,
    CompleteUpload,
    AbortUpload,
    ListUploads,
    Unknown,
}

/// <summary>A request as it arrived.</summary>
public sealed record SeenCall(S3Call Call, string Key, string? Range, string? IfMatch);
