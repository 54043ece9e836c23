using Vitrine.Images;

namespace Vitrine.Transfers;

/// <summary>Also thrown for a transfer that exists but that the caller may not know of.</summary>
public sealed class TransferNotFoundException(string id) : LibraryException($"There is no transfer {id}.")
{
    public string Id { get; } = id;

    public override string Code => "transfer-not-found";

    public override string Remedy => "List the transfers to find its id.";
}

/// <summary>The transfer's state does not allow this.</summary>
public sealed class TransferStateException(TransferId id, TransferState actual, string action)
    : LibraryException($"Transfer {id} is {actual.Word()}; {action}.")
{
    public TransferId Id { get; } = id;
    public TransferState Actual { get; } = actual;

    public override string Code => "transfer-state";

    public override string Remedy => "Look at the transfer; begin a new one if it is over.";
}

/// <summary>Another node, or a cancel, took the transfer away from the one that worked on it.</summary>
public sealed class TransferLostException(TransferId id) : LibraryException($"Transfer {id} is no longer this node's.")
{
    public TransferId Id { get; } = id;

    public override string Code => "transfer-lost";

    public override string Remedy => "Nothing needs to be done: whoever has it now goes on.";
}

/// <summary>The checksum that the publisher was to be asked for is not there.</summary>
public sealed class ChecksumNotPublishedException(string message) : LibraryException(message)
{
    public override string Code => "checksum-not-published";

    public override string Remedy => "State the checksum yourself, as the publisher shows it elsewhere, or import without one.";
}

/// <summary>The publisher's checksum is not signed by anybody who is trusted.</summary>
public sealed class ChecksumSignatureException(string message, Exception? inner = null) : LibraryException(message, inner)
{
    public override string Code => "checksum-signature";

    public override string Remedy => "Have the operator add the publisher's key to the keyring, or state the checksum yourself.";
}

/// <summary>The project has as many uploads that are not over as it may.</summary>
public sealed class TooManyUploadsException(long most) : LibraryException($"The project has {most} uploads that are not over, as many as it may have.")
{
    public override string Code => "too-many-uploads";

    public override string Remedy => "Bring some of them to their end or give them up, or ask the operator to raise the limit uploads-per-project.";
}

/// <summary>The upload goes on at another place than the one the client names.</summary>
public sealed class UploadOffsetException(TransferId id, long expected, long actual)
    : LibraryException($"Transfer {id} holds {expected} bytes, but the client goes on at {actual}.")
{
    public TransferId Id { get; } = id;
    public long Expected { get; } = expected;
    public long Actual { get; } = actual;

    public override string Code => "upload-offset";

    public override string Remedy => $"Ask for the offset and go on at {Expected}.";
}

/// <summary>Another request is sending to the same upload right now.</summary>
public sealed class UploadBusyException(TransferId id) : LibraryException($"Another request is sending to transfer {id}.")
{
    public TransferId Id { get; } = id;

    public override string Code => "upload-busy";

    public override string Remedy => "End the other request, or wait a moment and try again.";
}

/// <summary>The client went away in the middle of its only request.</summary>
public sealed class UploadInterruptedException(ImageId image) : LibraryException($"The upload of image {image} was broken off.")
{
    public ImageId Image { get; } = image;

    public override string Code => "upload-interrupted";

    public override string Remedy => "Upload again; a resumable upload goes on where it was.";
}

/// <summary>The client of a resumable upload did not come back.</summary>
public sealed class UploadExpiredException(TransferId id) : LibraryException($"Upload {id} was given up: no bytes came for too long.")
{
    public TransferId Id { get; } = id;

    public override string Code => "upload-expired";

    public override string Remedy => "Begin a new upload.";
}

/// <summary>The bytes of one request do not have the sum that the client announced; none of them was kept.</summary>
public sealed class UploadChecksumException(string algorithm) : LibraryException($"The bytes do not have the {algorithm} that was announced; none was kept.")
{
    public string Algorithm { get; } = algorithm;

    public override string Code => "upload-checksum";

    public override string Remedy => "Send the same bytes again, from the same offset.";
}

public sealed class UploadPartNotFoundException(TransferId upload, int number) : LibraryException($"Upload {upload} has no part {number}.")
{
    public TransferId Upload { get; } = upload;
    public int Number { get; } = number;

    public override string Code => "part-not-found";

    public override string Remedy => "List the parts of the upload; begin a new one.";
}

/// <summary>The parts of an upload do not make the whole.</summary>
public sealed class UploadPartsException(TransferId upload, string reason) : LibraryException($"The parts of upload {upload} do not make the whole: {reason}.")
{
    public TransferId Upload { get; } = upload;
    public string Reason { get; } = reason;

    public override string Code => "upload-parts";

    public override string Remedy => "Send what is missing, and name each part once, in its order.";
}
