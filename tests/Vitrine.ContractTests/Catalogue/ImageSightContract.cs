using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of who finds what in a list.</summary>
public abstract class ImageSightContract(CatalogueFixture fixture)
{
    private static readonly ProjectId Owner = new("owner");
    private static readonly ProjectId Other = new("other");

    // The image belongs to the project "owner" of the domain "default", and the looker's membership is as it says.
    // A looker sees the images by the rules of its row: P private, S shared, C community, U public.
    [Theory]
    // looker, domain, member, looks for, community, sees
    [InlineData("admin", "default", null, "accepted", false, "PSCU")]
    [InlineData("admin", "elsewhere", null, "accepted", false, "PSCU")]
    [InlineData("owner", "default", null, "accepted", false, "PSCU")]
    [InlineData("owner", "elsewhere", null, "accepted", false, "PSCU")]
    [InlineData("other", "default", null, "accepted", false, "U")]
    [InlineData("other", "default", null, "accepted", true, "CU")]
    [InlineData("other", "default", null, null, true, "CU")]
    [InlineData("other", "elsewhere", null, "accepted", false, "")]
    [InlineData("other", "elsewhere", null, "accepted", true, "C")]
    [InlineData("other", "default", "accepted", "accepted", false, "SU")]
    [InlineData("other", "elsewhere", "accepted", "accepted", false, "S")]
    [InlineData("other", "default", "accepted", "pending", false, "U")]
    [InlineData("other", "default", "accepted", "rejected", false, "U")]
    [InlineData("other", "default", "accepted", null, false, "SU")]
    [InlineData("other", "default", "pending", "accepted", false, "U")]
    [InlineData("other", "default", "pending", "pending", false, "SU")]
    [InlineData("other", "default", "pending", null, false, "SU")]
    [InlineData("other", "default", "rejected", "accepted", false, "U")]
    [InlineData("other", "default", "rejected", "rejected", false, "SU")]
    [InlineData("other", "default", "rejected", null, true, "SCU")]
    [InlineData("nobody", "default", null, "accepted", false, "U")]
    [InlineData("nobody", "default", null, null, true, "CU")]
    [InlineData("nobody", "elsewhere", null, null, false, "")]
    public async Task An_image_is_found_by_those_who_may_see_it(
        string looker, string domain, string? member, string? looksFor, bool community, string sees)
    {
        var images = await MakeAsync(member);
        var sight = new ImageSight(
            Everything: looker == "admin",
            looker switch { "owner" => Owner, "other" => Other, _ => null },
            domain,
            looksFor is null ? null : EnumWords.Parse<MemberStatus>(looksFor, "looksFor"),
            community);

        var query = new ImageQuery { Sight = sight, Ids = [.. images.Values.Select(image => image.Id)] };
        Assert.Equal(sees, Letters(images, await fixture.Images.ListAsync(query, Stop)));

        // Asking for one visibility, or for the owner's, changes nothing about what may be seen.
        foreach (var (letter, image) in images)
        {
            var some = await fixture.Images.ListAsync(query with { Visibility = image.Visibility }, Stop);
            Assert.Equal(sees.Contains(letter, StringComparison.Ordinal) ? $"{letter}" : "", Letters(images, some));
        }

        Assert.Equal(sees, Letters(images, await fixture.Images.ListAsync(query with { Owner = Owner }, Stop)));
        Assert.Empty(await fixture.Images.ListAsync(query with { Owner = Other }, Stop));
    }

    [Fact]
    public async Task A_deleted_image_is_found_by_nobody_in_no_list()
    {
        var images = await MakeAsync("accepted");
        foreach (var image in images.Values)
            await fixture.Catalogue.SaveAsync(new() { Image = image.Delete(Samples.Noon) }, Stop);

        IReadOnlyList<ImageId> ids = [.. images.Values.Select(image => image.Id)];
        foreach (var sight in new ImageSight[] { new(true, null, "default"), new(false, Owner, "default"), new(false, Other, "default", null, true) })
        {
            Assert.Empty(await fixture.Images.ListAsync(new() { Sight = sight, Ids = ids }, Stop));
            Assert.Empty(await fixture.Images.ListAsync(new() { Sight = sight, Ids = ids, Statuses = [new(ImageStatus.Deleted)] }, Stop));
        }
    }

    private async Task<Dictionary<char, Image>> MakeAsync(string? member)
    {
        var images = new Dictionary<char, Image>();
        foreach (var visibility in Enum.GetValues<Visibility>())
        {
            var image = Samples.NewImage() with { Owner = Owner, Visibility = visibility };
            await fixture.Catalogue.SaveAsync(new() { Image = image }, Stop);
            if (member is not null)
                await fixture.Images.AddMemberAsync(
                    new(image.Id, Other, EnumWords.Parse<MemberStatus>(member, "member"), Samples.Noon, Samples.Noon), Stop);
            images[Letter(visibility)] = image with { Version = 1 };
        }

        return images;
    }

    private static string Letters(Dictionary<char, Image> images, IReadOnlyList<Image> found) =>
        string.Concat(images.Where(pair => found.Any(image => image.Id == pair.Value.Id)).Select(pair => pair.Key));

    private static char Letter(Visibility visibility) => visibility switch
    {
        Visibility.Private => 'P',
        Visibility.Shared => 'S',
        Visibility.Community => 'C',
        Visibility.Public => 'U',
        _ => throw new ArgumentOutOfRangeException(nameof(visibility)),
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}

public sealed class SqliteImageSightTests(SqliteFixture fixture) : ImageSightContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresImageSightTests(PostgresFixture fixture) : ImageSightContract(fixture), IClassFixture<PostgresFixture>;
