using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.Quotas;

namespace Vitrine.ApiTests.Glance;

/// <summary>Quotas, as they are set for a project and held against what its users ask of Glance.</summary>
public sealed class QuotaTests(LibraryHost host) : GlanceTest(host)
{
    private const int MiB = 1 << 20;

    [Fact]
    public async Task Of_images_made_at_once_as_many_are_made_as_may_be()
    {
        await LimitAsync(QuotaResource.Images, 3);
        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Member.PostAsync("/v2/images", "{}")));
        Assert.Equal(3, replies.Count(r => r.Status is HttpStatusCode.Created));
        Assert.All(replies.Where(r => r.Status is not HttpStatusCode.Created), reply =>
        {
            Refused(HttpStatusCode.RequestEntityTooLarge, reply);
            Assert.Contains("image_count_total is over limit of 3 due to current usage 3 and delta 1", reply.Text("message"), StringComparison.Ordinal);
        });
        Assert.Equal("""{"limit":3,"usage":3}""", await UsageAsync("image_count_total"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Bytes_over_the_quota_are_refused_whether_they_were_announced_or_not(bool announced)
    {
        await Member.CreateActiveAsync(new byte[MiB]);
        await LimitAsync(QuotaResource.Size, 2);
        var id = await Member.CreateAsync();
        Refused(HttpStatusCode.RequestEntityTooLarge, await SendAsync(id, "file", MiB + 1, announced));
        Assert.Equal("queued", (await Member.GetAsync($"/v2/images/{id}")).Text("status"));
        Assert.Equal("""{"limit":2,"usage":1}""", await UsageAsync("image_size_total"));

        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(id, "file", MiB, announced)).Status);
        Assert.Equal("""{"limit":2,"usage":2}""", await UsageAsync("image_size_total"));
        Refused(HttpStatusCode.RequestEntityTooLarge, await Member.PostAsync(
            $"/v2/images/{id}/import", """{"method":{"name":"copy-image"},"stores":["slow"]}"""));
    }

    [Fact]
    public async Task What_is_staged_counts_by_itself_and_among_the_images_once_it_is_imported()
    {
        await LimitAsync(QuotaResource.Staged, 1);
        await LimitAsync(QuotaResource.Size, 1);
        await Member.CreateActiveAsync([1]);
        var id = await Member.CreateAsync();
        Refused(HttpStatusCode.RequestEntityTooLarge, await SendAsync(id, "stage", MiB + 1, announced: false));
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(id, "stage", MiB, announced: true)).Status);
        Assert.Equal("""{"limit":1,"usage":1}""", await UsageAsync("image_stage_total"));
        Assert.Equal("""{"limit":-1,"usage":1}""", await UsageAsync("image_count_uploading"));

        Refused(HttpStatusCode.RequestEntityTooLarge, await Member.PostAsync($"/v2/images/{id}/import", """{"method":{"name":"glance-direct"}}"""));
        Assert.Equal("uploading", (await Member.GetAsync($"/v2/images/{id}")).Text("status"));
        await Member.DeleteAsync($"/v2/images/{id}");
        Assert.Equal("""{"limit":1,"usage":0}""", await UsageAsync("image_stage_total"));
    }

    [Fact]
    public async Task As_many_images_receive_data_at_once_as_may()
    {
        await LimitAsync(QuotaResource.Uploading, 1);
        var (first, second) = (await Member.CreateAsync(), await Member.CreateAsync());
        await SendAsync(first, "stage", 1, announced: true);
        Refused(HttpStatusCode.RequestEntityTooLarge, await Member.UploadAsync(second, [1]));
        Refused(HttpStatusCode.RequestEntityTooLarge, await Member.PostAsync(
            $"/v2/images/{second}/import", """{"method":{"name":"web-download","uri":"http://127.0.0.1:1/"}}"""));

        await Member.DeleteAsync($"/v2/images/{first}");
        Assert.Equal(HttpStatusCode.NoContent, (await Member.UploadAsync(second, [1])).Status);
    }

    [Fact]
    public async Task Who_is_given_an_image_must_have_room_for_it()
    {
        await LimitAsync(QuotaResource.Size, 1);
        var (_, giver) = await NewNeighbourAsync();
        var (large, small) = (await giver.CreateActiveAsync(new byte[MiB + 1]), await giver.CreateActiveAsync(new byte[MiB]));
        var toUs = $$"""[{"op":"replace","path":"/owner","value":"{{Project.Id}}"}]""";
        Refused(HttpStatusCode.RequestEntityTooLarge, await Admin.PatchAsync(large, toUs));
        Assert.NotEqual(Project.Id.Value, (await Admin.GetAsync($"/v2/images/{large}")).Text("owner"));

        Assert.Equal(HttpStatusCode.OK, (await Admin.PatchAsync(small, toUs)).Status);
        Assert.Equal("""{"limit":1,"usage":1}""", await UsageAsync("image_size_total"));
    }

    private async Task LimitAsync(QuotaResource resource, long limit) => await Host.Services.GetRequiredService<IQuotaCatalogue>()
        .AddAsync([new Quota(QuotaId.New(), Project.Id, resource, limit, "")], Stop);

    private async Task<string> UsageAsync(string name) => (await Reader.GetAsync("/v2/info/usage")).Json["usage"]![name]!.ToJsonString();

    private Task<GlanceReply> SendAsync(string id, string where, int length, bool announced)
    {
        HttpContent content = announced ? new ByteArrayContent(new byte[length]) : new StreamContent(new UnknownLength(new byte[length]));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return Member.SendAsync("PUT", $"/v2/images/{id}/{where}", content);
    }

    private sealed class UnknownLength(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
