using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Images;

namespace Vitrine.Catalogue.Images;

/// <summary>A member as its table has it, but for its place among the image's members.</summary>
internal sealed class MemberRow
{
    public string Image { get; init; } = "";
    public string Project { get; init; } = "";
    public string Status { get; init; } = "";
    public long CreatedAt { get; init; }
    public long UpdatedAt { get; init; }

    public static MemberRow From(ImageMember member) => new()
    {
        Image = member.Image.ToString(),
        Project = member.Project.Value,
        Status = member.Status.Word(),
        CreatedAt = Stored.Micros(member.CreatedAt),
        UpdatedAt = Stored.Micros(member.UpdatedAt),
    };

    public ImageMember ToMember() => new(
        ImageId.Parse(Image), new ProjectId(Project), Stored.Enum<MemberStatus>(Status), Stored.Time(CreatedAt), Stored.Time(UpdatedAt));
}
