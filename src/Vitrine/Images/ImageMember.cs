using Vitrine.Access;

namespace Vitrine.Images;

/// <summary>A project an image is shared with, and its answer.</summary>
public sealed record ImageMember(
    ImageId Image, ProjectId Project, MemberStatus Status, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

public enum MemberStatus
{
    /// <summary>Not answered: the member may use the image, but does not find it in its lists.</summary>
    Pending,
    Accepted,
    Rejected,
}
