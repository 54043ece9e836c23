using System.Text.Json;
using Vitrine.Access;
using Vitrine.Metadata;

namespace Vitrine.ContractTests.Catalogue;

/// <summary>What a catalogue promises of metadata definitions.</summary>
public abstract class DefinitionCatalogueContract(CatalogueFixture fixture)
{
    private static readonly DateTimeOffset Noon = Samples.Noon;

    private readonly IDefinitionCatalogue _definitions = fixture.Definitions;

    /// <summary>Tests share a database, so each has names and types of its own.</summary>
    private readonly string _own = $"it's {Guid.NewGuid()}";

    [Fact]
    public async Task A_namespace_is_read_back_as_it_was_written()
    {
        var full = New("full") with
        {
            DisplayName = "'; drop table metadata_namespaces; --",
            Description = "日本語\n🦆",
            Public = true,
            Protected = true,
            Owner = ProjectId.New(),
            UpdatedAt = Noon.AddMicroseconds(1),
            ResourceTypes = [new ResourceTypeLink($"{_own} type", "hw_", "image", Noon, Noon), new ResourceTypeLink($"{_own} other", null, null, Noon, Noon)],
            Properties = [FullProperty("z"), new DefinedProperty { Name = "a", Title = "", Type = PropertyType.Object }],
            Objects =
            [
                new DefinedObject { Name = "an object", Description = "d", Required = ["z"], Properties = [FullProperty("z")], CreatedAt = Noon, UpdatedAt = Noon },
                new DefinedObject { Name = "empty", CreatedAt = Noon, UpdatedAt = Noon },
            ],
            Tags = [new DefinedTag("second", Noon, Noon), new DefinedTag("first", Noon, Noon.AddDays(1))],
        };
        var saved = await _definitions.SaveAsync(full, Stop);
        Assert.Equal(1, saved.Version);
        Same(saved, await _definitions.FindAsync(saved.Name, Stop));

        var emptied = await _definitions.SaveAsync(New("full") with { Id = full.Id, Name = $"{full.Name} renamed", Version = 1 }, Stop);
        Same(emptied, await _definitions.FindAsync(emptied.Name, Stop));
        Assert.Null(await _definitions.FindAsync(full.Name, Stop));
    }

    [Theory]
    [InlineData("\0")]
    [InlineData("\ud800")]
    [InlineData("")]
    public async Task What_no_name_can_be_is_not_there(string name) => Assert.Null(await _definitions.FindAsync(name, Stop));

    [Fact]
    public async Task Two_namespaces_cannot_have_one_name()
    {
        var first = await _definitions.SaveAsync(New("one"), Stop);
        await Assert.ThrowsAsync<DefinitionExistsException>(() => _definitions.SaveAsync(New("one"), Stop));

        var other = await _definitions.SaveAsync(New("other"), Stop);
        await Assert.ThrowsAsync<DefinitionExistsException>(() => _definitions.SaveAsync(other with { Name = first.Name }, Stop));
        Same(other, await _definitions.FindAsync(other.Name, Stop));
    }

    [Fact]
    public async Task Of_two_changes_to_one_version_one_is_refused()
    {
        var saved = await _definitions.SaveAsync(New("one"), Stop);
        await _definitions.SaveAsync(saved with { Description = "first" }, Stop);

        await Assert.ThrowsAsync<ConcurrentChangeException>(() => _definitions.SaveAsync(saved with { Description = "second" }, Stop));
        await Assert.ThrowsAsync<ConcurrentChangeException>(() => _definitions.DeleteAsync(saved, Stop));
        Assert.Equal("first", (await _definitions.FindAsync(saved.Name, Stop))!.Description);
    }

    [Fact]
    public async Task A_deleted_namespace_is_gone_and_its_types_stay_known()
    {
        var type = $"{_own} type";
        var saved = await _definitions.SaveAsync(New("one") with { ResourceTypes = [Link(type)] }, Stop);
        await _definitions.DeleteAsync(saved, Stop);

        Assert.Null(await _definitions.FindAsync(saved.Name, Stop));
        await Assert.ThrowsAsync<ConcurrentChangeException>(() => _definitions.DeleteAsync(saved, Stop));
        Assert.Contains(new ResourceType(type, Noon), await _definitions.ListResourceTypesAsync(Stop));
    }

    [Fact]
    public async Task Types_are_known_since_they_were_named_first()
    {
        var type = $"{_own} type";
        await _definitions.SaveAsync(New("one") with { ResourceTypes = [Link(type)] }, Stop);
        await _definitions.SaveAsync(New("two") with { ResourceTypes = [Link(type) with { CreatedAt = Noon.AddDays(1) }] }, Stop);

        Assert.Equal(Noon, Assert.Single(await _definitions.ListResourceTypesAsync(Stop), t => t.Name == type).CreatedAt);
    }

    [Fact]
    public async Task Lists_show_what_is_public_ones_own_or_of_nobody()
    {
        var project = ProjectId.New();
        await SaveListedAsync("a public", s => s with { Public = true, Owner = ProjectId.New() });
        await SaveListedAsync("b own", s => s with { Owner = project });
        await SaveListedAsync("c nobody's", s => s);
        await SaveListedAsync("d foreign", s => s with { Owner = ProjectId.New() });

        Assert.Equal(["a public", "b own", "c nobody's"], await ListAsync(q => q with { Sight = new NamespaceSight(project) }));
        Assert.Equal(["a public", "c nobody's"], await ListAsync(q => q with { Sight = new NamespaceSight(null) }));
        Assert.Equal(["a public", "b own", "c nobody's", "d foreign"], await ListAsync(q => q));
        Assert.Equal(["a public"], await ListAsync(q => q with { Public = true }));
        Assert.Equal(["b own", "c nobody's"], await ListAsync(q => q with { Public = false, Sight = new NamespaceSight(project) }));
    }

    [Fact]
    public async Task Lists_find_namespaces_by_any_of_some_types()
    {
        await SaveListedAsync("both", s => s with { ResourceTypes = [.. s.ResourceTypes, Link($"{_own} second")] });
        var one = await SaveListedAsync("one", s => s);

        Assert.Equal(["both"], await ListAsync(q => q with { ResourceTypes = [$"{_own} second", "\0", "none"] }));
        Assert.Equal(["both", "one"], await ListAsync(q => q with { ResourceTypes = [Listed, $"{_own} second"] }));
        Assert.Empty(await ListAsync(q => q with { ResourceTypes = [] }));

        // A type that a namespace is no longer meant for does not find it.
        await _definitions.SaveAsync(one with { ResourceTypes = [] }, Stop);
        Assert.Equal(["both"], await ListAsync(q => q));
    }

    [Theory]
    [InlineData(NamespaceSortKey.CreatedAt, false, "b", "d", "a", "c")]
    [InlineData(NamespaceSortKey.CreatedAt, true, "c", "a", "d", "b")]
    [InlineData(NamespaceSortKey.UpdatedAt, false, "d", "c", "a", "b")]
    [InlineData(NamespaceSortKey.Name, false, "a", "b", "c", "d")]
    [InlineData(NamespaceSortKey.Name, true, "d", "c", "b", "a")]
    public async Task Pages_follow_one_another_in_every_order(NamespaceSortKey sort, bool descending, params string[] expected)
    {
        foreach (var (name, created, updated) in new[] { ("a", 2, 3), ("b", 1, 4), ("c", 3, 2), ("d", 1, 1) })
            await SaveListedAsync(name, s => s with { CreatedAt = Noon.AddSeconds(created), UpdatedAt = Noon.AddSeconds(updated) });

        var seen = new List<string>();
        DefinitionNamespace? last = null;
        do
        {
            var query = new NamespaceQuery { ResourceTypes = [Listed], Sort = sort, Descending = descending, After = last, Limit = 1 };
            last = (await _definitions.ListAsync(query, Stop)).SingleOrDefault();
            seen.AddRange(last is null ? [] : [last.Name[(_own.Length + 1)..]]);
        }
        while (last is not null);
        Assert.Equal(expected, seen);
    }

    [Fact]
    public async Task A_list_does_not_carry_what_is_in_the_namespaces()
    {
        await SaveListedAsync("one", s => s with { Tags = [new DefinedTag("t", Noon, Noon)], Properties = [FullProperty("p")] });
        var listed = Assert.Single(await _definitions.ListAsync(new NamespaceQuery { ResourceTypes = [Listed], Limit = 10 }, Stop));

        Assert.Empty(listed.Tags);
        Assert.Empty(listed.Properties);
        Assert.Equal(Listed, Assert.Single(listed.ResourceTypes).Name);
    }

    [Fact]
    public async Task What_is_preloaded_is_stored_once_and_never_touched_again()
    {
        var (kept, changed, deleted, taken) = (New("kept"), New("changed"), New("deleted"), New("taken"));
        var own = await _definitions.SaveAsync(New("taken") with { Description = "the operator's" }, Stop);
        await _definitions.PreloadAsync([kept with { ResourceTypes = [Link($"{_own} type")] }, changed, deleted, taken], Stop);
        Same(kept with { ResourceTypes = [Link($"{_own} type")], Version = 1 }, await _definitions.FindAsync(kept.Name, Stop));
        Same(own, await _definitions.FindAsync(taken.Name, Stop));

        await _definitions.SaveAsync(changed with { Description = "changed", Version = 1 }, Stop);
        await _definitions.DeleteAsync(deleted with { Version = 1 }, Stop);
        await _definitions.PreloadAsync([New("kept"), New("changed"), New("deleted"), New("taken"), New("further")], Stop);

        Assert.Equal(kept.Id, (await _definitions.FindAsync(kept.Name, Stop))!.Id);
        Assert.Equal("changed", (await _definitions.FindAsync(changed.Name, Stop))!.Description);
        Assert.Null(await _definitions.FindAsync(deleted.Name, Stop));
        Assert.NotNull(await _definitions.FindAsync(New("further").Name, Stop));
    }

    [Fact]
    public async Task Nodes_that_preload_at_once_do_not_get_in_each_others_way()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(
            () => _definitions.PreloadAsync([.. Enumerable.Range(0, 5).Select(i => New($"{i}") with { ResourceTypes = [Link(Listed)] })], Stop), Stop)));
        Assert.Equal(["0", "1", "2", "3", "4"], await ListAsync(q => q));
    }

    private string Listed => $"{_own} listed";

    private static DefinedProperty FullProperty(string name) => new()
    {
        Name = name,
        Type = PropertyType.Array,
        Title = "it's",
        Description = "d",
        Operators = ["<or>"],
        Default = "x",
        ReadOnly = true,
        Minimum = -0.5m,
        Maximum = decimal.MaxValue,
        Values = ["x", "y"],
        Pattern = "(",
        MinLength = 0,
        MaxLength = int.MaxValue,
        Items = new DefinedItems(PropertyType.Number, ["1"]),
        UniqueItems = true,
        MinItems = 1,
        MaxItems = 2,
        AdditionalItems = false,
    };

    private static ResourceTypeLink Link(string type) => new(type, "p_", null, Noon, Noon);

    private DefinitionNamespace New(string name) =>
        new() { Id = NamespaceId.New(), Name = $"{_own} {name}", CreatedAt = Noon, UpdatedAt = Noon };

    private Task<DefinitionNamespace> SaveListedAsync(string name, Func<DefinitionNamespace, DefinitionNamespace> describe) =>
        _definitions.SaveAsync(describe(New(name) with { ResourceTypes = [Link(Listed)] }), Stop);

    /// <summary>The names of those that this test has listed, by their names.</summary>
    private async Task<IReadOnlyList<string>> ListAsync(Func<NamespaceQuery, NamespaceQuery> ask)
    {
        var query = new NamespaceQuery { ResourceTypes = [Listed], Sort = NamespaceSortKey.Name, Descending = false, Limit = 10 };
        return [.. (await _definitions.ListAsync(ask(query), Stop)).Select(s => s.Name[(_own.Length + 1)..])];
    }

    private static void Same(DefinitionNamespace expected, DefinitionNamespace? actual) =>
        Assert.Equal(JsonSerializer.Serialize(expected), JsonSerializer.Serialize(actual));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}

public sealed class SqliteDefinitionCatalogueTests(SqliteFixture fixture) : DefinitionCatalogueContract(fixture), IClassFixture<SqliteFixture>;

public sealed class PostgresDefinitionCatalogueTests(PostgresFixture fixture) : DefinitionCatalogueContract(fixture), IClassFixture<PostgresFixture>;
