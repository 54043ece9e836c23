using System.Net;
using System.Text.Json.Nodes;

namespace Vitrine.ApiTests.Glance;

/// <summary>Metadata definitions, held against what Glance 25 answers.</summary>
public sealed class MetadefTests(LibraryHost host) : GlanceTest(host)
{
    private const string Namespaces = "/v2/metadefs/namespaces";

    private const string Content = """
        "properties": {
          "p1": {"title": "P1", "type": "string", "description": "d", "default": "x", "enum": ["x", "y"], "operators": ["<or>"], "pattern": "("},
          "p2": {"title": "P2", "type": "integer", "minimum": 1, "maximum": 5.5, "default": 3, "readonly": true},
          "p3": {"title": "P3", "type": "boolean", "default": true},
          "p4": {"title": "P4", "type": "array", "items": {"type": "string", "enum": ["a"]}, "uniqueItems": true, "minItems": 1, "maxItems": 2, "additionalItems": false}
        },
        "objects": [{"name": "o1", "description": "od", "required": ["q1"], "properties": {"q1": {"title": "Q1", "type": "number", "minLength": 0, "maxLength": 9}}}],
        "tags": [{"name": "t1"}, {"name": "t2"}],
        "resource_type_associations": [{"name": "OS::Glance::Image", "prefix": "hw_"}, {"name": "OS::Nova::Flavor", "properties_target": "x"}]
        """;

    /// <summary>All tests share the library, so each has a name of its own.</summary>
    private string Name => $"T::{Project.Id}";

    private string Own => $"{Namespaces}/{Name}";

    [Fact]
    public async Task A_namespace_is_made_with_all_that_is_in_it_and_shown()
    {
        var made = await MakeAsync($""" "display_name": "D", "description": "e", "visibility": "public", {Content} """);
        Assert.Equal($"{Host.Address}/image{Own}", made.Headers["Location"]);
        Assert.Equal(Own, made.Text("self"));
        Assert.Equal("/v2/schemas/metadefs/namespace", made.Text("schema"));
        Assert.Equal(Project.Id.Value, made.Text("owner"));

        var shown = (await Reader.GetAsync(Own)).Json;
        Same(
            """
            {"p1": {"type": "string", "title": "P1", "description": "d", "operators": ["<or>"], "default": "x", "enum": ["x", "y"], "pattern": "("},
             "p2": {"type": "integer", "title": "P2", "default": "3", "readonly": true, "minimum": 1, "maximum": 5.5},
             "p3": {"type": "boolean", "title": "P3", "default": "True"},
             "p4": {"type": "array", "title": "P4", "items": {"type": "string", "enum": ["a"]}, "uniqueItems": true, "minItems": 1, "maxItems": 2, "additionalItems": false}}
            """,
            shown["properties"]);
        Assert.Equal("o1", shown["objects"]![0]!["name"]!.GetValue<string>());
        Same("""[{"name": "t2"}, {"name": "t1"}]""", shown["tags"]);
        Assert.Equal("hw_", shown["resource_type_associations"]![0]!["prefix"]!.GetValue<string>());
    }

    [Fact]
    public async Task For_a_resource_type_properties_have_its_prefix()
    {
        await MakeAsync(Content);
        var shown = (await Admin.GetAsync($"{Own}?resource_type=OS::Glance::Image")).Json;
        Assert.Equal(["hw_p1", "hw_p2", "hw_p3", "hw_p4"], shown["properties"]!.AsObject().Select(p => p.Key).Order());
        Assert.Equal("hw_q1", shown["objects"]![0]!["required"]![0]!.GetValue<string>());
        Assert.Equal("hw_q1", shown["objects"]![0]!["properties"]!.AsObject().Single().Key);
        Assert.Contains((await Admin.GetAsync($"{Own}?resource_type=OS::Nowhere")).Json["properties"]!.AsObject(), p => p.Key == "p1");

        Assert.Equal("p1", (await Admin.GetAsync($"{Own}/properties/hw_p1?resource_type=OS::Glance::Image")).Text("name"));
        Refused(HttpStatusCode.NotFound, await Admin.GetAsync($"{Own}/properties/p1?resource_type=OS::Glance::Image"));
        Refused(HttpStatusCode.NotFound, await Admin.GetAsync($"{Own}/properties/p1?resource_type=OS::Cinder::Volume"));
    }

    [Fact]
    public async Task A_namespace_is_replaced_renamed_and_deleted_and_keeps_what_is_in_it()
    {
        await MakeAsync($""" "display_name": "D", "visibility": "public", {Content} """);
        var changed = await Admin.PutAsync(Own, $$"""{"namespace": "{{Name}}::2", "description": "new"}""");
        Assert.Equal(HttpStatusCode.OK, changed.Status);
        Assert.Equal("private", changed.Text("visibility"));
        Assert.False(changed.Json.ContainsKey("display_name"));

        Refused(HttpStatusCode.NotFound, await Admin.GetAsync(Own));
        Assert.Equal(4, (await Admin.GetAsync($"{Own}::2")).Json["properties"]!.AsObject().Count);
        Assert.Equal(HttpStatusCode.NoContent, (await Admin.DeleteAsync($"{Own}::2")).Status);
        Refused(HttpStatusCode.NotFound, await Admin.DeleteAsync($"{Own}::2"));
    }

    [Fact]
    public async Task Two_namespaces_of_one_name_are_a_conflict()
    {
        await MakeAsync();
        Refused(HttpStatusCode.Conflict, await Admin.PostAsync(Namespaces, $$"""{"namespace": "{{Name}}"}"""));
        Assert.Equal(HttpStatusCode.Created, (await Admin.PostAsync(Namespaces, $$"""{"namespace": "{{Name}}::2"}""")).Status);
        Refused(HttpStatusCode.Conflict, await Admin.PutAsync($"{Own}::2", $$"""{"namespace": "{{Name}}"}"""));
    }

    [Theory]
    [InlineData("""{"display_name": "x"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": ""}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "a/b"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": ".."}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "\u0000"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": 5}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "x", "visibility": "shared"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "x", "protected": "yes"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "x", "nonsense": 1}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "x", "owner": "not a project \u0000"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "x", "self": "y"}""", HttpStatusCode.Forbidden)]
    [InlineData("""{"namespace": "x", "created_at": "y"}""", HttpStatusCode.Forbidden)]
    [InlineData("""{"namespace": "x", "objects": [1]}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "x", "objects": [{"name": "o", "nonsense": 1}]}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "x", "tags": [{}]}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "x", "tags": [{"name": "a"}, {"name": "A"}]}""", HttpStatusCode.Conflict)]
    [InlineData("""{"namespace": "x", "properties": []}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "x", "properties": {"p": 1}}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "x", "resource_type_associations": {}}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"namespace": "x", "resource_type_associations": [{"name": "A"}, {"name": "A"}]}""", HttpStatusCode.Conflict)]
    [InlineData("[]", HttpStatusCode.BadRequest)]
    [InlineData("{", HttpStatusCode.BadRequest)]
    [InlineData("", HttpStatusCode.BadRequest)]
    public async Task What_is_no_namespace_is_refused_and_leaves_nothing(string body, HttpStatusCode expected)
    {
        Refused(expected, await Admin.PostAsync(Namespaces, body));
        Refused(HttpStatusCode.NotFound, await Admin.GetAsync($"{Namespaces}/x"));
    }

    [Theory]
    [InlineData("namespace", 81)]
    [InlineData("display_name", 81)]
    [InlineData("description", 501)]
    public async Task Texts_that_are_too_long_are_refused(string member, int length)
    {
        var body = new JsonObject { ["namespace"] = Name };
        body[member] = new string('x', length);
        Refused(HttpStatusCode.BadRequest, await Admin.PostAsync(Namespaces, body.ToJsonString()));

        body[member] = member == "namespace" ? Name : new string('x', length - 1);
        Assert.Equal(HttpStatusCode.Created, (await Admin.PostAsync(Namespaces, body.ToJsonString())).Status);
    }

    [Fact]
    public async Task A_namespace_holds_only_so_much()
    {
        await MakeAsync();
        var tags = string.Join(',', Enumerable.Range(0, 1001).Select(i => $$"""{"name": "t{{i}}"}"""));
        Refused(HttpStatusCode.RequestEntityTooLarge, await Admin.PostAsync($"{Own}/tags", $$"""{"tags": [{{tags}}]}"""));

        // What is added in many requests counts together.
        var large = new string('x', 700_000);
        string Property(string name) => $$"""{"name": "{{name}}", "title": "t", "type": "string", "description": "{{large}}"}""";
        Assert.Equal(HttpStatusCode.Created, (await Admin.PostAsync($"{Own}/properties", Property("first"))).Status);
        Refused(HttpStatusCode.RequestEntityTooLarge, await Admin.PostAsync($"{Own}/properties", Property("second")));
    }

    [Fact]
    public async Task Administrators_write_and_everybody_reads_what_is_public()
    {
        await MakeAsync($""" "visibility": "public", {Content} """);
        foreach (var caller in new[] { Member, Reader })
        {
            foreach (var path in new[] { "", "/properties", "/properties/p1", "/objects", "/objects/o1", "/tags", "/tags/t1", "/resource_types" })
                Assert.Equal(HttpStatusCode.OK, (await caller.GetAsync(Own + path)).Status);
            await CannotWriteAsync(caller, HttpStatusCode.Forbidden);
            Refused(HttpStatusCode.Forbidden, await caller.PostAsync(Namespaces, """{"namespace": "mine"}"""));
        }

        Refused(HttpStatusCode.Unauthorized, await Stranger.GetAsync(Namespaces));
    }

    [Fact]
    public async Task A_private_namespace_is_its_projects_alone()
    {
        await MakeAsync(Content);
        var (_, neighbour) = await NewNeighbourAsync();

        Assert.Equal(HttpStatusCode.OK, (await Reader.GetAsync(Own)).Status);
        foreach (var path in new[] { "", "/properties", "/properties/p1", "/objects", "/objects/o1", "/tags", "/tags/t1", "/resource_types" })
            Refused(HttpStatusCode.NotFound, await neighbour.GetAsync(Own + path));
        await CannotWriteAsync(neighbour, HttpStatusCode.NotFound);
        Assert.Contains(Name, await ListAsync(Reader, ""));
        Assert.DoesNotContain(Name, await ListAsync(neighbour, ""));
        Refused(HttpStatusCode.NotFound, await neighbour.GetAsync($"{Namespaces}?marker={Name}"));
    }

    [Fact]
    public async Task Nothing_is_taken_out_of_a_protected_namespace()
    {
        await MakeAsync($""" "protected": true, {Content} """);
        foreach (var path in new[]
        {
            "", "/properties", "/properties/p1", "/objects", "/objects/o1", "/tags", "/tags/t1", "/resource_types/OS::Glance::Image",
        })
            Refused(HttpStatusCode.Forbidden, await Admin.DeleteAsync(Own + path));
        Refused(HttpStatusCode.NotFound, await Admin.DeleteAsync($"{Own}/tags/none"));

        Assert.Equal(HttpStatusCode.Created, (await Admin.PostAsync($"{Own}/tags/t3")).Status);
        Assert.Equal(HttpStatusCode.OK, (await Admin.PutAsync(Own, $$"""{"namespace": "{{Name}}"}""")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await Admin.DeleteAsync(Own)).Status);
    }

    [Fact]
    public async Task Lists_have_filters_and_pages()
    {
        var type = $"Type::{Project.Id}";
        foreach (var (name, visibility) in new[] { ("b", "public"), ("a", "private"), ("c", "public") })
            Assert.Equal(HttpStatusCode.Created, (await Admin.PostAsync(
                Namespaces,
                $$"""{"namespace": "{{Name}}::{{name}}", "visibility": "{{visibility}}", "resource_type_associations": [{"name": "{{type}}"}]}""")).Status);
        var only = $"resource_types={type},OS::Nothing";

        Assert.Equal([$"{Name}::c", $"{Name}::a", $"{Name}::b"], await ListAsync(Admin, only));
        Assert.Equal([$"{Name}::c", $"{Name}::b"], await ListAsync(Admin, $"{only}&visibility=public"));
        Assert.Equal([$"{Name}::a"], await ListAsync(Admin, $"{only}&visibility=private"));
        Assert.Equal([$"{Name}::a", $"{Name}::b", $"{Name}::c"], await ListAsync(Admin, $"{only}&sort_key=namespace&sort_dir=asc"));
        Assert.Empty(await ListAsync(Admin, "resource_types=OS::Nothing"));
        Assert.Empty(await ListAsync(Admin, $"{only}&limit=0"));

        var first = (await Admin.GetAsync($"{Namespaces}?{only}&limit=2")).Json;
        var path = $"{Namespaces}?resource_types={Uri.EscapeDataString($"{type},OS::Nothing")}&limit=2";
        Assert.Equal(path, first["first"]!.GetValue<string>());
        Assert.Equal($"{path}&marker={Uri.EscapeDataString($"{Name}::a")}", first["next"]!.GetValue<string>());
        Assert.Equal("/v2/schemas/metadefs/namespaces", first["schema"]!.GetValue<string>());
        var second = (await Admin.GetAsync(first["next"]!.GetValue<string>())).Json;
        Assert.Equal($"{Name}::b", Assert.Single(second["namespaces"]!.AsArray())!["namespace"]!.GetValue<string>());
        Assert.False(second.ContainsKey("next"));
    }

    [Theory]
    [InlineData("?visibility=shared", HttpStatusCode.BadRequest)]
    [InlineData("?limit=-1", HttpStatusCode.BadRequest)]
    [InlineData("?limit=x", HttpStatusCode.BadRequest)]
    [InlineData("?sort_dir=up", HttpStatusCode.BadRequest)]
    [InlineData("?sort_key=nonsense", HttpStatusCode.BadRequest)]
    [InlineData("?marker=nothing", HttpStatusCode.NotFound)]
    [InlineData("/", HttpStatusCode.NotFound)]
    public async Task A_list_that_is_not_well_asked_for_is_refused(string query, HttpStatusCode expected) =>
        Refused(expected, await Reader.GetAsync(Namespaces + query));

    [Fact]
    public async Task A_property_lives_its_life()
    {
        await MakeAsync();
        const string Body = """{"name": "n", "title": "t", "type": "string"}""";
        var made = await Admin.PostAsync($"{Own}/properties", Body);
        Assert.Equal(HttpStatusCode.Created, made.Status);
        Same(Body, made.Json);
        Refused(HttpStatusCode.Conflict, await Admin.PostAsync($"{Own}/properties", Body));

        Assert.Equal(HttpStatusCode.OK, (await Admin.PutAsync($"{Own}/properties/n", """{"name": "m", "title": "u", "type": "integer"}""")).Status);
        Refused(HttpStatusCode.NotFound, await Admin.GetAsync($"{Own}/properties/n"));
        Refused(HttpStatusCode.NotFound, await Admin.PutAsync($"{Own}/properties/n", Body));
        Same("""{"properties": {"m": {"type": "integer", "title": "u"}}}""", (await Admin.GetAsync($"{Own}/properties")).Json);

        await Admin.PostAsync($"{Own}/properties", Body);
        Refused(HttpStatusCode.Conflict, await Admin.PutAsync($"{Own}/properties/n", """{"name": "m", "title": "t", "type": "string"}"""));
        Assert.Equal(HttpStatusCode.NoContent, (await Admin.DeleteAsync($"{Own}/properties/m")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await Admin.DeleteAsync($"{Own}/properties")).Status);
        Same("""{"properties": {}}""", (await Admin.GetAsync($"{Own}/properties")).Json);
    }

    [Theory]
    [InlineData("""{"title": "t", "type": "string"}""")]
    [InlineData("""{"name": "n", "type": "string"}""")]
    [InlineData("""{"name": "n", "title": "t"}""")]
    [InlineData("""{"name": "n", "title": "t", "type": "text"}""")]
    [InlineData("""{"name": "n", "title": "t", "type": null}""")]
    [InlineData("""{"name": "n", "title": "t", "type": "string", "nonsense": 1}""")]
    [InlineData("""{"name": "n", "title": "t", "type": "string", "enum": "x"}""")]
    [InlineData("""{"name": "n", "title": "t", "type": "string", "enum": [null]}""")]
    [InlineData("""{"name": "n", "title": "t", "type": "string", "minimum": 1e400}""")]
    [InlineData("""{"name": "n", "title": "t", "type": "string", "maxLength": -1}""")]
    [InlineData("""{"name": "n", "title": "t", "type": "string", "minItems": 1.5}""")]
    [InlineData("""{"name": "n", "title": "t", "type": "string", "items": {"enum": []}}""")]
    [InlineData("""{"name": "n", "title": "t", "type": "string", "items": {"type": "string", "x": 1}}""")]
    [InlineData("""{"name": "n", "title": "\ud800", "type": "string"}""")]
    public async Task What_is_no_property_is_refused(string body)
    {
        await MakeAsync();
        Refused(HttpStatusCode.BadRequest, await Admin.PostAsync($"{Own}/properties", body));
    }

    [Fact]
    public async Task An_object_lives_its_life()
    {
        await MakeAsync();
        var made = await Admin.PostAsync($"{Own}/objects", """{"name": "o", "properties": {"p": {"title": "P", "type": "string"}}, "required": ["p"]}""");
        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.Equal($"{Own}/objects/o", made.Text("self"));
        Assert.Equal("/v2/schemas/metadefs/object", made.Text("schema"));
        Refused(HttpStatusCode.Conflict, await Admin.PostAsync($"{Own}/objects", """{"name": "o"}"""));
        Refused(HttpStatusCode.Forbidden, await Admin.PostAsync($"{Own}/objects", """{"name": "r", "schema": "x"}"""));
        Refused(HttpStatusCode.BadRequest, await Admin.PostAsync($"{Own}/objects", """{"name": "r", "required": ["a", "a"]}"""));
        Refused(HttpStatusCode.BadRequest, await Admin.GetAsync($"{Own}/objects?limit=0"));

        var changed = await Admin.PutAsync($"{Own}/objects/o", """{"name": "o2", "description": "new"}""");
        Assert.Equal(HttpStatusCode.OK, changed.Status);
        Assert.Equal(made.Text("created_at"), changed.Text("created_at"));
        var listed = (await Admin.GetAsync($"{Own}/objects")).Json;
        Assert.Equal("v2/schemas/metadefs/objects", listed["schema"]!.GetValue<string>());
        Assert.Equal("new", Assert.Single(listed["objects"]!.AsArray())!["description"]!.GetValue<string>());

        Refused(HttpStatusCode.NotFound, await Admin.PutAsync($"{Own}/objects/o", """{"name": "o"}"""));
        Assert.Equal(HttpStatusCode.NoContent, (await Admin.DeleteAsync($"{Own}/objects/o2")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await Admin.DeleteAsync($"{Own}/objects")).Status);
        Refused(HttpStatusCode.NotFound, await Admin.GetAsync($"{Own}/objects/o2"));
    }

    [Fact]
    public async Task Tags_live_their_lives()
    {
        await MakeAsync();
        Assert.Equal(HttpStatusCode.Created, (await Admin.PostAsync($"{Own}/tags", """{"tags": [{"name": "a"}, {"name": "b"}]}""")).Status);
        Assert.Equal(HttpStatusCode.Created, (await Admin.PostAsync($"{Own}/tags/c")).Status);
        Refused(HttpStatusCode.Conflict, await Admin.PostAsync($"{Own}/tags/C"));
        Refused(HttpStatusCode.BadRequest, await Admin.PostAsync($"{Own}/tags/{new string('t', 81)}"));
        Assert.Equal(["c", "b", "a"], await TagsAsync(""));
        Assert.Equal(["c", "b"], await TagsAsync("?limit=2"));
        Assert.Equal(["a"], await TagsAsync("?marker=b&limit=2"));
        Assert.Equal(["a", "b", "c"], await TagsAsync("?sort_key=name&sort_dir=asc"));
        Assert.Empty(await TagsAsync("?limit=0"));
        Refused(HttpStatusCode.NotFound, await Admin.GetAsync($"{Own}/tags?marker=none"));
        Refused(HttpStatusCode.BadRequest, await Admin.GetAsync($"{Own}/tags?limit=-1"));

        Assert.Equal("d", (await Admin.PutAsync($"{Own}/tags/c", """{"name": "d"}""")).Text("name"));
        Refused(HttpStatusCode.Conflict, await Admin.PutAsync($"{Own}/tags/d", """{"name": "a"}"""));
        Refused(HttpStatusCode.NotFound, await Admin.GetAsync($"{Own}/tags/c"));

        // A list replaces the tags, unless it is to be added; an empty one does nothing.
        await Admin.PostAsync($"{Own}/tags", """{"tags": [{"name": "e"}]}""", ("X-Openstack-Append", "True"));
        Assert.Equal(["e", "d", "b", "a"], await TagsAsync(""));
        await Admin.PostAsync($"{Own}/tags", """{"tags": []}""");
        await Admin.PostAsync($"{Own}/tags", """{"tags": [{"name": "f"}, {"name": "f"}]}""");
        Assert.Equal(4, (await TagsAsync("")).Count);
        await Admin.PostAsync($"{Own}/tags", """{"tags": [{"name": "f"}]}""");
        Assert.Equal(["f"], await TagsAsync(""));

        Assert.Equal(HttpStatusCode.NoContent, (await Admin.DeleteAsync($"{Own}/tags/f")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await Admin.DeleteAsync($"{Own}/tags")).Status);
        Refused(HttpStatusCode.BadRequest, await Admin.PostAsync($"{Own}/tags", "{}"));
    }

    [Fact]
    public async Task What_is_added_at_once_is_all_there()
    {
        await MakeAsync();
        var names = Enumerable.Range(0, 6).Select(i => $"t{i}").ToList();
        var added = await Task.WhenAll(names.Select(name => Admin.PostAsync($"{Own}/tags/{name}")));

        Assert.All(added, reply => Assert.Equal(HttpStatusCode.Created, reply.Status));
        Assert.Equal(names, (await TagsAsync("")).Order());
    }

    [Fact]
    public async Task Resource_types_are_associated_and_stay_known()
    {
        await MakeAsync();
        var type = $"Type::{Project.Id}";
        var made = await Admin.PostAsync($"{Own}/resource_types", $$"""{"name": "{{type}}", "prefix": "m_", "properties_target": "u"}""");
        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.Equal("m_", made.Text("prefix"));
        Refused(HttpStatusCode.Conflict, await Admin.PostAsync($"{Own}/resource_types", $$"""{"name": "{{type}}"}"""));
        Refused(HttpStatusCode.BadRequest, await Admin.PostAsync($"{Own}/resource_types", "{}"));
        Assert.Equal([type], (await Reader.GetAsync($"{Own}/resource_types")).Each("resource_type_associations", "name"));

        Assert.Equal(HttpStatusCode.NoContent, (await Admin.DeleteAsync($"{Own}/resource_types/{type}")).Status);
        Refused(HttpStatusCode.NotFound, await Admin.DeleteAsync($"{Own}/resource_types/{type}"));
        Assert.Contains(type, (await Reader.GetAsync("/v2/metadefs/resource_types")).Each("resource_types", "name"));
    }

    [Fact]
    public async Task What_Nova_and_Cinder_understand_is_there_from_the_start()
    {
        Assert.Subset(
            (await Reader.GetAsync("/v2/metadefs/resource_types")).Each("resource_types", "name").ToHashSet(),
            new HashSet<string> { "OS::Glance::Image", "OS::Nova::Flavor", "OS::Cinder::Volume" });
        Assert.Contains("OS::Compute::Watchdog", await ListAsync(Reader, "resource_types=OS::Nova::Flavor"));

        var watchdog = (await Reader.GetAsync($"{Namespaces}/OS::Compute::Watchdog?resource_type=OS::Glance::Image")).Json;
        Same("""["disabled", "reset", "poweroff", "pause", "none"]""", watchdog["properties"]!["hw_watchdog_action"]!["enum"]);
        Assert.True(watchdog["protected"]!.GetValue<bool>());
    }

    [Theory]
    [InlineData("namespace", "namespace")]
    [InlineData("namespaces", "namespaces")]
    [InlineData("resource_type", "resource_type_association")]
    [InlineData("resource_types", "resource_type_associations")]
    [InlineData("property", "property")]
    [InlineData("properties", "properties")]
    [InlineData("object", "object")]
    [InlineData("objects", "objects")]
    [InlineData("tag", "tag")]
    [InlineData("tags", "tags")]
    public async Task Every_form_has_its_schema(string path, string name)
    {
        var schema = await Reader.GetAsync($"/v2/schemas/metadefs/{path}");
        Assert.Equal(name, schema.Text("name"));
        Assert.Contains("properties", schema.Json.Select(m => m.Key));

        // What a schema refers to is in it.
        Assert.All(
            schema.BodyText.Split("#/definitions/").Skip(1).Select(rest => rest[..rest.IndexOf('"', StringComparison.Ordinal)]),
            term => Assert.True(schema.Json["definitions"]!.AsObject().ContainsKey(term), term));
    }

    [Fact]
    public async Task An_unknown_schema_is_not_found() => Refused(HttpStatusCode.NotFound, await Reader.GetAsync("/v2/schemas/metadefs/nothing"));

    private async Task<GlanceReply> MakeAsync(string more = "")
    {
        var made = await Admin.PostAsync(Namespaces, $$"""{"namespace": "{{Name}}"{{(more.Length > 0 ? "," : "")}} {{more}}}""");
        Assert.Equal(HttpStatusCode.Created, made.Status);
        return made;
    }

    private async Task CannotWriteAsync(GlanceCaller caller, HttpStatusCode expected)
    {
        const string Property = """{"name": "n", "title": "t", "type": "string"}""";
        Refused(expected, await caller.PutAsync(Own, """{"namespace": "stolen"}"""));
        Refused(expected, await caller.DeleteAsync(Own));
        Refused(expected, await caller.PostAsync($"{Own}/properties", Property));
        Refused(expected, await caller.PutAsync($"{Own}/properties/p1", Property));
        Refused(expected, await caller.DeleteAsync($"{Own}/properties/p1"));
        Refused(expected, await caller.DeleteAsync($"{Own}/properties"));
        Refused(expected, await caller.PostAsync($"{Own}/objects", """{"name": "n"}"""));
        Refused(expected, await caller.PutAsync($"{Own}/objects/o1", """{"name": "n"}"""));
        Refused(expected, await caller.DeleteAsync($"{Own}/objects/o1"));
        Refused(expected, await caller.DeleteAsync($"{Own}/objects"));
        Refused(expected, await caller.PostAsync($"{Own}/tags", """{"tags": []}"""));
        Refused(expected, await caller.PostAsync($"{Own}/tags/n"));
        Refused(expected, await caller.PutAsync($"{Own}/tags/t1", """{"name": "n"}"""));
        Refused(expected, await caller.DeleteAsync($"{Own}/tags/t1"));
        Refused(expected, await caller.DeleteAsync($"{Own}/tags"));
        Refused(expected, await caller.PostAsync($"{Own}/resource_types", """{"name": "n"}"""));
        Refused(expected, await caller.DeleteAsync($"{Own}/resource_types/OS::Glance::Image"));
    }

    private static async Task<IReadOnlyList<string>> ListAsync(GlanceCaller caller, string query) =>
        [.. (await caller.GetAsync($"{Namespaces}?limit=1000&{query}")).Each("namespaces", "namespace")];

    private async Task<IReadOnlyList<string>> TagsAsync(string query) => [.. (await Admin.GetAsync($"{Own}/tags{query}")).Each("tags", "name")];

    private static void Same(string expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual), actual?.ToJsonString());
}
