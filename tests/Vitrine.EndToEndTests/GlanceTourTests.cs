using Vitrine.Testing;

namespace Vitrine.EndToEndTests;

/// <summary>Every subcommand of Debian's unmodified command line of Glance, held to what it did.</summary>
public sealed class GlanceTourTests : IAsyncLifetime
{
    private const string Formats = "--disk-format raw --container-format bare";
    private const int Size = 70_000;

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("vitrine-tour-");
    private ServerProcess _server = null!;
    private string _file = "";

    public async ValueTask InitializeAsync()
    {
        _server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["VITRINE_STORES__fast__DEFAULT"] = "true",
            ["VITRINE_STORES__fast__KIND"] = "directory",
            ["VITRINE_STORES__fast__PATH"] = _root.CreateSubdirectory("fast").FullName,
            ["VITRINE_STORES__slow__KIND"] = "directory",
            ["VITRINE_STORES__slow__PATH"] = _root.CreateSubdirectory("slow").FullName,
        });
        _file = Path.Combine(_server.Data, "disk.raw");
        await File.WriteAllBytesAsync(_file, new byte[Size]);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _root.Delete(recursive: true);
    }

    [FactWithTool("glance")]
    public async Task Images_are_uploaded_staged_imported_and_taken_away()
    {
        Assert.Contains("import-methods", await RunAsync("import-info"), StringComparison.Ordinal);
        Assert.Contains("slow", await RunAsync("stores-info"), StringComparison.Ordinal);

        var uploaded = await CreateAsync("uploaded");
        await RunAsync($"image-upload --file {_file} {uploaded}");
        Assert.Equal("active", await FieldAsync(uploaded, "status"));
        await RunAsync($"image-deactivate {uploaded}");
        Assert.Equal("deactivated", await FieldAsync(uploaded, "status"));
        await RunAsync($"image-reactivate {uploaded}");
        await RunAsync($"image-download --file {_file}.copy {uploaded}");
        Assert.Equal(Size, new FileInfo($"{_file}.copy").Length);

        var staged = await CreateAsync("staged");
        await RunAsync($"image-stage --file {_file} {staged}");
        Assert.Equal(("uploading", $"{Size}"), (await FieldAsync(staged, "status"), await FieldAsync(staged, "size")));
        await RunAsync($"image-import --import-method glance-direct --all-stores True {staged}");
        await UntilAsync(staged, "stores", "fast,slow");
        Assert.Contains("success", await RunAsync($"image-tasks {staged}"), StringComparison.Ordinal);
        await RunAsync($"stores-delete --store slow {staged}");
        Assert.Equal("fast", await FieldAsync(staged, "stores"));
        await RunAsync($"image-import --import-method copy-image --stores slow {staged}");
        await UntilAsync(staged, "stores", "fast,slow");

        var task = Rows(await RunAsync("task-list"))[^1][0];
        Assert.Contains("success", await RunAsync($"task-show {task}"), StringComparison.Ordinal);

        var imported = IdIn(await RunAsync($"image-create-via-import --import-method glance-direct --file {_file} --name imported {Formats}"));
        await UntilAsync(imported, "status", "active");
        Assert.Equal(3, Rows(await RunAsync("image-list")).Count);
        Assert.Contains("image_count_total", await RunAsync("usage"), StringComparison.Ordinal);

        await RunAsync($"image-delete {uploaded} {staged} {imported}");
        Assert.Empty(Rows(await RunAsync("image-list")));
        Assert.DoesNotContain(_root.GetFiles("*", SearchOption.AllDirectories), f => f.Length == Size);
    }

    [FactWithTool("glance")]
    public async Task Images_are_described_shared_and_told_from_what_there_is_not()
    {
        var id = await CreateAsync("described", "--visibility shared");
        await RunAsync($"image-update --name renamed --property team=storage {id}");
        Assert.Equal(("renamed", "storage"), (await FieldAsync(id, "name"), await FieldAsync(id, "team")));
        await RunAsync($"image-tag-update {id} first");
        Assert.Equal("""["first"]""", await FieldAsync(id, "tags"));
        await RunAsync($"image-tag-delete {id} first");
        Assert.Equal("[]", await FieldAsync(id, "tags"));

        var project = new string('a', 32);
        await RunAsync($"member-create {id} {project}");
        Assert.Contains("accepted", await RunAsync($"member-update {id} {project} accepted"), StringComparison.Ordinal);
        Assert.Contains("accepted", await RunAsync($"member-get {id} {project}"), StringComparison.Ordinal);
        Assert.Contains(project, await RunAsync($"member-list --image-id {id}"), StringComparison.Ordinal);
        await RunAsync($"member-delete {id} {project}");
        Assert.DoesNotContain(project, await RunAsync($"member-list --image-id {id}"), StringComparison.Ordinal);

        // The cache's commands want the address of one node.
        var node = $"--os-image-url {_server.Url}/image";
        Assert.DoesNotContain(id, await RunAsync($"{node} cache-list"), StringComparison.Ordinal);
        await RunAsync($"{node} cache-clear");
        await RunAsync($"{node} cache-delete {id}");
        var queued = await GlanceAsync($"{node} cache-queue {id}");
        Assert.Contains("Caching via API is not supported at this site", queued.Output + queued.Error, StringComparison.Ordinal);

        Assert.NotEqual(0, (await GlanceAsync($"location-add --url http://127.0.0.1/x {id}")).ExitCode);
        Assert.NotEqual(0, (await GlanceAsync($"location-delete --url http://127.0.0.1/x {id}")).ExitCode);
        Assert.NotEqual(0, (await GlanceAsync($"location-update --url http://127.0.0.1/x {id}")).ExitCode);
        Assert.NotEqual(0, (await GlanceAsync("task-create --type import")).ExitCode);
    }

    [FactWithTool("glance")]
    public async Task Metadata_definitions_are_taken_apart()
    {
        await RunAsync("md-namespace-create My::NS");
        await RunAsync("md-property-create", "--name", "p", "--title", "P", "--schema", """{"type": "string"}""", "My::NS");
        Assert.Contains("string", await RunAsync("md-property-show My::NS p"), StringComparison.Ordinal);
        await RunAsync("md-property-delete My::NS p");
        Assert.DoesNotContain("| p ", await RunAsync("md-property-list My::NS"), StringComparison.Ordinal);
        await RunAsync("md-namespace-properties-delete My::NS");

        await RunAsync("md-object-create", "--name", "o", "--schema", "{}", "My::NS");
        await RunAsync("md-object-update", "--name", "q", "My::NS", "o");
        Assert.Contains("| q ", await RunAsync("md-object-list My::NS"), StringComparison.Ordinal);
        Assert.Contains("q", await RunAsync("md-object-show My::NS q"), StringComparison.Ordinal);
        await RunAsync("md-object-delete My::NS q");
        await RunAsync("md-namespace-objects-delete My::NS");

        await RunAsync("md-tag-create --name t My::NS");
        Assert.Contains("| t ", await RunAsync("md-tag-show My::NS t"), StringComparison.Ordinal);
        await RunAsync("md-tag-delete My::NS t");
        await RunAsync("md-namespace-tags-delete My::NS");

        await RunAsync("md-resource-type-associate --name OS::Glance::Image My::NS");
        Assert.Contains("OS::Glance::Image", await RunAsync("md-namespace-resource-type-list My::NS"), StringComparison.Ordinal);
        await RunAsync("md-resource-type-deassociate My::NS OS::Glance::Image");
        Assert.DoesNotContain("OS::Glance::Image", await RunAsync("md-namespace-resource-type-list My::NS"), StringComparison.Ordinal);
    }

    private async Task<string> CreateAsync(string name, string more = "") => IdIn(await RunAsync($"image-create --name {name} {Formats} {more}"));

    private async Task UntilAsync(string id, string field, string value)
    {
        while (await FieldAsync(id, field) != value)
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
    }

    private async Task<string> FieldAsync(string id, string field) =>
        FieldIn(await RunAsync($"image-show {id}"), field);

    private static string IdIn(string table) => FieldIn(table, "id");

    private static string FieldIn(string table, string field) => Rows(table).First(row => row[0] == field)[1];

    /// <summary>The cells of a table, without its head.</summary>
    private static List<string[]> Rows(string table) =>
    [
        .. table.Split('\n').Where(line => line.StartsWith('|')).Skip(1)
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries)),
    ];

    private async Task<string> RunAsync(string words) => (await GlanceAsync(words)).Succeeded();

    private async Task<string> RunAsync(params string[] arguments) => (await GlanceAsync(arguments)).Succeeded();

    private Task<CommandResult> GlanceAsync(string words) => GlanceAsync(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    // The client takes an input that is no terminal for an image.
    private Task<CommandResult> GlanceAsync(string[] arguments) =>
        Command.RunAsync("bash", ["-c", "exec glance \"$@\" <&-", "glance", .. arguments], _server.OpenStackEnvironment);
}
