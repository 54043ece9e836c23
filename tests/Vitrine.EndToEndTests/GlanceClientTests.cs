using Vitrine.Testing;

namespace Vitrine.EndToEndTests;

/// <summary>Debian's unmodified command line of Glance, which has commands for metadata definitions, against the real server.</summary>
public sealed class GlanceClientTests : IAsyncLifetime
{
    private ServerProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await ServerProcess.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [FactWithTool("glance")]
    public async Task Metadata_definitions_are_made_shown_and_deleted_by_the_stock_client()
    {
        await RunAsync("md-namespace-create", "--visibility", "public", "--description", "first", "My::NS");
        await RunAsync("md-property-create", "--name", "p", "--title", "P", "--schema", """{"type": "string", "enum": ["a", "b"]}""", "My::NS");
        Assert.Contains("""["a", "b"]""", await RunAsync("md-property-update", "--name", "p", "--title", "Changed", "My::NS", "p"), StringComparison.Ordinal);
        Assert.Contains("Changed", await RunAsync("md-property-list", "My::NS"), StringComparison.Ordinal);

        await RunAsync("md-object-create", "--name", "o", "--schema", """{"properties": {"q": {"type": "integer", "title": "Q"}}}""", "My::NS");
        Assert.Contains("integer", await RunAsync("md-object-property-show", "My::NS", "o", "q"), StringComparison.Ordinal);

        await RunAsync("md-tag-create-multiple", "--names", "u;v", "--delim", ";", "My::NS");
        await RunAsync("md-tag-update", "--name", "w", "My::NS", "u");
        Assert.Equal(["v", "w"], Column(await RunAsync("md-tag-list", "My::NS")).Order());

        await RunAsync("md-resource-type-associate", "--name", "OS::Glance::Image", "--prefix", "x_", "My::NS");
        Assert.Contains("x_p", await RunAsync("md-namespace-show", "--resource-type", "OS::Glance::Image", "My::NS"), StringComparison.Ordinal);
        Assert.Contains("second", await RunAsync("md-namespace-update", "--description", "second", "My::NS"), StringComparison.Ordinal);

        await RunAsync("md-namespace-delete", "My::NS");
        Assert.NotEqual(0, (await GlanceAsync("md-namespace-show", "My::NS")).ExitCode);
    }

    [FactWithTool("glance")]
    public async Task A_namespace_is_imported_from_a_file()
    {
        var file = Path.Combine(_server.Data, "namespace.json");
        await File.WriteAllTextAsync(
            file,
            """
            {"namespace": "My::Import", "visibility": "public", "resource_type_associations": [{"name": "OS::Nova::Flavor", "prefix": "hw:"}],
             "properties": {"p": {"title": "P", "type": "boolean"}}, "objects": [{"name": "o"}], "tags": [{"name": "t"}]}
            """,
            TestContext.Current.CancellationToken);

        await RunAsync("md-namespace-import", "--file", file);
        var shown = await RunAsync("md-namespace-show", "My::Import");
        Assert.All(["[\"p\"]", "[\"o\"]", "[\"t\"]", "OS::Nova::Flavor"], part => Assert.Contains(part, shown, StringComparison.Ordinal));
    }

    [FactWithTool("glance")]
    public async Task The_definitions_that_come_with_the_product_are_listed()
    {
        Assert.Contains("OS::Compute::Watchdog", Column(await RunAsync("md-namespace-list", "--resource-types", "OS::Glance::Image")));
        Assert.Contains("OS::Glance::Image", Column(await RunAsync("md-resource-type-list")));
    }

    private async Task<string> RunAsync(params string[] arguments) => (await GlanceAsync(arguments)).Succeeded();

    private Task<CommandResult> GlanceAsync(params string[] arguments) => Command.RunAsync("glance", arguments, _server.OpenStackEnvironment);

    /// <summary>The first column of a table, without its head.</summary>
    private static IEnumerable<string> Column(string table) => table.Split('\n')
        .Where(line => line.StartsWith('|'))
        .Skip(1)
        .Select(line => line.Split('|')[1].Trim());
}
