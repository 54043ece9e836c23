using Vitrine.Catalogue.Database;
using Vitrine.Images;

namespace Vitrine.Catalogue.Images;

/// <summary>The statement that answers one page of a list.</summary>
/// <remarks>
/// An image can be seen for several reasons: it is the project's own, public, shared with it, or of the community. No index
/// serves an OR of them, so each reason is a branch with an index of its own that yields its images in the order of the list;
/// of each branch the first few are taken, and of all those together the first few again. What a page costs therefore does not
/// grow with the number of images. An image that can be seen for two reasons comes out of both branches, and of the union once.
/// Where only few images can be in the answer at all, they are all looked at instead.
/// </remarks>
internal sealed class ImageListing
{
    private readonly Parameters _parameters = new();
    private readonly ImageQuery _query;
    private readonly Dialect _dialect;
    private readonly ImageOrder _order;
    private readonly bool _walksMembers;
    private readonly string _filters;
    private readonly string _limit;

    /// <param name="prospect">What was found out about the answer before.</param>
    public ImageListing(ImageQuery query, ImageProspect prospect, Dialect dialect)
    {
        (_query, _dialect) = (query, dialect);
        _order = new ImageOrder(query);
        _walksMembers = prospect is { Candidates: null, FewMemberships: true };
        _limit = _parameters.Add(query.Limit);
        _filters = string.Join(" and ", Filters());
        var reasons = Reasons().ToList();
        if (reasons.Count > 0)
            Statement = prospect.Candidates is { } candidates ? LookAt(candidates, reasons) : Walk(reasons);
    }

    /// <summary>Null where nothing can be seen.</summary>
    public string? Statement { get; }

    public object Values => _parameters.Values;

    private string LookAt(IReadOnlyCollection<string> candidates, IEnumerable<string> reasons) => $"""
        with candidates as materialized (
            select * from images where {_dialect.In("id", _parameters.Add(candidates.ToArray()))}
        )
        select {WholeImageRow.Selection(_dialect)} from candidates as images
        where {_filters} and ({string.Join(" or ", reasons.Select(reason => $"({reason})"))})
        order by {_order.OrderBy} limit {_limit}
        """;

    private string Walk(IEnumerable<string> reasons) => $"""
        select {WholeImageRow.Selection(_dialect)}
        from (
            {string.Join("\nunion\n", reasons.Select(Branch))}
            order by {_order.OrderBy} limit {_limit}
        ) page join images on images.id = page.id
        order by {_order.OrderOf("page.")}
        """;

    private string Branch(string reason, int number) => $"""
        select * from (
            select {_order.Columns} from images where {reason} and {_filters} order by {_order.OrderBy} limit {_limit}
        ) branch{number}
        """;

    private IEnumerable<string> Filters()
    {
        var filters = ImageFilters.Of(_query, _dialect, _parameters);
        return _query.After is { } last ? filters.Append(_order.After(last, _parameters)) : filters;
    }

    /// <summary>The conditions for which an image is seen; those left out could add nothing to this query's answer.</summary>
    private IEnumerable<string> Reasons()
    {
        var sight = _query.Sight;
        if (sight.Everything)
            return ["1 = 1"];

        var asksForOwn = sight.Project is not null && _query.Owner == sight.Project;
        var asksForOthers = _query.Owner is not null && !asksForOwn;
        IEnumerable<string?> reasons =
        [
            sight.Project is null || asksForOthers ? null : Own(),
            asksForOwn || !Asks(Visibility.Public) ? null : Public(),
            asksForOwn || !Asks(Visibility.Shared) || sight.Project is null ? null : SharedWithIt(),
            asksForOwn || !Asks(Visibility.Community) || !sight.Community ? null : "visibility = 'community'",
        ];
        return reasons.OfType<string>();
    }

    private bool Asks(Visibility visibility) => _query.Visibility is null || _query.Visibility == visibility;

    private string Own() => $"owner = {_parameters.Add(_query.Sight.Project!.Value.Value)}";

    private string Public() => $"visibility = 'public' and domain = {_parameters.Add(_query.Sight.Domain)}";

    // With few memberships their images are sorted; with many the shared images are walked in order, as one in a few is a hit.
    private string SharedWithIt()
    {
        var answer = _query.Sight.Membership is { } status ? $" and image_members.status = {_parameters.Add(status.Word())}" : "";
        var project = $"image_members.project = {_parameters.Add(_query.Sight.Project!.Value.Value)}";
        var isMember = _walksMembers
            ? $"id in (select image from image_members where {project}{answer})"
            : $"exists (select 1 from image_members where image = images.id and {project}{answer})";
        return $"visibility = 'shared' and {isMember}";
    }
}
