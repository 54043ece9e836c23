using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Vitrine.Access;
using Vitrine.Images;
using Vitrine.Stores;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of single images and of changes to them.</summary>
public abstract class ImageCatalogueContract(CatalogueFixture fixture)
{
    private static readonly DateTimeOffset Noon = Samples.Noon;

    private readonly ICatalogue _catalogue = fixture.Catalogue;
    private readonly IImageCatalogue _images = fixture.Images;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory, MemberData(nameof(Seeds))]
    public async Task Every_field_is_read_back_as_it_was_written(int seed)
    {
        var samples = new Samples(seed);
        for (var i = 0; i < 10; i++)
        {
            var image = samples.AnyImage();
            await SaveAsync(image);
            SameImage.Check(image with { Version = 1 }, await _images.FindAsync(image.Id, Stop));

            var changed = samples.AnyImage() with { Id = image.Id, Version = 1 };
            await SaveAsync(changed);
            SameImage.Check(changed with { Version = 2 }, await _images.FindAsync(image.Id, Stop));
        }
    }

    [Fact]
    public async Task An_image_may_have_as_many_tags_and_properties_of_the_greatest_length_as_the_rules_allow()
    {
        var image = Samples.NewImage() with
        {
            Tags = [.. Enumerable.Range(0, ImageRules.MaxTags).Select(i => $"{i}".PadRight(ImageRules.MaxTagLength, '日'))],
            Properties = Enumerable.Range(0, ImageRules.MaxProperties).ToImmutableSortedDictionary(
                i => $"{i}".PadRight(ImageRules.MaxPropertyNameLength, '日'),
                i => $"{i}".PadRight(ImageRules.MaxPropertyValueLength, '語')),
        };
        await SaveAsync(image);
        SameImage.Check(image with { Version = 1 }, await _images.FindAsync(image.Id, Stop));
    }

    [Fact]
    public async Task An_image_that_never_was_is_not_found() => Assert.Null(await _images.FindAsync(ImageId.New(), Stop));

    [Fact]
    public async Task An_id_is_never_used_again_even_after_its_image_was_deleted()
    {
        var image = await NewImageAsync();
        await Assert.ThrowsAsync<ImageIdTakenException>(() => SaveAsync(Samples.NewImage() with { Id = image.Id }));

        await SaveAsync(image.Delete(Noon));
        await Assert.ThrowsAsync<ImageIdTakenException>(() => SaveAsync(Samples.NewImage() with { Id = image.Id }));
    }

    [Fact]
    public async Task Of_a_deleted_image_its_record_stays_and_its_tags_properties_and_members_go()
    {
        var image = await NewImageAsync(Samples.NewImage() with
        {
            Tags = ["a"],
            Properties = ImmutableSortedDictionary<string, string>.Empty.Add("b", "c"),
            Visibility = Visibility.Shared,
        });
        await _images.AddMemberAsync(MemberOf(image), Stop);

        var deleted = image.Delete(Noon.AddHours(1));
        await SaveAsync(deleted);

        SameImage.Check(
            deleted with { Tags = [], Properties = ImmutableSortedDictionary<string, string>.Empty, Version = 2 },
            await _images.FindAsync(image.Id, Stop));
        Assert.Empty(await _images.ListMembersAsync(image.Id, Stop));
    }

    [Fact]
    public async Task Of_two_changes_of_one_version_the_second_is_refused_and_changes_nothing()
    {
        var image = await NewImageAsync();
        await SaveAsync(image with { Name = "first", Tags = ["first"] });
        await Assert.ThrowsAsync<ConcurrentChangeException>(() => SaveAsync(image with { Name = "second", Tags = ["second"] }));
        SameImage.Check(image with { Name = "first", Tags = ["first"], Version = 2 }, await _images.FindAsync(image.Id, Stop));
    }

    [Fact]
    public async Task A_change_of_an_image_that_is_not_there_is_refused() =>
        await Assert.ThrowsAsync<ConcurrentChangeException>(() => SaveAsync(Samples.NewImage() with { Version = 1 }));

    [Fact]
    public async Task No_change_is_lost_when_many_are_made_at_once()
    {
        const int Writers = 8, Each = 10;
        var id = (await NewImageAsync()).Id;

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (var made = 0; made < Each;)
                made += await TryTagAsync(id, $"{writer}-{made}") ? 1 : 0;
        }, Stop)));

        var image = await _images.FindAsync(id, Stop);
        Assert.Equal(Writers * Each, image!.Tags.Count);
        Assert.Equal(1 + Writers * Each, image.Version);
    }

    [Fact]
    public async Task A_reader_never_sees_the_tags_of_one_version_with_the_name_of_another()
    {
        var image = await NewImageAsync(Samples.NewImage() with { Name = "0", Tags = ["0"] });
        var query = new ImageQuery { Sight = new ImageSight(true, null, "default"), Ids = [image.Id] };
        using var written = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var writer = Task.Run(async () =>
        {
            for (var i = 1; i <= 150; i++)
            {
                await SaveAsync(image with { Name = $"{i}", Tags = [$"{i}"] });
                image = image with { Version = image.Version + 1 };
            }

            await written.CancelAsync();
        }, Stop);

        do
        {
            var found = await _images.FindAsync(image.Id, Stop);
            Assert.Equal([found!.Name!], found.Tags);
            var listed = Assert.Single(await _images.ListAsync(query, Stop));
            Assert.Equal([listed.Name!], listed.Tags);
        }
        while (!written.IsCancellationRequested);
        await writer;
    }

    [Fact]
    public async Task Of_many_images_with_one_source_that_are_made_at_once_there_will_be_one()
    {
        var images = Enumerable.Range(0, 100).Select(_ => Samples.NewImage() with { Owner = new("one"), SourceKey = "https://race/" }).ToList();
        var outcomes = await Task.WhenAll(images.Select(image => Task.Run(async () => await Record.ExceptionAsync(() => SaveAsync(image)), Stop)));

        var winner = Assert.Single(images.Zip(outcomes), pair => pair.Second is null).First;
        Assert.All(outcomes.Where(o => o is not null), o => Assert.Equal(winner.Id, Assert.IsType<DuplicateSourceException>(o).Existing));
        Assert.Equal(winner.Id, (await _images.FindBySourceAsync(new("one"), "https://race/", Stop))?.Id);
    }

    [Fact]
    public async Task A_source_is_free_for_other_projects_and_again_once_its_image_has_failed_or_was_deleted()
    {
        var owner = ProjectId.New();
        var first = await NewImageAsync(Samples.NewImage() with { Owner = owner, SourceKey = "s", Status = ImageStatus.Importing });
        await NewImageAsync(Samples.NewImage() with { SourceKey = "s" });

        await SaveAsync(first.Fail(Noon));
        var second = await NewImageAsync(Samples.NewImage() with { Owner = owner, SourceKey = "s" });
        await SaveAsync(second.Delete(Noon));
        var third = await NewImageAsync(Samples.NewImage() with { Owner = owner, SourceKey = "s" });

        Assert.Equal(third.Id, (await _images.FindBySourceAsync(owner, "s", Stop))?.Id);
        Assert.Null(await _images.FindBySourceAsync(owner, "S", Stop));
    }

    [Fact]
    public async Task A_change_that_would_give_an_image_the_source_of_another_is_refused()
    {
        var first = await NewImageAsync(Samples.NewImage() with { SourceKey = "s" });
        var second = await NewImageAsync(Samples.NewImage() with { Owner = first.Owner });
        var refused = await Assert.ThrowsAsync<DuplicateSourceException>(() => SaveAsync(second with { SourceKey = "s" }));
        Assert.Equal(first.Id, refused.Existing);
    }

    [Fact]
    public async Task A_change_is_made_as_a_whole_or_not_at_all()
    {
        var image = await NewImageAsync();
        var stale = Samples.NewTransfer(image.Id) with { Version = 7 };
        var replica = new Replica(image.Id, "main", ReplicaState.Ready, Samples.NewDigest(), 5, Noon);

        await Assert.ThrowsAsync<ConcurrentChangeException>(() => _catalogue.SaveAsync(
            new() { Image = image with { Name = "new", Tags = ["new"] }, Transfers = [stale], Replicas = [replica] }, Stop));

        SameImage.Check(image, await _images.FindAsync(image.Id, Stop));
        Assert.Empty(await fixture.Replicas.ListAsync([image.Id], Stop));
    }

    [Fact]
    public async Task A_write_whose_caller_goes_away_changes_nothing()
    {
        var image = await NewImageAsync();
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _catalogue.SaveAsync(new() { Image = image with { Name = "new" } }, gone.Token));
        SameImage.Check(image, await _images.FindAsync(image.Id, Stop));
    }

    [Fact]
    public async Task Members_are_listed_in_the_order_in_which_they_were_added()
    {
        var image = await NewImageAsync();
        var added = Enumerable.Range(0, 20).Select(_ => MemberOf(image)).ToList();
        foreach (var member in added)
            await _images.AddMemberAsync(member, Stop);

        Assert.Equal(added, await _images.ListMembersAsync(image.Id, Stop));
        Assert.Equal(added[7], await _images.FindMemberAsync(image.Id, added[7].Project, Stop));
    }

    [Fact]
    public async Task A_member_is_added_once_however_often_it_is_tried_at_once()
    {
        var member = MemberOf(await NewImageAsync());
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
            Task.Run(async () => await Record.ExceptionAsync(() => _images.AddMemberAsync(member, Stop)), Stop)));

        Assert.Single(outcomes, outcome => outcome is null);
        Assert.Equal(19, outcomes.OfType<DuplicateMemberException>().Count());
        Assert.Equal([member], await _images.ListMembersAsync(member.Image, Stop));
    }

    [Fact]
    public async Task A_member_changes_its_answer_and_goes()
    {
        var member = MemberOf(await NewImageAsync());
        await _images.AddMemberAsync(member, Stop);

        var accepted = member with { Status = MemberStatus.Accepted, UpdatedAt = Noon.AddDays(1) };
        await _images.SaveMemberAsync(accepted, Stop);
        Assert.Equal(accepted, await _images.FindMemberAsync(member.Image, member.Project, Stop));

        Assert.True(await _images.DeleteMemberAsync(member.Image, member.Project, Stop));
        Assert.False(await _images.DeleteMemberAsync(member.Image, member.Project, Stop));
        await _images.SaveMemberAsync(accepted, Stop);
        Assert.Null(await _images.FindMemberAsync(member.Image, member.Project, Stop));
    }

    [Fact]
    public async Task An_image_that_is_not_there_or_is_deleted_gets_no_member()
    {
        var image = await NewImageAsync();
        await SaveAsync(image.Delete(Noon));
        await Assert.ThrowsAsync<ImageNotFoundException>(() => _images.AddMemberAsync(MemberOf(image), Stop));
        await Assert.ThrowsAsync<ImageNotFoundException>(() => _images.AddMemberAsync(MemberOf(Samples.NewImage()), Stop));
    }

    // The texts are escaped, because half a surrogate pair does not survive in an attribute.
    [Theory]
    [InlineData(@"\u0000")]
    [InlineData(@"a\u0000b")]
    [InlineData(@"\ud800")]
    [InlineData(@"\udc00\ud800")]
    public async Task What_no_database_can_hold_is_simply_not_there(string escaped)
    {
        var text = Regex.Unescape(escaped);
        var image = await NewImageAsync(Samples.NewImage() with { Name = "a", Tags = ["a"] });
        var all = new ImageQuery { Sight = new ImageSight(true, null, "default"), Ids = [image.Id] };

        Assert.Null(await _images.FindBySourceAsync(new ProjectId(text), text, Stop));
        Assert.Null(await _images.FindMemberAsync(image.Id, new ProjectId(text), Stop));
        Assert.False(await _images.DeleteMemberAsync(image.Id, new ProjectId(text), Stop));
        Assert.Empty(await _images.ListAsync(all with { Names = [text] }, Stop));
        Assert.Single(await _images.ListAsync(all with { Names = [text, "a"] }, Stop));
        Assert.Empty(await _images.ListAsync(all with { NameContains = text }, Stop));
        Assert.Empty(await _images.ListAsync(all with { Tags = [text] }, Stop));
        Assert.Empty(await _images.ListAsync(all with { Properties = new Dictionary<string, string> { ["a"] = text } }, Stop));
        Assert.Empty(await _images.ListAsync(all with { Owner = new ProjectId(text) }, Stop));
        Assert.Empty(await _images.ListAsync(all with { Md5 = text }, Stop));
        Assert.Empty(await _images.ListAsync(all with { Sha256 = text }, Stop));
    }

    private async Task<bool> TryTagAsync(ImageId id, string tag)
    {
        var image = (await _images.FindAsync(id, Stop))!;
        try
        {
            await SaveAsync(image with { Tags = image.Tags.Add(tag) });
            return true;
        }
        catch (ConcurrentChangeException)
        {
            return false;
        }
    }

    private async Task<Image> NewImageAsync(Image? image = null)
    {
        image ??= Samples.NewImage();
        await SaveAsync(image);
        return image with { Version = 1 };
    }

    private Task SaveAsync(Image image) => _catalogue.SaveAsync(new() { Image = image }, Stop);

    private static ImageMember MemberOf(Image image) => new(image.Id, ProjectId.New(), MemberStatus.Pending, Noon, Noon);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}

public sealed class SqliteImageCatalogueTests(SqliteFixture fixture) : ImageCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresImageCatalogueTests(PostgresFixture fixture) : ImageCatalogueContract(fixture), IClassFixture<PostgresFixture>;
