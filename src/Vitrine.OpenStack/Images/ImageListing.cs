using System.Collections.Frozen;
using System.Globalization;
using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.OpenStack.Images;

/// <summary>The question of <c>GET /v2/images</c> in the library's words.</summary>
internal sealed class ImageListing
{
    /// <summary>Names in the query that are no filters.</summary>
    private static readonly FrozenSet<string> Paging =
        new[] { "limit", "marker", "sort", "sort_key", "sort_dir", "member_status" }.ToFrozenSet(StringComparer.Ordinal);

    private readonly Dictionary<string, string> _properties = new(StringComparer.Ordinal);
    private readonly List<string> _tags = [];
    private readonly List<TimeFilter> _times = [];
    private ImageQuery _query;
    private bool _matchesNothing;

    private ImageListing(Caller caller) => _query = new ImageQuery { Sight = ImageSight.Of(caller), Hidden = false };

    /// <returns>Null where the question is well put, but no image can answer it.</returns>
    /// <exception cref="GlanceRefusalException">It is not well put.</exception>
    public static ImageQuery? Read(GlanceQuery query, Caller caller)
    {
        var listing = new ImageListing(caller);
        foreach (var (name, value) in query.Parameters.Where(p => !Paging.Contains(p.Name)))
            listing.Filter(name, value);

        listing.ReadMembership(query.Last("member_status"));
        return listing._matchesNothing ? null : listing._query with
        {
            Tags = listing._tags,
            Times = listing._times,
            Properties = listing._properties,
            Sort = ImageSorting.Read(query),
            Limit = query.Limit(),
        };
    }

    private void Filter(string name, string value)
    {
        switch (name)
        {
            case "name":
                _query = _query with { Names = FilterValues.Read(value) };
                break;
            case "id":
                _query = _query with { Ids = Known(FilterValues.Read(value), IdsIn) };
                break;
            case "status":
                _query = _query with { Statuses = Known(FilterValues.Read(value), GlanceStatus.FiltersFor) };
                break;
            case "disk_format":
                _query = _query with { DiskFormats = Known(FilterValues.Read(value), Words<DiskFormat>) };
                break;
            case "container_format":
                _query = _query with { ContainerFormats = Known(FilterValues.Read(value), Words<ContainerFormat>) };
                break;
            case "created_at":
                _times.AddRange(FilterValues.ReadTime(TimeField.Created, name, value));
                break;
            case "updated_at":
                _times.AddRange(FilterValues.ReadTime(TimeField.Updated, name, value));
                break;
            case "visibility":
                FilterVisibility(value);
                break;
            case "protected":
                _query = _query with { Protected = Flag(name, value) };
                break;
            case "os_hidden":
                _query = _query with { Hidden = Flag(name, value.ToLowerInvariant()) };
                break;
            case "tag":
                _tags.Add(value);
                break;
            case "owner":
                _query = _query with { Owner = new ProjectId(value) };
                break;
            case "checksum":
                _query = _query with { Md5 = value };
                break;
            case "os_hash_value":
                _query = _query with { Sha512 = value };
                break;
            case "size":
                _query = _query with { Size = Number(name, value) };
                break;
            case "size_min":
                _query = _query with { SizeMin = Number(name, value) };
                break;
            case "size_max":
                _query = _query with { SizeMax = Number(name, value) };
                break;
            case "min_disk":
                _query = _query with { MinDisk = SmallNumber(name, value) };
                break;
            case "min_ram":
                _query = _query with { MinMemory = SmallNumber(name, value) };
                break;
            case "changes-since":
                throw GlanceRefusalException.BadRequest("The filter \"changes-since\" is no longer available on v2.");
            default:
                FilterProperty(name, value);
                break;
        }
    }

    /// <summary>A value that the library keeps as a field of the hardware is not among the properties.</summary>
    private void FilterProperty(string name, string value)
    {
        if (HardwareProperties.With(new HardwareProfile(), name, value) is not { } hardware)
            _properties[name] = value;
        else
            _query = _query with
            {
                Architecture = hardware.Architecture ?? _query.Architecture,
                Firmware = hardware.Firmware ?? _query.Firmware,
                Platform = hardware.Platform ?? _query.Platform,
            };
    }

    /// <summary>Community images of others are listed to those who ask for them.</summary>
    private void FilterVisibility(string value)
    {
        Visibility? visibility = value == "all" ? null
            : Words<Visibility>(value) is [var known] ? known
            : throw GlanceRefusalException.BadRequest($"Invalid visibility value: {value}.");
        _query = _query with
        {
            Visibility = visibility,
            Sight = _query.Sight with { Community = visibility is null or Visibility.Community },
        };
    }

    private void ReadMembership(string? status)
    {
        if (status is null)
            return;

        var membership = status == "all" ? (MemberStatus?)null
            : Words<MemberStatus>(status) is [var known] ? known
            : throw GlanceRefusalException.BadRequest($"Invalid member_status value: {status}.");
        _query = _query with { Sight = _query.Sight with { Membership = membership } };
    }

    /// <summary>What is asked for of a list of values; where none of them can be, nothing can be.</summary>
    private List<T> Known<T>(IReadOnlyList<string> values, Func<string, IReadOnlyList<T>> read)
    {
        var known = values.SelectMany(read).ToList();
        _matchesNothing |= known.Count == 0;
        return known;
    }

    private static IReadOnlyList<ImageId> IdsIn(string text) => ImageId.TryParse(text, out var id) ? [id] : [];

    private static IReadOnlyList<T> Words<T>(string word) where T : struct, Enum =>
        EnumWords.TryParse<T>(word, out var value) && value.Word() == word ? [value] : [];

    private static bool Flag(string name, string value) => value switch
    {
        "true" => true,
        "false" => false,
        _ => throw GlanceRefusalException.BadRequest($"{name}: '{value}' is neither true nor false."),
    };

    private static long Number(string name, string value) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw GlanceRefusalException.BadRequest($"{name}: '{value}' is not a number from 0 on.");

    private static int SmallNumber(string name, string value) => (int)Math.Min(int.MaxValue, Number(name, value));
}
