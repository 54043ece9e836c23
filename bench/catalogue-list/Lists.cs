using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.Bench.CatalogueList;

/// <summary>The lists that are measured, over what <see cref="Library"/> makes.</summary>
internal static class Lists
{
    public static readonly ProjectId Big = new("big");
    public static readonly ProjectId Small = new("small");
    public static readonly ProjectId Member = new("member");
    public static readonly DateTimeOffset Start = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly ImageQuery Admin = new() { Sight = new ImageSight(true, null, "default"), Hidden = false, Limit = 20 };

    public static IEnumerable<(string Name, ImageQuery Query)> All =>
        Lookers.SelectMany(looker => Filters.Select(filter => ($"{looker.Name}: {filter.Name}", filter.With(looker.Query))));

    private static IEnumerable<(string Name, ImageQuery Query)> Lookers =>
    [
        ("admin", Admin),
        ("owner of half", Admin with { Sight = new ImageSight(false, Big, "default") }),
        ("owner of 20, sees the public", Admin with { Sight = new ImageSight(false, Small, "default") }),
        ("shared with a tenth", Admin with { Sight = new ImageSight(false, Member, "other") }),
        ("sees nothing", Admin with { Sight = new ImageSight(false, new ProjectId("stranger"), "empty") }),
    ];

    private static IEnumerable<(string Name, Func<ImageQuery, ImageQuery> With)> Filters =>
    [
        ("newest", query => query),
        ("by name", query => query with { Sort = [new(ImageSortKey.Name, false)] }),
        ("by size", query => query with { Sort = [new(ImageSortKey.Size, true)] }),
        ("by status", query => query with { Sort = [new(ImageSortKey.Status, false)] }),
        ("frequent tag", query => query with { Tags = ["linux"] }),
        ("frequent tag by name", query => query with { Tags = ["linux"], Sort = [new(ImageSortKey.Name, false)] }),
        ("rare tag", query => query with { Tags = ["rare"] }),
        ("rare property by name", query => query with
        {
            Properties = new Dictionary<string, string> { ["number"] = "77" },
            Sort = [new(ImageSortKey.Name, false)],
        }),
        ("name", query => query with { Names = ["image 00000077"] }),
        ("part of many names", query => query with { NameContains = "IMAGE" }),
        ("part of no name", query => query with { NameContains = "zzz" }),
        ("page in the middle", query => query with { After = Library.MakeImage(5000) }),
    ];
}
