using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.Cli;
using Vitrine.Nodes;
using Vitrine.Server;
using Vitrine.Stores;
using Vitrine.Stores.Chunked;
using Vitrine.Stores.FileSystem;

namespace Vitrine.ApiTests.Rest;

/// <summary>Stores that administrators add while the library runs.</summary>
public sealed class StoreAdditionTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("directory")]
    [InlineData("chunked")]
    public async Task A_store_that_is_added_takes_images_at_once_and_is_there_after_a_restart(string kind)
    {
        var project = await library.NewProjectAsync();
        var name = $"new-{kind}";
        var added = await library.CommandAsync(
            project.Admin, "store", "add", name, "--kind", kind, "--path", NewPath(name), "--description", "Bought today", "--set", "Convert:any=raw");
        Assert.Equal(0, added.Code);
        Assert.Matches(@"description +Bought today\nzone +zone-1\nkind +" + kind, added.Out);
        Assert.Matches("health +healthy", added.Out);

        using var admin = library.ClientOf(project.Admin);
        var bytes = RandomNumberGenerator.GetBytes(5000);
        var image = await library.MakeImageAsync(admin, bytes, store: name);
        await library.StopAsync();
        await library.StartAsync();
        var store = await admin.GetStoreAsync(name, Stop);
        Assert.Equal((true, 1, "raw", "open"), (store.Healthy, store.Images, store.Convert!["qcow2"], store.Mode));
        using var pulled = new MemoryStream();
        await admin.PullAsync(image, pulled, null, Stop);
        Assert.Equal(bytes, pulled.ToArray());
        Assert.Equal(0, (await library.CommandAsync(project.Admin, "store", "check", name)).Code);
    }

    [Fact]
    public async Task A_store_in_a_bucket_that_does_not_answer_is_not_added_and_its_secret_is_nowhere()
    {
        const string Secret = "a-secret-that-nobody-shows";
        var project = await library.NewProjectAsync();
        var key = Path.Combine(library.Root, "secret-key");
        await File.WriteAllTextAsync(key, Secret + "\n", Stop);
        var refused = await library.CommandAsync(
            project.Admin, "store", "add", "bucket", "--kind", "s3", "--set", "S3:Endpoint=http://127.0.0.1:1", "--set", "S3:Bucket=images", "--set", "S3:AccessKey=me",
            "--set", $"S3:SecretKey=@{key}", "--set", "S3:Retries=0");
        Assert.Equal(ExitCodes.Failure, refused.Code);
        using var problem = await AddAsync(
            project.Admin,
            $$"""{"name":"bucket","kind":"s3","settings":{"S3:Endpoint":"http://127.0.0.1:1","S3:Bucket":"images","S3:AccessKey":"me","S3:SecretKey":"{{Secret}}","S3:Retries":"0"} }""");
        Assert.Equal("store-unavailable", (await RestLibrary.ProblemOf(problem)).Code);
        Assert.DoesNotContain(Secret, await problem.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal(ExitCodes.NotFound, (await library.CommandAsync(project.Admin, "store", "show", "bucket")).Code);
    }

    [Fact]
    public async Task What_was_said_of_a_store_is_encrypted_where_it_is_kept()
    {
        const string Secret = "another-secret-that-nobody-shows";
        var admin = (await library.SharedProjectAsync()).Admin;
        using var added = await AddAsync(admin, $$"""{"name":"sealed","kind":"directory","path":"{{NewPath("sealed")}}","settings":{"S3:SecretKey":"{{Secret}}"} }""");
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        Assert.EndsWith("/stores/sealed", added.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, await added.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        var kept = Assert.Single(await library.Services.GetRequiredService<IAddedStoreCatalogue>().ListAsync(Stop), s => s.Store.Name == "sealed");
        Assert.DoesNotContain("Secret", kept.SealedSettings, StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(library.Root, "catalogue.db*"))
        {
            await using var open = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(open, Encoding.Latin1);
            Assert.DoesNotContain(Secret, await reader.ReadToEndAsync(Stop), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{}""", 400, "name")]
    [InlineData("""{"name":"a"}""", 400, "kind")]
    [InlineData("""{"name":"A","kind":"directory","path":"{ok}"}""", 400, "name")]
    [InlineData("""{"name":"../a","kind":"directory","path":"{ok}"}""", 400, "name")]
    [InlineData("""{"name":"a","kind":"tape","path":"{ok}"}""", 400, "kind")]
    [InlineData("""{"name":"a","kind":"memory","path":"{ok}"}""", 400, "kind")]
    [InlineData("""{"name":"a","kind":"directory"}""", 400, "path")]
    [InlineData("""{"name":"a","kind":"directory","path":"relative"}""", 400, "path")]
    [InlineData("""{"name":"a","kind":"directory","path":"/etc"}""", 400, "path")]
    [InlineData("""{"name":"a","kind":"chunked","path":"{root}/added"}""", 400, "path")]
    [InlineData("""{"name":"a","kind":"chunked","path":"{root}/added/../keys"}""", 400, "path")]
    [InlineData("""{"name":"a","kind":"chunked","path":"{root}/added/leads-out"}""", 400, "path")]
    [InlineData("""{"name":"a","kind":"directory","path":"{root}/added/missing"}""", 503, null)]
    [InlineData("""{"name":"a","kind":"directory","path":"{ok}","zone":"zone-2"}""", 400, "zone")]
    [InlineData("""{"name":"a","kind":"directory","path":"{ok}","description":"two\nlines"}""", 400, "description")]
    [InlineData("""{"name":"a","kind":"directory","path":"{ok}","settings":{"Colour":"red"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"directory","path":"{ok}","settings":{"default":"true"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"directory","path":"{ok}","settings":{"Path":"/etc"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"directory","path":"{ok}","settings":{"Chunked:CacheBytes":"many"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"directory","path":"{ok}","settings":{"Convert:any":"tape"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"s3"}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"s3","settings":{"S3:Endpoint":"nowhere"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"s3","settings":{"S3:Endpoint":"http://","S3:Bucket":"images","S3:AccessKey":"me","S3:SecretKey":"it"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"s3","settings":{"S3:Endpoint":"http://[","S3:Bucket":"images","S3:AccessKey":"me","S3:SecretKey":"it"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"directory","path":"{ok}","settings":{"S3:Bucket":null}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"directory","path":"{ok}","settings":{"S3:Bucket":"one","s3:bucket":"two"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"chunked","path":"{ok}","settings":{"Chunked:CollectionGrace":"-01:00:00"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"chunked","path":"{ok}","settings":{"Chunked:CacheBytes":"1000000000000000"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"chunked","path":"{ok}","settings":{"Chunked:CompressionLevel":"0"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"rbd","settings":{"Rbd:Pool":"p","Rbd:User":"u","Rbd:Keyring":"/etc/shadow"}}""", 400, "settings")]
    [InlineData("""{"name":"a","kind":"rbd","settings":{"Rbd:Pool":"p","Rbd:User":"u","Rbd:ConfigFile":"/etc/passwd"}}""", 400, "settings")]
    [InlineData("""{"name":"main","kind":"directory","path":"{ok}"}""", 409, null)]
    [InlineData("""{"name":"a","kind":"directory","path":"{ok}","secret":"x"}""", 400, "secret")]
    public async Task What_cannot_be_added_is_refused_with_a_reason(string body, int status, string? field)
    {
        var link = Path.Combine(library.Root, RestLibrary.StorePath, "leads-out");
        if (!Path.Exists(link))
            Directory.CreateSymbolicLink(link, "/etc");
        var asked = body.Replace("{ok}", NewPath("fine"), StringComparison.Ordinal).Replace("{root}", library.Root, StringComparison.Ordinal);
        using var response = await AddAsync((await library.SharedProjectAsync()).Admin, asked);
        var problem = await RestLibrary.ProblemOf(response);
        Assert.Equal((status, field), (problem.Status, problem.Field));
        Assert.DoesNotContain("many", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_no_administrator_adds_nothing()
    {
        var project = await library.NewProjectAsync();
        using var refused = await AddAsync(project.Member, $$"""{"name":"mine","kind":"directory","path":"{{NewPath("mine")}}"}""");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal(ExitCodes.Denied, (await library.CommandAsync(project.Member, "store", "add", "mine", "--kind", "directory", "--path", NewPath("mine"))).Code);
        Assert.Equal(ExitCodes.Usage, (await library.CommandAsync(project.Admin, "store", "add", "mine", "--kind", "directory", "--set", "no setting")).Code);
    }

    [Fact]
    public async Task A_place_that_another_store_has_or_that_has_content_is_refused()
    {
        var admin = (await library.SharedProjectAsync()).Admin;
        using (var first = await AddAsync(admin, $$"""{"name":"first","kind":"chunked","path":"{{NewPath("taken")}}"}"""))
            Assert.Equal(HttpStatusCode.Created, first.StatusCode);

        foreach (var (name, path) in new[] { ("same", NewPath("taken")), ("inside", NewPath("taken/inside")), ("first", NewPath("elsewhere")) })
        {
            using var second = await AddAsync(admin, $$"""{"name":"{{name}}","kind":"chunked","path":"{{path}}"}""");
            Assert.Equal((409, name == "first" ? "store-exists" : "store-in-use"), (await RestLibrary.ProblemOf(second) is var p ? (p.Status, p.Code) : default));
        }

        var full = NewPath("full");
        var foreign = Vitrine.Stores.FileSystem.FileSystemStore.Open("foreign", full);
        await using (var writer = await foreign.OpenWriterAsync(new StagingKey("one"), Stop))
            await writer.CommitAsync(Vitrine.Content.Digest.Of([]), Stop);
        using var refused = await AddAsync(admin, $$"""{"name":"full","kind":"directory","path":"{{full}}"}""");
        Assert.Equal("store-in-use", (await RestLibrary.ProblemOf(refused)).Code);
    }

    [Theory]
    [InlineData("directory")]
    [InlineData("chunked")]
    public async Task A_place_where_somebody_has_made_a_store_is_refused_though_it_is_empty(string kind)
    {
        var admin = (await library.SharedProjectAsync()).Admin;
        var path = NewPath($"made-{kind}");
        IContentStore made = kind is "chunked"
            ? ChunkedStore.InDirectory("elsewhere", path, new ChunkedStoreOptions(), TimeProvider.System)
            : FileSystemStore.Open("elsewhere", path);
        await made.ProbeAsync(Stop);

        using var refused = await AddAsync(admin, $$"""{"name":"second","kind":"{{kind}}","path":"{{path}}"}""");
        Assert.Equal((409, "store-in-use"), (await RestLibrary.ProblemOf(refused) is var p ? (p.Status, p.Code) : default));
        await made.ProbeAsync(Stop);
    }

    [Theory]
    [InlineData("directory")]
    [InlineData("chunked")]
    public async Task What_could_not_be_added_leaves_the_place_as_it_was(string kind)
    {
        var admin = (await library.SharedProjectAsync()).Admin;
        var (name, path) = ($"again-{kind}", NewPath($"again-{kind}"));
        using (var refused = await AddAsync(admin, $$"""{"name":"{{name}}","kind":"{{kind}}","path":"{{path}}","syncAddress":"http://127.0.0.1:1"}"""))
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        using var added = await AddAsync(admin, $$"""{"name":"{{name}}","kind":"{{kind}}","path":"{{path}}"}""");
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
    }

    [Fact]
    public async Task A_configuration_that_names_an_added_store_or_its_place_is_found_out()
    {
        var admin = (await library.SharedProjectAsync()).Admin;
        var path = NewPath("kept");
        using (var added = await AddAsync(admin, $$"""{"name":"kept","kind":"chunked","path":"{{path}}"}"""))
            Assert.Equal(HttpStatusCode.Created, added.StatusCode);

        foreach (var (name, place, clash) in new[] { ("kept", NewPath("not-kept"), "kept"), ("renamed", path, "kept"), ("around", Path.GetDirectoryName(path)!, "kept"), ("apart", NewPath("apart"), null) })
        {
            var options = new StoreOptions { Kind = "chunked", Path = place };
            var opener = new StoreOpener([(name, options)], new ServerOptions { NodeName = "node-1", Zone = "zone-1", StorePaths = { Path.GetDirectoryName(path)! } });
            var registry = new StoreRegistry([(new LibraryStore(name, "zone-1", "chunked", "", IsDefault: true), ChunkedStore.InDirectory(name, place, new ChunkedStoreOptions(), TimeProvider.System))]);
            using var stores = ActivatorUtilities.CreateInstance<AddedStores>(library.Services, opener, registry);
            var clashes = await stores.ListClashesAsync(Stop);
            Assert.Equal(clash is not null, clashes.Contains((name, clash ?? "")));

            // Names hold everywhere, and places in their zone.
            using var elsewhere = ActivatorUtilities.CreateInstance<AddedStores>(library.Services, opener, registry, new ThisNode("node-2", "life", "zone-2"));
            Assert.Equal(name == "kept", (await elsewhere.ListClashesAsync(Stop)).Contains((name, "kept")));
        }
    }

    private string NewPath(string name) => Directory.CreateDirectory(Path.Combine(library.Root, RestLibrary.StorePath, name)).FullName;

    private Task<HttpResponseMessage> AddAsync(string token, string body) => library.SendAsync(HttpMethod.Post, "api/v1/stores", token, RestLibrary.Json(body));
}
