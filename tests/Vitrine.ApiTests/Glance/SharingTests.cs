using System.Net;

namespace Vitrine.ApiTests.Glance;

public sealed class SharingTests(LibraryHost host) : GlanceTest(host)
{
    // Who sees an image of another project that was not shared with it, and who finds it in its list without asking further.
    [Theory]
    [InlineData("private", false, false)]
    [InlineData("shared", false, false)]
    [InlineData("community", true, false)]
    [InlineData("public", true, true)]
    public async Task Visibility_says_what_others_see(string visibility, bool seen, bool listed)
    {
        var id = await Admin.CreateActiveAsync([1], $"\"visibility\":\"{visibility}\"");
        var (_, neighbour) = await NewNeighbourAsync();
        var expected = seen ? HttpStatusCode.OK : HttpStatusCode.NotFound;

        Assert.Equal(expected, (await neighbour.GetAsync($"/v2/images/{id}")).Status);
        Assert.Equal(expected, (await neighbour.GetAsync($"/v2/images/{id}/file")).Status);
        Assert.Equal(listed, await IsListedAsync(neighbour, id, ""));
        Assert.Equal(seen && visibility == "community" || listed, await IsListedAsync(neighbour, id, "&visibility=all"));
        Assert.True(await IsListedAsync(Member, id, ""));

        // What one sees and does not own is forbidden; what one does not see is not found.
        var refused = seen ? HttpStatusCode.Forbidden : HttpStatusCode.NotFound;
        Refused(refused, await neighbour.PatchAsync(id, """[{"op":"add","path":"/name","value":"x"}]"""));
        Refused(refused, await neighbour.DeleteAsync($"/v2/images/{id}"));
        Refused(refused, await neighbour.UploadAsync(id, [1]));
        Refused(refused, await neighbour.PutAsync($"/v2/images/{id}/tags/x"));
        Refused(refused, await neighbour.PostAsync($"/v2/images/{id}/actions/deactivate"));
        Refused(refused, await neighbour.PostAsync($"/v2/images/{id}/members", """{"member":"x"}"""));
    }

    [Fact]
    public async Task Public_images_are_those_of_the_own_domain()
    {
        var id = await Admin.CreateAsync(""" "visibility":"public" """);
        var (_, foreigner) = await NewNeighbourAsync($"domain-{Project.Id}");

        Refused(HttpStatusCode.NotFound, await foreigner.GetAsync($"/v2/images/{id}"));
        Assert.False(await IsListedAsync(foreigner, id, ""));
    }

    [Fact]
    public async Task Administrators_see_everything()
    {
        var id = await Member.CreateAsync(""" "visibility":"private" """);
        var elsewhere = new GlanceCaller(Host, (await Host.NewProjectAsync(Stop)).Admin);

        Assert.Equal(HttpStatusCode.OK, (await elsewhere.GetAsync($"/v2/images/{id}")).Status);
        Assert.True(await IsListedAsync(elsewhere, id, $"&owner={Project.Id}"));
        Assert.Equal(HttpStatusCode.NoContent, (await elsewhere.DeleteAsync($"/v2/images/{id}")).Status);
    }

    [Fact]
    public async Task An_image_is_shared_answered_and_taken_back()
    {
        var id = await Member.CreateAsync();
        var (project, neighbour) = await NewNeighbourAsync();

        var added = await Member.PostAsync($"/v2/images/{id}/members", $$"""{"member":"{{project.Id}}"}""");
        Assert.Equal(HttpStatusCode.OK, added.Status);
        Assert.Equal(project.Id.Value, added.Text("member_id"));
        Assert.Equal(id, added.Text("image_id"));
        Assert.Equal("pending", added.Text("status"));
        Assert.Equal("/v2/schemas/member", added.Text("schema"));

        Assert.Equal(HttpStatusCode.OK, (await neighbour.GetAsync($"/v2/images/{id}")).Status);
        Assert.False(await IsListedAsync(neighbour, id, ""));
        Assert.True(await IsListedAsync(neighbour, id, "&visibility=shared&member_status=pending"));
        Assert.True(await IsListedAsync(neighbour, id, "&visibility=shared&member_status=all"));

        var accepted = await neighbour.PutAsync($"/v2/images/{id}/members/{project.Id}", """{"status":"accepted","member":"ignored"}""");
        Assert.Equal("accepted", accepted.Text("status"));
        Assert.True(await IsListedAsync(neighbour, id, ""));
        Assert.True(await IsListedAsync(neighbour, id, "&visibility=shared"));

        await neighbour.PutAsync($"/v2/images/{id}/members/{project.Id}", """{"status":"rejected"}""");
        Assert.False(await IsListedAsync(neighbour, id, ""));
        Assert.True(await IsListedAsync(neighbour, id, "&member_status=rejected&visibility=shared"));
        Assert.Equal("rejected", (await Member.GetAsync($"/v2/images/{id}/members/{project.Id}")).Text("status"));

        Assert.Equal(HttpStatusCode.NoContent, (await Member.DeleteAsync($"/v2/images/{id}/members/{project.Id}")).Status);
        Refused(HttpStatusCode.NotFound, await Member.DeleteAsync($"/v2/images/{id}/members/{project.Id}"));
        Refused(HttpStatusCode.NotFound, await neighbour.GetAsync($"/v2/images/{id}"));
    }

    [Fact]
    public async Task Owners_see_all_members_and_members_themselves()
    {
        var id = await Member.CreateAsync();
        var (first, firstMember) = await NewNeighbourAsync();
        var (second, _) = await NewNeighbourAsync();
        foreach (var project in (TestProject[])[first, second])
            await Member.PostAsync($"/v2/images/{id}/members", $$"""{"member":"{{project.Id}}"}""");

        var all = await Member.GetAsync($"/v2/images/{id}/members");
        Assert.Equal([first.Id.Value, second.Id.Value], all.Each("members", "member_id"));
        Assert.Equal("/v2/schemas/members", all.Text("schema"));
        Assert.Equal([first.Id.Value], (await firstMember.GetAsync($"/v2/images/{id}/members")).Each("members", "member_id"));
        Assert.Equal(HttpStatusCode.OK, (await firstMember.GetAsync($"/v2/images/{id}/members/{first.Id}")).Status);
        Refused(HttpStatusCode.NotFound, await firstMember.GetAsync($"/v2/images/{id}/members/{second.Id}"));
    }

    [Fact]
    public async Task Only_the_owner_shares_and_only_the_member_answers()
    {
        var id = await Member.CreateAsync();
        var (project, neighbour) = await NewNeighbourAsync();
        var (third, _) = await NewNeighbourAsync();
        await Member.PostAsync($"/v2/images/{id}/members", $$"""{"member":"{{project.Id}}"}""");

        Refused(HttpStatusCode.Forbidden, await neighbour.PostAsync($"/v2/images/{id}/members", $$"""{"member":"{{third.Id}}"}"""));
        Refused(HttpStatusCode.Forbidden, await neighbour.DeleteAsync($"/v2/images/{id}/members/{project.Id}"));
        Refused(HttpStatusCode.Forbidden, await Member.PutAsync($"/v2/images/{id}/members/{project.Id}", """{"status":"accepted"}"""));
        Assert.Equal(HttpStatusCode.OK, (await Admin.PutAsync($"/v2/images/{id}/members/{project.Id}", """{"status":"accepted"}""")).Status);
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("[]", 400)]
    [InlineData("{}", 400)]
    [InlineData("""{"member":""}""", 400)]
    [InlineData("""{"member":7}""", 400)]
    public async Task A_bad_member_is_refused(string body, int status) =>
        Refused((HttpStatusCode)status, await Member.PostAsync($"/v2/images/{await Member.CreateAsync()}/members", body));

    [Fact]
    public async Task Members_are_refused_twice_unknown_or_of_images_that_are_not_shared()
    {
        var id = await Member.CreateAsync();
        var (project, neighbour) = await NewNeighbourAsync();
        var body = $$"""{"member":"{{project.Id}}"}""";
        await Member.PostAsync($"/v2/images/{id}/members", body);

        Refused(HttpStatusCode.Conflict, await Member.PostAsync($"/v2/images/{id}/members", body));
        Refused(HttpStatusCode.BadRequest, await neighbour.PutAsync($"/v2/images/{id}/members/{project.Id}", """{"status":"maybe"}"""));
        Refused(HttpStatusCode.BadRequest, await neighbour.PutAsync($"/v2/images/{id}/members/{project.Id}", "{}"));
        Refused(HttpStatusCode.NotFound, await Member.GetAsync($"/v2/images/{id}/members/nobody"));
        Refused(HttpStatusCode.NotFound, await Admin.PutAsync($"/v2/images/{id}/members/nobody", """{"status":"accepted"}"""));

        var own = await Member.CreateAsync(""" "visibility":"private" """);
        Refused(HttpStatusCode.Forbidden, await Member.PostAsync($"/v2/images/{own}/members", body));
        Refused(HttpStatusCode.Forbidden, await Member.GetAsync($"/v2/images/{own}/members"));
    }

    private async Task<bool> IsListedAsync(GlanceCaller caller, string id, string more) =>
        (await caller.GetAsync($"/v2/images?limit=1000{more}&id={id}")).Each("images", "id").Contains(id);
}
