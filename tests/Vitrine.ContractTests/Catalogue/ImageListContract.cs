using System.Collections.Immutable;
using Vitrine.Access;
using Vitrine.Catalogue.Images;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of lists: the same answer as reading all images would give, page by page.</summary>
public abstract class ImageListContract(CatalogueFixture fixture)
{
    private const int Images = 150;
    private const int Queries = 300;

    private static readonly ImmutableArray<ProjectId> Projects = [new("p1"), new("p2"), new("p3")];
    private static readonly ImmutableArray<string> Domains = ["default", "other"];
    private static readonly ImmutableArray<string> Words = ["", "a", "A", "ab", "Äb", "äB", "%", "_", "a%b", "\\", "'", "🦆", "\uffff", "日本語"];
    private static readonly ImmutableArray<DateTimeOffset> Times = [.. Enumerable.Range(0, 4).Select(i => Samples.Noon.AddMicroseconds(i))];
    private static readonly ImmutableArray<Digest> Digests = [Digest.Of([1]), Digest.Of([2])];

    private readonly Samples _samples = new(20_250_517);

    [Fact]
    public async Task Every_query_is_answered_as_if_every_image_had_been_looked_at()
    {
        var images = Enumerable.Range(0, Images).Select(_ => AnyImage()).ToList();
        var members = images.SelectMany(AnyMembers).ToList();
        await SaveAsync(images, members);
        var oracle = new ImageListOracle(images, members);

        // The catalogue goes one way where few images can be in the answer, and another where many can. Here, 150 are either.
        var ways = new[] { fixture.Images, new ImageCatalogue(fixture.Database, few: 3) };
        var found = 0;
        for (var i = 0; i < Queries; i++)
        {
            var query = AnyQuery(images);
            var expected = oracle.Answer(query).Select(image => image.Id).ToList();
            Assert.Equal(expected, await ReadAllPagesAsync(query, ways[i % ways.Length]));
            found += expected.Count;
        }

        // A test in which nothing is ever found would prove nothing.
        Assert.InRange(found, 5 * Queries, Images * Queries);
    }

    private async Task<List<ImageId>> ReadAllPagesAsync(ImageQuery query, IImageCatalogue catalogue)
    {
        var all = new List<ImageId>();
        IReadOnlyList<Image> page;
        do
        {
            page = await catalogue.ListAsync(query, Stop);
            Assert.InRange(page.Count, 0, query.Limit);
            all.AddRange(page.Select(image => image.Id));
            query = query with { After = page.Count > 0 ? page[^1] : null };
        }
        while (page.Count == query.Limit);
        return all;
    }

    private Image AnyImage()
    {
        var image = _samples.AnyImage();
        return image with
        {
            Owner = _samples.OneOf<ProjectId>(Projects),
            Domain = _samples.OneOf<string>(Domains),
            Name = _samples.Chance(0.1) ? null : _samples.OneOf<string>(Words),
            Description = "",
            Status = _samples.Any<ImageStatus>(),
            Hardware = image.Hardware with { MinDisk = _samples.Number(3), MinMemory = _samples.Number(3) },
            Tags = [.. _samples.Some(Words, 3)],
            Properties = _samples.Some(Words, 3).ToImmutableSortedDictionary(name => name, _ => _samples.OneOf<string>(Words)),
            SourceKey = null,
            Size = _samples.Chance(0.3) ? null : _samples.Number(4),
            Content = _samples.Chance(0.3) ? null : AnyContent(),
            CreatedAt = _samples.OneOf<DateTimeOffset>(Times),
            UpdatedAt = _samples.OneOf<DateTimeOffset>(Times),
        };
    }

    private ContentFacts AnyContent()
    {
        var digest = _samples.OneOf<Digest>(Digests);
        return new ContentFacts(digest, 1, digest.Hex[..32], digest.Hex + digest.Hex, DiskFormat.Raw, null);
    }

    private IEnumerable<ImageMember> AnyMembers(Image image) => image.Status is ImageStatus.Deleted
        ? []
        : _samples.Some(Projects, 2).Select(project =>
            new ImageMember(image.Id, project, _samples.Any<MemberStatus>(), Samples.Noon, Samples.Noon)).ToList();

    private ImageQuery AnyQuery(IReadOnlyList<Image> images)
    {
        var query = new ImageQuery
        {
            Sight = new ImageSight(
                Everything: _samples.Chance(0.3),
                _samples.Chance(0.9) ? _samples.OneOf<ProjectId>(Projects) : null,
                _samples.OneOf<string>(Domains),
                _samples.Chance(0.5) ? _samples.Any<MemberStatus>() : null,
                Community: _samples.Chance(0.5)),
            Sort = [.. Enumerable.Range(0, _samples.Number(4)).Select(_ => new ImageSort(_samples.Any<ImageSortKey>(), _samples.Chance(0.5)))],
            Limit = 1 + _samples.Number(30),
        };
        for (var filters = _samples.Number(3); filters > 0; filters--)
            query = WithAnyFilter(query, images);

        return query;
    }

    private ImageQuery WithAnyFilter(ImageQuery query, IReadOnlyList<Image> images)
    {
        Func<ImageQuery>[] filters =
        [
            () => query with { Names = [.. _samples.Some(Words, 5)] },
            () => query with { NameContains = _samples.OneOf<string>(Words) },
            () => query with { Ids = [.. _samples.Some(images, 60).Select(image => image.Id), ImageId.New()] },
            () => query with { Statuses = [AnyStatus(), AnyStatus()] },
            () => query with { Kinds = [_samples.Any<ImageKind>(), _samples.Any<ImageKind>()] },
            () => query with { DiskFormats = [_samples.Any<DiskFormat>(), _samples.Any<DiskFormat>()] },
            () => query with { ContainerFormats = [_samples.Any<ContainerFormat>(), _samples.Any<ContainerFormat>()] },
            () => query with { Architecture = _samples.Any<CpuArchitecture>() },
            () => query with { Owner = _samples.OneOf<ProjectId>(Projects) },
            () => query with { Visibility = _samples.Any<Visibility>() },
            () => query with { Hidden = _samples.Chance(0.5) },
            () => query with { Protected = _samples.Chance(0.5) },
            () => query with { Tags = [.. _samples.Some(Words, 2)] },
            () => query with { Properties = _samples.Some(Words, 2).ToDictionary(name => name, _ => _samples.OneOf<string>(Words)) },
            () => query with { Size = _samples.Number(4) },
            () => query with { SizeMin = _samples.Number(4) },
            () => query with { SizeMax = _samples.Number(4) },
            () => query with { MinDisk = _samples.Number(3) },
            () => query with { MinMemory = _samples.Number(3) },
            () => query with { Md5 = _samples.OneOf<Digest>(Digests).Hex[..32] },
            () => query with { Sha512 = string.Concat(Enumerable.Repeat(_samples.OneOf<Digest>(Digests).Hex, 2)) },
            () => query with { Sha256 = _samples.Chance(0.5) ? _samples.OneOf<Digest>(Digests).Hex : _samples.OneOf<Digest>(Digests).ToString() },
            () => query with { Times = [AnyTime(), .. _samples.Chance(0.5) ? [AnyTime()] : Array.Empty<TimeFilter>()] },
        ];
        return _samples.OneOf(filters)();
    }

    private StatusFilter AnyStatus() => new(_samples.Any<ImageStatus>(), _samples.Chance(0.5) ? _samples.Chance(0.5) : null);

    // Some of the times lie between two that can be stored.
    private TimeFilter AnyTime() => new(
        _samples.Any<TimeField>(), _samples.Any<Comparison>(), _samples.OneOf<DateTimeOffset>(Times).AddTicks(_samples.OneOf(0, 0, 3, -3)));

    private async Task SaveAsync(IEnumerable<Image> images, IEnumerable<ImageMember> members)
    {
        foreach (var image in images)
            await fixture.Catalogue.SaveAsync(new() { Image = image }, Stop);
        foreach (var member in members)
            await fixture.Images.AddMemberAsync(member, Stop);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}

public sealed class SqliteImageListTests(SqliteFixture fixture) : ImageListContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresImageListTests(PostgresFixture fixture) : ImageListContract(fixture), IClassFixture<PostgresFixture>;
