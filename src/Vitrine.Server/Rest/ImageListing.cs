using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.Server.Rest;

/// <summary>The query string of a listing of images, as a question to the library.</summary>
internal static class ImageListing
{
    private const string PropertyPrefix = "property.";

    private static readonly string[] Parameters =
    [
        "filter", "name", "search", "status", "enabled", "kind", "format", "container", "architecture", "visibility", "owner", "member", "tag",
        "property.NAME", "protected", "hidden", "size", "sizeMin", "sizeMax", "sha256", "sort", "limit", "cursor",
    ];

    public static (ImageQuery Query, string? Cursor) Read(IQueryCollection parameters, Caller caller)
    {
        var query = new RestQuery(parameters, Parameters, PropertyPrefix);
        var question = new ImageQuery
        {
            Sight = SightOf(query, caller),
            Names = query.Texts("name"),
            NameContains = query.Text("search"),
            Statuses = StatusesOf(query),
            Kinds = query.Words<ImageKind>("kind"),
            DiskFormats = query.Words<DiskFormat>("format"),
            ContainerFormats = query.Words<ContainerFormat>("container"),
            Architecture = query.Text("architecture") is { } architecture ? CpuArchitectures.Parse(architecture) : null,
            Visibility = query.Word<Visibility>("visibility"),
            Owner = query.Text("owner") is { } owner ? new ProjectId(owner) : null,
            Tags = query.Texts("tag"),
            Properties = query.Prefixed(PropertyPrefix),
            Protected = query.Flag("protected"),
            Hidden = query.Flag("hidden"),
            Size = query.Number("size"),
            SizeMin = query.Number("sizeMin"),
            SizeMax = query.Number("sizeMax"),
            Sha256 = query.Text("sha256"),
            Sort = [.. query.Texts("sort").SelectMany(s => s.Split(',')).Select(SortOf)],
            Limit = query.Limit,
        };
        return (Filter(question, query.Text("filter"), caller), query.Text("cursor"));
    }

    /// <summary>Whose images are looked for.</summary>
    private static ImageQuery Filter(ImageQuery question, string? filter, Caller caller) => filter switch
    {
        null => question,
        "self" => question with { Owner = caller.RequireProject() },
        "shared" => question with { Visibility = Visibility.Shared },
        "public" => question with { Visibility = Visibility.Public },
        "community" => question with { Visibility = Visibility.Community, Sight = question.Sight with { Community = true } },
        "all" => question with { Sight = question.Sight with { Community = true } },
        _ => throw new InvalidFieldException("filter", "must be one of self, shared, public, community, all"),
    };

    private static ImageSight SightOf(RestQuery query, Caller caller) => ImageSight.Of(caller) with
    {
        Community = query.Word<Visibility>("visibility") is Visibility.Community,
        Membership = query.Text("member") switch
        {
            null => MemberStatus.Accepted,
            "all" => null,
            var text => EnumWords.Parse<MemberStatus>(text, "member"),
        },
    };

    private static IReadOnlyList<StatusFilter> StatusesOf(RestQuery query)
    {
        var enabled = query.Flag("enabled");
        var statuses = query.Words<ImageStatus>("status");
        if (statuses.Count == 0 && enabled is not null)
            statuses = Enum.GetValues<ImageStatus>();

        return [.. statuses.Select(s => new StatusFilter(s, enabled))];
    }

    /// <summary><c>name</c>, <c>name:asc</c> or <c>name:desc</c>.</summary>
    private static ImageSort SortOf(string text)
    {
        var (key, direction) = text.Split(':') switch
        {
            [var only] => (only, "asc"),
            [var first, var second] => (first, second),
            _ => throw new InvalidFieldException("sort", "is written as KEY:asc or KEY:desc"),
        };
        var descending = direction switch
        {
            "asc" => false,
            "desc" => true,
            _ => throw new InvalidFieldException("sort", "is written as KEY:asc or KEY:desc"),
        };
        return new ImageSort(KeyOf(key), descending);
    }

    private static ImageSortKey KeyOf(string key) => key switch
    {
        "createdAt" => ImageSortKey.CreatedAt,
        "updatedAt" => ImageSortKey.UpdatedAt,
        "name" => ImageSortKey.Name,
        "status" => ImageSortKey.Status,
        "format" => ImageSortKey.DiskFormat,
        "container" => ImageSortKey.ContainerFormat,
        "size" => ImageSortKey.Size,
        "id" => ImageSortKey.Id,
        _ => throw new InvalidFieldException("sort", "the keys are createdAt, updatedAt, name, status, format, container, size and id"),
    };
}
