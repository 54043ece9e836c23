using System.Net;
using Vitrine.Cli;
using Vitrine.Client;

namespace Vitrine.ApiTests.Rest;

/// <summary>Quotas by the REST face and the command line.</summary>
public sealed class QuotaTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_quota_is_set_seen_and_held_against_images_and_uploads()
    {
        var project = await library.NewProjectAsync();
        using var admin = library.ClientOf(project.Admin);
        using var member = library.ClientOf(project.Member);
        await admin.ChangeQuotasAsync(project.Id.Value, Limits(("images", 1), ("size", 1)), Stop);

        var tooLarge = await Assert.ThrowsAsync<LibraryClientException>(() => member.CreateImageAsync(Upload((1 << 20) + 1), Stop));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "quota-exceeded"), (tooLarge.Status, tooLarge.Code));
        await member.CreateImageAsync(Upload(1 << 20), Stop);
        var tooMany = await Assert.ThrowsAsync<LibraryClientException>(() => member.CreateImageAsync(Upload(1), Stop));
        Assert.Equal("quota-exceeded", tooMany.Code);

        var seen = await member.GetQuotasAsync(project.Id.Value, Stop);
        Assert.Equal(
            [new("size", 1, 1, true), new("staged", null, 0, false), new("images", 1, 1, true), new QuotaRecord("uploading", null, 1, false)], seen.Items);
    }

    [Fact]
    public async Task Administrators_alone_set_quotas_and_see_other_projects()
    {
        var (project, other) = (await library.NewProjectAsync(), await library.NewProjectAsync());
        using var member = library.ClientOf(project.Member);
        await ForbiddenAsync(() => member.ChangeQuotasAsync(project.Id.Value, Limits(("images", 1)), Stop));
        await ForbiddenAsync(() => member.ChangeQuotasAsync(null, Limits(("images", 1)), Stop));
        await ForbiddenAsync(() => member.GetQuotasAsync(other.Id.Value, Stop));

        using var admin = library.ClientOf(project.Admin);
        foreach (var wrong in new[] { ("guests", 1L), ("images", -2), ("images", 1L << 31) })
        {
            var refused = await Assert.ThrowsAsync<LibraryClientException>(() => admin.ChangeQuotasAsync(project.Id.Value, Limits(wrong), Stop));
            Assert.Equal("invalid-field", refused.Code);
        }

        var nobody = await Assert.ThrowsAsync<LibraryClientException>(() => admin.GetQuotasAsync(new string('0', 32), Stop));
        Assert.Equal(HttpStatusCode.NotFound, nobody.Status);
    }

    [Fact]
    public async Task The_command_line_sets_and_shows_them()
    {
        var project = await library.NewProjectAsync();
        var set = await library.CommandAsync(project.Admin, "quota", "set", project.Id.Value, "--images", "5", "--size", "2048");
        Assert.Equal(0, set.Code);
        Assert.Contains("2.0 GiB", set.Out, StringComparison.Ordinal);

        await library.CommandAsync(project.Admin, "quota", "set", project.Id.Value, "--size", "unlimited", "--images", "default");
        var shown = await library.CommandAsync(project.Member, "quota", "show", project.Id.Value);
        Assert.Equal((0, false), (shown.Code, shown.Out.Contains("GiB", StringComparison.Ordinal)));
        Assert.Equal(ExitCodes.Usage, (await library.CommandAsync(project.Admin, "quota", "set", project.Id.Value)).Code);
        Assert.Equal(ExitCodes.Usage, (await library.CommandAsync(project.Admin, "quota", "set", project.Id.Value, "--images", "many")).Code);
        Assert.Equal(0, (await library.CommandAsync(project.Member, "quota", "show")).Code);
    }

    private static ImageCreate Upload(long length) => new() { Name = "an image", Upload = new UploadRequest { Length = length } };

    private static QuotaChange Limits(params (string Resource, long Limit)[] limits) =>
        new() { Limits = limits.ToDictionary(l => l.Resource, l => (long?)l.Limit) };

    private static async Task ForbiddenAsync(Func<Task> ask) =>
        Assert.Equal(HttpStatusCode.Forbidden, (await Assert.ThrowsAsync<LibraryClientException>(ask)).Status);
}
