using System.Data.Common;
using Dapper;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Catalogue.Stores;
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

    /// <summary>Puts a member behind those that its image has.</summary>
    public static Task InsertAsync(MemberRow row, DbTransaction transaction, CancellationToken cancellationToken) =>
        transaction.Connection!.ExecuteAsync(new CommandDefinition(
            $"""
            insert into image_members ({Row<MemberRow>.Columns}, position)
            values ({Row<MemberRow>.Parameters}, (select coalesce(max(position), 0) + 1 from image_members where image = @Image));
            {DescriptionCatalogue.DescribeAnew}
            """,
            row, transaction, cancellationToken: cancellationToken));

    public ImageMember ToMember() => new(
        ImageId.Parse(Image), new ProjectId(Project), Stored.Enum<MemberStatus>(Status), Stored.Time(CreatedAt), Stored.Time(UpdatedAt));
}
