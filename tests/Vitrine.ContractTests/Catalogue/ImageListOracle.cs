using System.Text;
using Vitrine.Images;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>Answers a query the slow and simple way: by looking at every image.</summary>
internal sealed class ImageListOracle(IReadOnlyCollection<Image> images, IReadOnlyCollection<ImageMember> members)
{
    /// <summary>All images of all pages, in order.</summary>
    public IReadOnlyList<Image> Answer(ImageQuery query)
    {
        var found = images.Where(i => i.Status is not ImageStatus.Deleted && Sees(query.Sight, i) && Matches(query, i)).ToList();
        var order = Order(query);
        found.Sort((a, b) => order.Select(compare => compare(a, b)).FirstOrDefault(difference => difference != 0));
        return found;
    }

    private bool Sees(ImageSight sight, Image image) =>
        sight.Everything
        || image.Owner == sight.Project
        || (image.Visibility is Visibility.Public && image.Domain == sight.Domain)
        || (image.Visibility is Visibility.Community && sight.Community)
        || (image.Visibility is Visibility.Shared && members.Any(m =>
            m.Image == image.Id && m.Project == sight.Project && (sight.Membership is null || m.Status == sight.Membership)));

    private static bool Matches(ImageQuery query, Image image) =>
        MatchesNames(query, image) && MatchesKinds(query, image) && MatchesContent(query, image)
        && query.Times.All(filter => Holds(filter, image))
        && query.Tags.All(image.Tags.Contains)
        && query.Properties.All(p => image.Properties.TryGetValue(p.Key, out var value) && value == p.Value);

    private static bool MatchesNames(ImageQuery query, Image image) =>
        IsOneOf(query.Ids, image.Id)
        && (query.Names.Count == 0 || (image.Name is not null && query.Names.Contains(image.Name)))
        && (string.IsNullOrEmpty(query.NameContains) || image.Name?.Contains(query.NameContains, StringComparison.OrdinalIgnoreCase) == true)
        && (query.Owner is null || query.Owner == image.Owner);

    private static bool MatchesKinds(ImageQuery query, Image image) =>
        (query.Statuses.Count == 0 || query.Statuses.Any(s => s.Status == image.Status && (s.Enabled ?? image.Enabled) == image.Enabled))
        && IsOneOf(query.Kinds, image.Kind)
        && (query.DiskFormats.Count == 0 || (image.DiskFormat is { } disk && query.DiskFormats.Contains(disk)))
        && (query.ContainerFormats.Count == 0 || (image.ContainerFormat is { } container && query.ContainerFormats.Contains(container)))
        && (query.Architecture is null || query.Architecture == image.Hardware.Architecture)
        && (query.Visibility is null || query.Visibility == image.Visibility)
        && (query.Hidden is null || query.Hidden == image.Hidden)
        && (query.Protected is null || query.Protected == image.Protected);

    private static bool MatchesContent(ImageQuery query, Image image) =>
        (query.Size is null || query.Size == image.Size)
        && (query.SizeMin is null || image.Size >= query.SizeMin)
        && (query.SizeMax is null || image.Size <= query.SizeMax)
        && (query.MinDisk is null || query.MinDisk == image.Hardware.MinDisk)
        && (query.MinMemory is null || query.MinMemory == image.Hardware.MinMemory)
        && (query.Md5 is null || query.Md5 == image.Content?.Md5)
        && (query.Sha512 is null || query.Sha512 == image.Content?.Sha512)
        && (query.Sha256 is null || query.Sha256 == image.Content?.Digest.Hex || query.Sha256 == image.Content?.Digest.ToString());

    private static bool Holds(TimeFilter filter, Image image)
    {
        var time = filter.Field is TimeField.Created ? image.CreatedAt : image.UpdatedAt;
        return filter.Comparison switch
        {
            Comparison.Equal => time == filter.Time,
            Comparison.NotEqual => time != filter.Time,
            Comparison.Less => time < filter.Time,
            Comparison.LessOrEqual => time <= filter.Time,
            Comparison.Greater => time > filter.Time,
            Comparison.GreaterOrEqual => time >= filter.Time,
            _ => throw new ArgumentOutOfRangeException(nameof(filter)),
        };
    }

    private static IReadOnlyList<Comparison<Image>> Order(ImageQuery query)
    {
        IReadOnlyList<ImageSort> sort = query.Sort.Count > 0 ? query.Sort : [new(ImageSortKey.CreatedAt, Descending: true)];
        return [.. sort.Append(new(ImageSortKey.Id, sort[^1].Descending)).Select(By)];
    }

    private static Comparison<Image> By(ImageSort sort) =>
        (a, b) => Math.Sign(Compare(sort.Key, a, b)) * (sort.Descending ? -1 : 1);

    private static int Compare(ImageSortKey key, Image a, Image b) => key switch
    {
        ImageSortKey.CreatedAt => a.CreatedAt.CompareTo(b.CreatedAt),
        ImageSortKey.UpdatedAt => a.UpdatedAt.CompareTo(b.UpdatedAt),
        ImageSortKey.Name => CompareText(a.Name, b.Name),
        ImageSortKey.Status => CompareText(a.Status.Word(), b.Status.Word()),
        ImageSortKey.DiskFormat => CompareText(a.DiskFormat?.Word(), b.DiskFormat?.Word()),
        ImageSortKey.ContainerFormat => CompareText(a.ContainerFormat?.Word(), b.ContainerFormat?.Word()),
        ImageSortKey.Size => Nullable.Compare(a.Size, b.Size),
        ImageSortKey.Id => CompareText(a.Id.ToString(), b.Id.ToString()),
        _ => throw new ArgumentOutOfRangeException(nameof(key)),
    };

    private static int CompareText(string? a, string? b) => (a, b) switch
    {
        (null, null) => 0,
        (null, _) => -1,
        (_, null) => 1,
        _ => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b)),
    };

    private static bool IsOneOf<T>(IReadOnlyList<T> list, T value) => list.Count == 0 || list.Contains(value);
}
