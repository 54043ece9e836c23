using System.Net;

namespace Vitrine.ApiTests.Glance;

/// <summary>Of the cache it is said that it is empty, and nobody is told that something will be in it.</summary>
public sealed class CacheTests(LibraryHost host) : GlanceTest(host)
{
    [Fact]
    public async Task Nothing_is_cached_and_all_of_it_can_be_cleared()
    {
        Assert.Equal("""{"cached_images":[],"queued_images":[]}""", (await Admin.GetAsync("/v2/cache")).BodyText);
        Assert.Equal(HttpStatusCode.NoContent, (await Admin.DeleteAsync("/v2/cache")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await ClearAsync("queue")).Status);
        Refused(HttpStatusCode.BadRequest, await ClearAsync("all"));
        Refused(HttpStatusCode.Forbidden, await Member.GetAsync("/v2/cache"));
        Refused(HttpStatusCode.Forbidden, await Member.DeleteAsync("/v2/cache"));
    }

    [Fact]
    public async Task An_image_is_not_cached_and_will_not_be()
    {
        var id = await Member.CreateActiveAsync([1]);
        Refused(HttpStatusCode.NotFound, await Admin.PutAsync($"/v2/cache/{id}"));
        Assert.Equal(HttpStatusCode.NoContent, (await Admin.DeleteAsync($"/v2/cache/{id}")).Status);
        Refused(HttpStatusCode.NotFound, await Admin.DeleteAsync($"/v2/cache/{Guid.NewGuid()}"));
        Refused(HttpStatusCode.Forbidden, await Member.PutAsync($"/v2/cache/{id}"));
        Refused(HttpStatusCode.Forbidden, await Member.DeleteAsync($"/v2/cache/{id}"));
    }

    private Task<GlanceReply> ClearAsync(string target) =>
        Admin.SendAsync("DELETE", "/v2/cache", content: null, ("x-image-cache-clear-target", target));
}
