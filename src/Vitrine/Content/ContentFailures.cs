namespace Vitrine.Content;

/// <summary>The bytes that came are not the bytes that were announced.</summary>
public sealed class ContentMismatchException(Checksum expected, string actual)
    : LibraryException($"The bytes do not match: expected {expected}, got {expected.Algorithm.Name()}:{actual}.")
{
    public Checksum Expected { get; } = expected;
    public string Actual { get; } = actual;

    public override string Code => "checksum-mismatch";

    public override string Remedy => "Compare the checksum with the publisher's; if it is right, the file was altered on its way.";
}

/// <summary>The content ended before or went on after the length that was announced for it.</summary>
public sealed class ContentLengthException(long expected, long actual)
    : LibraryException($"{expected} bytes were announced, but {actual} came.")
{
    public long Expected { get; } = expected;
    public long Actual { get; } = actual;

    public override string Code => "length-mismatch";

    public override string Remedy => "Send the file again, with the length that it has.";
}

/// <summary>There was not one byte.</summary>
public sealed class ContentEmptyException() : LibraryException("The content is empty: an image has at least one byte.")
{
    public override string Code => "empty-content";

    public override string Remedy => "Check that the source is the image file itself.";
}

/// <summary>The image has no content, or its store has lost it.</summary>
public sealed class ContentMissingException(string what) : LibraryException($"{what} has no content.")
{
    public override string Code => "content-missing";

    public override string Remedy => "Upload or import content first.";
}

/// <summary>The bytes are not of the format that was claimed for them.</summary>
public sealed class FormatMismatchException(string claimed, string found)
    : LibraryException($"The image was declared {claimed}, but its content is {found}.")
{
    public string Claimed { get; } = claimed;
    public string Found { get; } = found;

    public override string Code => "format-mismatch";

    public override string Remedy => $"Register it as {Found}, or find out why the file is not {Claimed}.";
}

/// <summary>The bytes are of a known format, and use something in it that is not safe or not understood.</summary>
public sealed class UnsafeContentException(string feature, string reason) : LibraryException($"The content is refused: {reason}")
{
    /// <summary>What is not safe, as <c>qcow2-backing-file</c>.</summary>
    public string Feature { get; } = feature;

    public override string Code => "unsafe-feature";

    public override string Remedy => Feature switch
    {
        "truncated" or "wrapper-damaged" or "qcow2-damaged" => "Fetch the file again from where it was published, and compare its checksum: it is not whole.",
        "zip-many-members" or "wrapper-nested" or "zip-encrypted" => "Pack the disk alone, once and without a password, or send it unpacked.",
        _ => "Make a self-contained image without this feature, for example by converting it where it was made.",
    };
}

/// <summary>The bytes are plainly something else than an image, such as a web page.</summary>
public sealed class NotAnImageException(string found) : LibraryException($"The content is {found}, not an image.")
{
    public string Found { get; } = found;

    public override string Code => "not-an-image";

    public override string Remedy => "Give the address of the file itself; the source may be showing a login or error page.";
}
