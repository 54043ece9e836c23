using Vitrine.Catalogue.Database;
using Vitrine.Catalogue.Images;
using Vitrine.Images;

namespace Vitrine.UnitTests.Catalogue;

public sealed class ImageOrderTests
{
    private static readonly ImageSort Created = new(ImageSortKey.CreatedAt, Descending: true);
    private static readonly ImageSort Name = new(ImageSortKey.Name, Descending: false);
    private static readonly ImageSort Id = new(ImageSortKey.Id, Descending: false);

    public static TheoryData<ImageSort[], string> Orders => new()
    {
        { [], "created_at desc, id desc" },
        { [Created], "created_at desc, id desc" },
        { [Name], "name_key asc, id asc" },
        { [Name, Created], "name_key asc, created_at desc, id desc" },
        { [Created, Name], "created_at desc, name_key asc, id asc" },
        { [Name, Name with { Descending = true }], "name_key asc, id desc" },
        { [Name, Id, Created], "name_key asc, id asc" },
        { [Id with { Descending = true }], "id desc" },
    };

    [Theory, MemberData(nameof(Orders))]
    public void The_id_settles_ties_in_the_direction_of_the_last_key(ImageSort[] sort, string orderBy) =>
        Assert.Equal(orderBy, OrderBy(sort).OrderBy);

    [Fact]
    public void A_page_in_one_direction_begins_where_an_index_can_be_entered() =>
        Assert.Equal("(name_key, id) > (@p0_, @p1_)", OrderBy([Name]).After(SomeImage(), new Parameters()));

    [Fact]
    public void A_page_in_mixed_directions_begins_beyond_the_image_in_each_of_them() => Assert.Equal(
        "(name_key >= @p0_ and ((name_key > @p0_) or (name_key = @p0_ and created_at < @p1_) "
        + "or (name_key = @p0_ and created_at = @p1_ and id < @p2_)))",
        OrderBy([Name, Created]).After(SomeImage(), new Parameters()));

    private static ImageOrder OrderBy(ImageSort[] sort) =>
        new(new ImageQuery { Sight = new ImageSight(true, null, "default"), Sort = sort });

    private static Image SomeImage() => new()
    {
        Id = ImageId.New(),
        Owner = new("p"),
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };
}
