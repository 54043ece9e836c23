using System.Net;
using System.Security.Cryptography;
using Vitrine.Client;
using Vitrine.Testing;
using Vitrine.Testing.Sources;

namespace Vitrine.ApiTests.Rest;

/// <summary>Imports from a source on this machine, and what can be asked of transfers.</summary>
public sealed class TransferTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_import_answers_at_once_and_ends_with_an_active_image()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        await using var source = ScriptedHttpServer.Start();
        var content = ScriptedContent.Of(SampleImages.Qcow2());
        source.Serve("/disk.qcow2", content);
        var created = await ImportAsync(client, source.AddressOf("/disk.qcow2").ToString(), $"sha256:{content.Sum(HashAlgorithmName.SHA256)}");
        Assert.Equal(("importing", "import"), (created.Image.Status, created.Transfer!.Kind));

        var last = await client.WatchTransferAsync(created.Transfer.Id, Stop).LastAsync(Stop);
        Assert.Equal(("done", content.Length, content.Length), (last.State, last.Moved, last.Length));
        var image = await client.GetImageAsync(created.Image.Id, Stop);
        Assert.Equal(("active", "qcow2", content.Sum(HashAlgorithmName.SHA256)), (image.Status, image.Format, image.Sha256));
        Assert.Equal([last.Id], (await client.ListTransfersAsync([new("image", image.Id), new("state", "done")], Stop).ToListAsync(Stop)).Select(t => t.Id));
    }

    [Fact]
    public async Task A_source_that_is_not_found_fails_the_image_visibly_and_can_be_tried_again()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        await using var source = ScriptedHttpServer.Start();
        var file = source.Serve("/disk.img", ScriptedContent.Of(SampleImages.RawWithMbr()));
        file.Status = 404;
        var created = await ImportAsync(client, source.AddressOf("/disk.img").ToString());
        var failed = await client.WatchTransferAsync(created.Transfer!.Id, Stop).LastAsync(Stop);
        Assert.Equal(("failed", "source-status"), (failed.State, failed.Failure!.Code));
        var image = await client.GetImageAsync(created.Image.Id, Stop);
        Assert.Equal("failed", image.Status);
        Assert.Contains("404", image.Failure!.Cause, StringComparison.Ordinal);

        var explanation = await client.ExplainTransferAsync(failed.Id, Stop);
        Assert.Contains("404", explanation.Cause, StringComparison.Ordinal);
        Assert.NotNull(explanation.Remedy);
        Assert.Contains(explanation.Steps, s => s.State == "failed");

        file.Status = 200;
        await client.RetryTransferAsync(failed.Id, Stop);
        Assert.Equal("done", (await client.WatchTransferAsync(failed.Id, Stop).LastAsync(Stop)).State);
        Assert.Equal("active", (await client.GetImageAsync(created.Image.Id, Stop)).Status);
    }

    [Fact]
    public async Task The_log_of_a_transfer_tells_every_state_with_its_node_and_why_it_failed()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        await using var source = ScriptedHttpServer.Start();
        var file = source.Serve("/disk.img", ScriptedContent.Of(SampleImages.RawWithMbr()));
        file.Status = 404;
        var created = await ImportAsync(client, source.AddressOf("/disk.img").ToString());
        await client.WatchTransferAsync(created.Transfer!.Id, Stop).LastAsync(Stop);
        file.Status = 200;
        await client.RetryTransferAsync(created.Transfer.Id, Stop);
        var done = await client.WatchTransferAsync(created.Transfer.Id, Stop).LastAsync(Stop);

        var log = await client.GetTransferLogAsync(done.Id, Stop);
        Assert.Equal((done.Id, 7), (log.Transfer, log.KeptDays));
        Assert.Equal(["queued", "running", "failed", "queued", "running", "verifying", "done"], log.Items.Select(e => e.State));
        Assert.Equal(log.Items.Select(e => e.State).SkipLast(1).Prepend(null), log.Items.Select(e => e.Previous));
        Assert.All(log.Items.Skip(1), e => Assert.Equal("node-1", e.Node));
        Assert.Equal(("source-status", 1), (log.Items[2].Failure, log.Items[2].Attempt));
        Assert.Contains("404", log.Items[2].Cause, StringComparison.Ordinal);
        Assert.Equal(done.Moved, log.Items[^1].Moved);
    }

    [Fact]
    public async Task A_transfer_is_cancelled_while_it_stands_still()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        await using var source = ScriptedHttpServer.Start();
        source.Serve("/disk.img", ScriptedContent.Generated(1 << 20)).StallBeforeAnswer = true;
        var created = await ImportAsync(client, source.AddressOf("/disk.img").ToString());

        Assert.Equal("cancelled", (await client.CancelTransferAsync(created.Transfer!.Id, Stop)).State);
        Assert.Equal("cancelled", (await client.CancelTransferAsync(created.Transfer.Id, Stop)).State);
        Assert.Equal("failed", (await client.GetImageAsync(created.Image.Id, Stop)).Status);
    }

    [Fact]
    public async Task An_upload_cannot_be_tried_again_by_the_library()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var created = await client.CreateImageAsync(new ImageCreate { Name = "a", Upload = new UploadRequest { Length = 5 } }, Stop);
        await client.CancelTransferAsync(created.Upload!.Transfer, Stop);
        var refused = await Assert.ThrowsAsync<LibraryClientException>(() => client.RetryTransferAsync(created.Upload.Transfer, Stop));
        Assert.Equal((HttpStatusCode.Conflict, "transfer-state"), (refused.Status, refused.Code));
    }

    [Fact]
    public async Task Secrets_of_an_address_are_shown_to_nobody()
    {
        const string Password = "hunter2secret", Signature = "sig0987654321";
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        await using var source = ScriptedHttpServer.Start();
        source.Serve("/disk.img", ScriptedContent.Of(SampleImages.RawWithMbr())).Status = 403;
        var url = source.AddressOf("/disk.img", login: $"joe:{Password}") + $"?signature={Signature}";
        var created = await ImportAsync(client, url);
        await client.WatchTransferAsync(created.Transfer!.Id, Stop).LastAsync(Stop);

        foreach (var path in new[] { $"images/{created.Image.Id}", "images", $"images/{created.Image.Id}/transfers", "transfers", $"transfers/{created.Transfer.Id}", $"transfers/{created.Transfer.Id}/explain" })
        {
            using var answer = await library.SendAsync(HttpMethod.Get, $"api/v1/{path}", project.Member);
            var text = await answer.Content.ReadAsStringAsync(Stop);
            Assert.Contains(created.Image.Id, text, StringComparison.Ordinal);
            Assert.DoesNotContain(Password, text, StringComparison.Ordinal);
            Assert.DoesNotContain(Signature, text, StringComparison.Ordinal);
        }

        using var probe = await library.SendAsync(HttpMethod.Post, "api/v1/probe", project.Member, RestLibrary.Json($$"""{"url":"{{url}}"}"""));
        var probed = await probe.Content.ReadAsStringAsync(Stop);
        Assert.DoesNotContain(Password, probed, StringComparison.Ordinal);
        Assert.DoesNotContain(Signature, probed, StringComparison.Ordinal);
        Assert.DoesNotContain(library.Log.Lines, l => l.Contains(Password, StringComparison.Ordinal) || l.Contains(Signature, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_source_is_probed_without_being_fetched()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        await using var source = ScriptedHttpServer.Start();
        source.Serve("/disk.img", ScriptedContent.Generated(12_345));
        var probe = await client.ProbeAsync(source.AddressOf("/disk.img").ToString(), Stop);
        Assert.Equal((200, 12_345L, true), (probe.Status, probe.Length, probe.CanResume));

        var refused = await Assert.ThrowsAsync<LibraryClientException>(() => client.ProbeAsync("http://169.254.169.254/latest", Stop));
        Assert.Equal((HttpStatusCode.BadRequest, "source-refused", "url"), (refused.Status, refused.Code, refused.Field));
    }

    private static Task<ImageCreated> ImportAsync(LibraryClient client, string url, string? checksum = null) => client.CreateImageAsync(
        new ImageCreate { Name = "imported", Source = new ImageSource { Url = url, Checksum = checksum } }, Stop);
}
