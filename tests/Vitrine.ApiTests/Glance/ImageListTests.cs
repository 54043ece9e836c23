using System.Net;

namespace Vitrine.ApiTests.Glance;

public sealed class ImageListTests(LibraryHost host) : GlanceTest(host)
{
    [Theory]
    [InlineData("", "empty,hidden-not,iso,qcow,raw")]
    [InlineData("name=raw", "raw")]
    [InlineData("name=eq:raw", "raw")]
    [InlineData("name=in:raw,qcow", "qcow,raw")]
    [InlineData("name=in:%22raw%22,%22a,b%22", "raw")]
    [InlineData("name=no:operator", "")]
    [InlineData("status=queued", "empty,hidden-not,iso,qcow")]
    [InlineData("status=active", "raw")]
    [InlineData("status=in:queued,active", "empty,hidden-not,iso,qcow,raw")]
    [InlineData("status=uploading", "")]
    [InlineData("disk_format=qcow2", "qcow")]
    [InlineData("disk_format=in:iso,qcow2,floppy", "iso,qcow")]
    [InlineData("disk_format=floppy", "")]
    [InlineData("container_format=ova", "iso")]
    [InlineData("visibility=private", "qcow")]
    [InlineData("visibility=shared", "empty,hidden-not,iso,raw")]
    [InlineData("visibility=all", "empty,hidden-not,iso,qcow,raw")]
    [InlineData("protected=true", "qcow")]
    [InlineData("os_hidden=true", "hidden")]
    [InlineData("os_hidden=TRUE", "hidden")]
    [InlineData("os_hidden=false&protected=true", "qcow")]
    [InlineData("tag=a", "iso,qcow")]
    [InlineData("tag=a&tag=b", "iso")]
    [InlineData("min_disk=3", "qcow")]
    [InlineData("min_ram=64", "qcow")]
    [InlineData("size=5", "raw")]
    [InlineData("size_min=5&size_max=5", "raw")]
    [InlineData("size_min=6", "")]
    [InlineData("color=red", "iso,raw")]
    [InlineData("Color=red", "")]
    [InlineData("color=red&disk_format=raw", "raw")]
    [InlineData("id=not-an-id", "")]
    [InlineData("created_at=gt:2020-01-01T00:00:00Z", "empty,hidden-not,iso,qcow,raw")]
    [InlineData("created_at=lt:2020-01-01T00:00:00Z", "")]
    [InlineData("created_at=2020-01-01T00:00:00Z", "")]
    [InlineData("updated_at=neq:2020-01-01T00:00:00Z&name=raw", "raw")]
    [InlineData("checksum=00000000000000000000000000000000", "")]
    public async Task Filters_choose(string query, string names)
    {
        await FillAsync();
        var reply = await Member.GetAsync($"/v2/images?owner={Project.Id}&{query}");

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal(names, string.Join(',', reply.Each("images", "name").Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("limit=-1")]
    [InlineData("limit=x")]
    [InlineData("limit=")]
    [InlineData("marker=x")]
    [InlineData("marker=9d5f4c1e-7a4c-4d3b-9a7e-2f1d0c9b8a70")]
    [InlineData("sort_key=color")]
    [InlineData("sort_dir=up")]
    [InlineData("sort=name:up")]
    [InlineData("sort=name:asc:x")]
    [InlineData("sort=name&sort_key=name")]
    [InlineData("sort_key=name&sort_key=size&sort_key=id&sort_dir=asc&sort_dir=desc")]
    [InlineData("sort_key=name&sort_key=name")]
    [InlineData("name=neq:x")]
    [InlineData("status=gt:queued")]
    [InlineData("status=unheard-of")]
    [InlineData("name=in:%22open")]
    [InlineData("created_at=yesterday")]
    [InlineData("created_at=about:2020-01-01T00:00:00Z")]
    [InlineData("updated_at=gt:x")]
    [InlineData("size_min=x")]
    [InlineData("size_max=-1")]
    [InlineData("size=x")]
    [InlineData("min_disk=x")]
    [InlineData("visibility=x")]
    [InlineData("member_status=x")]
    [InlineData("protected=TRUE")]
    [InlineData("os_hidden=maybe")]
    [InlineData("changes-since=2020-01-01")]
    public async Task A_question_that_is_not_well_put_is_refused(string query) =>
        Refused(HttpStatusCode.BadRequest, await Member.GetAsync($"/v2/images?{query}"));

    [Theory]
    [InlineData("sort=name:asc", "empty,hidden-not,iso,qcow,raw")]
    [InlineData("sort=name", "raw,qcow,iso,hidden-not,empty")]
    [InlineData("sort=container_format:desc,name:asc", "iso,hidden-not,qcow,raw,empty")]
    [InlineData("sort_key=name&sort_dir=asc", "empty,hidden-not,iso,qcow,raw")]
    [InlineData("sort_key=container_format&sort_key=name&sort_dir=asc", "empty,hidden-not,qcow,raw,iso")]
    [InlineData("sort_key=container_format&sort_key=name&sort_dir=desc&sort_dir=asc", "iso,hidden-not,qcow,raw,empty")]
    [InlineData("", "hidden-not,empty,iso,qcow,raw")]
    [InlineData("sort_dir=asc", "raw,qcow,iso,empty,hidden-not")]
    public async Task Lists_are_sorted(string query, string names)
    {
        await FillAsync();
        Assert.Equal(names, string.Join(',', (await Member.GetAsync($"/v2/images?owner={Project.Id}&{query}")).Each("images", "name")));
    }

    [Fact]
    public async Task Pages_lead_to_each_other_until_one_is_not_full()
    {
        await FillAsync();
        var names = new List<string>();
        var path = $"/v2/images?limit=2&sort=name:asc&owner={Project.Id}&tag=x%26y";
        foreach (var name in (string[])["p1", "p2", "p3", "p4"])
            await Member.CreateAsync($$""" "name":"{{name}}","tags":["x&y"] """);

        var pages = 0;
        for (var next = path; next is not null; pages++)
        {
            var page = await Member.GetAsync(next);
            Assert.Equal(path.Replace("name:asc", "name%3Aasc", StringComparison.Ordinal), page.Text("first"));
            Assert.Equal("/v2/schemas/images", page.Text("schema"));
            names.AddRange(page.Each("images", "name"));
            next = page.Json["next"]?.GetValue<string>();
        }

        Assert.Equal(["p1", "p2", "p3", "p4"], names);
        Assert.Equal(3, pages); // the last page is empty, because the one before it was full
    }

    [Fact]
    public async Task A_page_has_25_images_where_nothing_is_said_and_none_where_none_are_wanted()
    {
        for (var i = 0; i < 26; i++)
            await Member.CreateAsync();

        Assert.Equal(25, (await Member.GetAsync($"/v2/images?owner={Project.Id}")).Each("images", "id").Count());
        var none = await Member.GetAsync("/v2/images?limit=0");
        Assert.Empty(none.Each("images", "id"));
        Assert.False(none.Json.ContainsKey("next"));
        var all = await Member.GetAsync($"/v2/images?owner={Project.Id}&limit=99999999999999999999");
        Assert.Equal(26, all.Each("images", "id").Count());
        Assert.Equal("/v2/images", (await Member.GetAsync("/v2/images")).Text("first"));
    }

    [Fact]
    public async Task What_a_client_was_shown_of_a_time_finds_the_image_again()
    {
        var id = await Member.CreateAsync();
        var time = (await Member.GetAsync($"/v2/images/{id}")).Text("created_at");

        Assert.Equal([id], await FindAsync($"created_at={time}"));
        Assert.Equal([id], await FindAsync($"created_at=gte:{time}"));
        Assert.Equal([id], await FindAsync($"created_at=lte:{time}"));
        Assert.Empty(await FindAsync($"created_at=gt:{time}"));
        Assert.Empty(await FindAsync($"created_at=lt:{time}"));

        async Task<IEnumerable<string>> FindAsync(string filter) =>
            (await Member.GetAsync($"/v2/images?owner={Project.Id}&{filter}")).Each("images", "id");
    }

    [Fact]
    public async Task Deactivated_images_are_found_by_their_status()
    {
        var id = await Member.CreateActiveAsync([1]);
        await Member.PostAsync($"/v2/images/{id}/actions/deactivate");

        Assert.Equal([id], (await Member.GetAsync("/v2/images?status=deactivated")).Each("images", "id"));
        Assert.Empty((await Member.GetAsync($"/v2/images?status=active&owner={Project.Id}")).Each("images", "id"));
    }

    /// <summary>Six images: raw is active with five bytes; hidden is hidden.</summary>
    private async Task FillAsync()
    {
        await Member.CreateActiveAsync([1, 2, 3, 4, 5], """ "name":"raw","color":"red" """);
        await Member.CreateAsync(
            """ "name":"qcow","visibility":"private","protected":true,"tags":["a"],"min_disk":3,"min_ram":64 """,
            """ "disk_format":"qcow2","container_format":"bare" """);
        await Member.CreateAsync(
            """ "name":"iso","tags":["a","b"],"color":"red" """, """ "disk_format":"iso","container_format":"ova" """);
        await Member.CreateAsync(""" "name":"empty" """, formats: "");
        await Member.CreateAsync(""" "name":"hidden","os_hidden":true """);
        await Member.CreateAsync(""" "name":"hidden-not" """);
    }
}
