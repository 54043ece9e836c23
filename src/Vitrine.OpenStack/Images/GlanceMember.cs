using Vitrine.Images;

namespace Vitrine.OpenStack.Images;

/// <summary>A project an image is shared with, as Glance v2 spells it.</summary>
internal sealed record GlanceMember(string MemberId, string ImageId, string Status, string CreatedAt, string UpdatedAt, string Schema)
{
    public static GlanceMember From(ImageMember member) => new(
        member.Project.Value, member.Image.ToString(), member.Status.Word(),
        GlanceTime.Of(member.CreatedAt), GlanceTime.Of(member.UpdatedAt), "/v2/schemas/member");
}

internal sealed record GlanceMemberList(IReadOnlyList<GlanceMember> Members, string Schema);
