using Vitrine.Access;

namespace Vitrine.Images;

/// <summary>Also thrown for an image that exists but that the caller may not know of.</summary>
public sealed class ImageNotFoundException(string id) : LibraryException($"There is no image {id}.")
{
    /// <summary>What was asked for, which need not be an id at all.</summary>
    public string Id { get; } = id;

    public override string Code => "image-not-found";

    public override string Remedy => "List the images to find its id; it may belong to another project.";
}

public sealed class ImageStatusException(ImageId id, ImageStatus actual, ImageStatus required)
    : LibraryException($"Image {id} is {actual.Word()}; this needs it to be {required.Word()}.")
{
    public ImageId Id { get; } = id;
    public ImageStatus Actual { get; } = actual;
    public ImageStatus Required { get; } = required;

    public override string Code => "image-status";

    public override string Remedy => "Look at the image and at its transfer, and try again when the status fits.";
}

/// <summary>The image is disabled, so it cannot be used now.</summary>
public sealed class ImageDisabledException(ImageId id) : LibraryException($"Image {id} is disabled.")
{
    public ImageId Id { get; } = id;

    public override string Code => "image-disabled";

    public override string Remedy => "Enable it, or use another image.";
}

public sealed class ImageProtectedException(ImageId id) : LibraryException($"Image {id} is protected and cannot be deleted.")
{
    public ImageId Id { get; } = id;

    public override string Code => "image-protected";

    public override string Remedy => "Remove the protection first.";
}

/// <summary>The id that the creator chose is, or once was, another image's.</summary>
public sealed class ImageIdTakenException(ImageId id) : LibraryException($"An image with the id {id} exists or existed.")
{
    public ImageId Id { get; } = id;

    public override string Code => "image-id-taken";

    public override string Remedy => "Leave the id out; the library makes one.";
}

/// <summary>The same source is registered already in this project.</summary>
public sealed class DuplicateSourceException(ImageId existing)
    : LibraryException($"Image {existing} was made from the same address.")
{
    public ImageId Existing { get; } = existing;

    public override string Code => "duplicate-source";

    public override string Remedy => $"Use image {Existing}, or ask for a second record with allowDuplicate.";
}

/// <summary>The caller sees the image and may not do this to it.</summary>
public sealed class NotOwnerException(ImageId id) : LibraryException("You do not own this image.")
{
    public ImageId Id { get; } = id;

    public override string Code => "not-owner";

    public override string Remedy => "Ask the project that owns it.";
}

public sealed class MemberNotFoundException(ImageId id, ProjectId project)
    : LibraryException($"Image {id} is not shared with project {project}.")
{
    public ImageId Id { get; } = id;
    public ProjectId Project { get; } = project;

    public override string Code => "member-not-found";

    public override string Remedy => "List the members of the image.";
}

public sealed class DuplicateMemberException(ImageId id, ProjectId project)
    : LibraryException($"Image {id} is already shared with project {project}.")
{
    public ImageId Id { get; } = id;
    public ProjectId Project { get; } = project;

    public override string Code => "duplicate-member";

    public override string Remedy => "Nothing needs to be done.";
}

/// <summary>Members belong to images with the visibility shared.</summary>
public sealed class ImageNotSharedException(ImageId id) : LibraryException($"Image {id} is not of the visibility shared, so it has no members.")
{
    public ImageId Id { get; } = id;

    public override string Code => "image-not-shared";

    public override string Remedy => "Set the visibility to shared first.";
}

/// <summary>The tag is not on the image.</summary>
public sealed class TagNotFoundException(ImageId id, string tag) : LibraryException($"Image {id} has no tag '{tag}'.")
{
    public ImageId Id { get; } = id;
    public string Tag { get; } = tag;

    public override string Code => "tag-not-found";

    public override string Remedy => "List the tags of the image.";
}
