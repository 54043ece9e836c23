using Vitrine.Catalogue.Database;
using Vitrine.Content;
using Vitrine.Images;

namespace Vitrine.Catalogue.Images;

/// <summary>What a query asks of an image itself, whoever asks.</summary>
internal sealed class ImageFilters
{
    private readonly List<string> _terms = ["status <> 'deleted'"];
    private readonly Dialect _dialect;
    private readonly Parameters _parameters;

    private ImageFilters(Dialect dialect, Parameters parameters) => (_dialect, _parameters) = (dialect, parameters);

    /// <summary>False where a text is asked for that no image can have, and that a database may even refuse to compare with.</summary>
    public static bool CanMatch(ImageQuery query) =>
        query.Tags.Concat(query.Properties.Keys).Concat(query.Properties.Values)
            .Concat(Known(query.NameContains, query.Md5, query.Sha512, query.Owner?.Value))
            .All(Stored.CanHold)
        && (query.Names.Count == 0 || query.Names.Any(Stored.CanHold))
        && (query.Sha256 is null || Digest.TryParse(query.Sha256, out _));

    /// <summary>The terms that must all hold.</summary>
    public static IReadOnlyList<string> Of(ImageQuery query, Dialect dialect, Parameters parameters)
    {
        var filters = new ImageFilters(dialect, parameters);
        filters.RequireNames(query);
        filters.RequireKinds(query);
        filters.RequireFlags(query);
        filters.RequireContent(query);
        filters.RequireTimes(query);
        filters.RequireLabels(query);
        return filters._terms;
    }

    /// <summary>The names asked for, as the column <c>name_key</c> has them.</summary>
    public static string[] NameKeys(ImageQuery query) => [.. query.Names.Where(Stored.CanHold).Select(ImageOrder.NameKey)];

    /// <summary>The digest asked for, as the column <c>content_digest</c> has it.</summary>
    public static string DigestKey(string sha256) => Digest.Parse(sha256).Hex;

    private void RequireNames(ImageQuery query)
    {
        RequireOneOf("id", query.Ids.Select(id => id.ToString()));
        RequireOneOf("name_key", NameKeys(query));
        if (!string.IsNullOrEmpty(query.NameContains))
            _terms.Add(_dialect.Contains("name_folded", _parameters.Add(ImageRow.Fold(query.NameContains))));
        RequireEqual("owner", query.Owner?.Value);
    }

    private void RequireKinds(ImageQuery query)
    {
        if (query.Statuses.Count > 0)
            _terms.Add($"({string.Join(" or ", query.Statuses.Select(Has))})");
        RequireOneOf("kind", query.Kinds.Select(kind => kind.Word()));
        RequireOneOf("disk_format", query.DiskFormats.Select(format => format.Word()));
        RequireOneOf("container_format", query.ContainerFormats.Select(format => format.Word()));
        RequireEqual("architecture", Stored.Word(query.Architecture));
        RequireEqual("firmware", Stored.Word(query.Firmware));
        RequireEqual("platform", Stored.Word(query.Platform));
    }

    private void RequireFlags(ImageQuery query)
    {
        // The indexes of public and community images hold for these words only where the statement has them.
        if (query.Visibility is { } visibility)
            _terms.Add($"visibility = '{visibility.Word()}'");
        RequireEqual("hidden", query.Hidden);
        RequireEqual("protected", query.Protected);
        RequireEqual("min_disk", query.MinDisk);
        RequireEqual("min_memory", query.MinMemory);
    }

    private void RequireContent(ImageQuery query)
    {
        RequireEqual("size", query.Size);
        Require("size", ">=", query.SizeMin);
        Require("size", "<=", query.SizeMax);
        RequireEqual("content_md5", query.Md5);
        RequireEqual("content_sha512", query.Sha512);
        RequireEqual("content_digest", query.Sha256 is null ? null : DigestKey(query.Sha256));
    }

    private void RequireTimes(ImageQuery query)
    {
        foreach (var filter in query.Times)
            _terms.Add(Holds(filter));
    }

    private void RequireLabels(ImageQuery query)
    {
        foreach (var tag in query.Tags)
            _terms.Add($"exists (select 1 from image_tags where image = images.id and tag = {_parameters.Add(tag)})");
        foreach (var (name, value) in query.Properties)
            _terms.Add($"""
                exists (
                    select 1 from image_properties
                    where image = images.id and name = {_parameters.Add(name)} and value = {_parameters.Add(value)})
                """);
    }

    private string Has(StatusFilter filter)
    {
        var status = $"status = {_parameters.Add(filter.Status.Word())}";
        return filter.Enabled is { } enabled ? $"({status} and enabled = {_parameters.Add(enabled)})" : status;
    }

    private string Holds(TimeFilter filter)
    {
        var column = filter.Field switch
        {
            TimeField.Created => "created_at",
            TimeField.Updated => "updated_at",
            _ => throw new ArgumentOutOfRangeException(nameof(filter)),
        };

        // A time between two microseconds equals none that is stored: it lies after its floor and before its ceiling.
        var floor = Stored.Micros(filter.Time);
        var ceiling = Stored.Time(floor) == filter.Time ? floor : floor + 1;
        return filter.Comparison switch
        {
            Comparison.Equal => $"({column} >= {_parameters.Add(ceiling)} and {column} <= {_parameters.Add(floor)})",
            Comparison.NotEqual => $"({column} < {_parameters.Add(ceiling)} or {column} > {_parameters.Add(floor)})",
            Comparison.Less => $"{column} < {_parameters.Add(ceiling)}",
            Comparison.LessOrEqual => $"{column} <= {_parameters.Add(floor)}",
            Comparison.Greater => $"{column} > {_parameters.Add(floor)}",
            Comparison.GreaterOrEqual => $"{column} >= {_parameters.Add(ceiling)}",
            _ => throw new ArgumentOutOfRangeException(nameof(filter)),
        };
    }

    private void RequireOneOf(string column, IEnumerable<string> words)
    {
        var list = words.ToArray();
        if (list.Length > 0)
            _terms.Add(_dialect.In(column, _parameters.Add(list)));
    }

    private void RequireEqual(string column, object? value) => Require(column, "=", value);

    private void Require(string column, string comparison, object? value)
    {
        if (value is not null)
            _terms.Add($"{column} {comparison} {_parameters.Add(value)}");
    }

    private static IEnumerable<string> Known(params string?[] texts) => texts.OfType<string>();
}
