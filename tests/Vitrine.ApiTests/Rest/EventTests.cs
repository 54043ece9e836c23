using System.Net;
using Vitrine.Client;

namespace Vitrine.ApiTests.Rest;

/// <summary>What is told of images and transfers as it happens, and to whom.</summary>
public sealed class EventTests(RestLibrary library) : IClassFixture<RestLibrary>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_listener_is_told_the_life_of_an_image_and_goes_on_behind_what_it_knows()
    {
        var project = await library.NewProjectAsync();
        using var client = library.ClientOf(project.Member);
        await using var stream = await Listener.OpenAsync(client);
        var image = await library.MakeImageAsync(client, [1, 2, 3]);
        await client.EnableImageAsync(image.Id, false, Stop);
        await client.DeleteImageAsync(image.Id, Stop);
        var told = await stream.UntilAsync(t => t.Event is { State: "deleted", Transfer: null });
        Assert.Equal(["saving", "active", "disabled", "deleted"], told.Where(t => t.Event is { Transfer: null }).Select(t => t.Event!.State));
        Assert.Contains(told, t => t.Event is { Transfer: not null, State: "done" });
        Assert.All(told, t => Assert.Equal(image.Id, t.Event?.Image ?? t.Progress?.Image));

        var saving = told.First(t => t.Event is { State: "saving" }).Id;
        await using var again = await Listener.OpenAsync(client, saving);
        var rest = await again.UntilAsync(t => t.Event is { State: "deleted" });
        Assert.Equal(told.Where(t => t.Event is not null).Skip(1).Select(t => t.Id), rest.Where(t => t.Event is not null).Select(t => t.Id));
    }

    [Fact]
    public async Task Nobody_is_told_of_what_he_may_not_see()
    {
        var (owner, stranger) = (await library.NewProjectAsync(), await library.NewProjectAsync());
        using var mine = library.ClientOf(owner.Member);
        using var theirs = library.ClientOf(stranger.Member);
        using var admins = library.ClientOf(stranger.Admin);
        await using var stream = await Listener.OpenAsync(theirs);
        await using var all = await Listener.OpenAsync(admins);
        var hidden = await library.MakeImageAsync(mine, [1, 2, 3]);
        var shown = await library.MakeImageAsync(mine, [4, 5, 6], new ImageCreate { Name = "shown", Visibility = "community" });
        var own = await library.MakeImageAsync(theirs, [7]);

        var told = await stream.UntilAsync(t => t.Event is { State: "active" } one && one.Image == own.Id);
        Assert.DoesNotContain(told, t => (t.Event?.Image ?? t.Progress?.Image) == hidden.Id);
        Assert.Contains(told, t => t.Event is { State: "active", Transfer: null } one && one.Image == shown.Id);
        Assert.DoesNotContain(told, t => t.Event is { Transfer: not null } one && one.Image == shown.Id);
        Assert.Contains(await all.UntilAsync(t => t.Event?.Image == own.Id), t => t.Event?.Image == hidden.Id);

        using var refused = await library.SendAsync(HttpMethod.Get, $"api/v1/events?image={hidden.Id}", stranger.Member);
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        using var other = await library.SendAsync(HttpMethod.Get, $"api/v1/events?project={owner.Id}", stranger.Member);
        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
        using var unknown = await library.SendAsync(HttpMethod.Get, "api/v1/events?colour=red", stranger.Member);
        Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);
        using var nobody = await library.SendAsync(HttpMethod.Get, "api/v1/events", token: null);
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
    }

    [Fact]
    public async Task Only_the_images_that_are_asked_for_are_told_of_and_how_far_their_transfers_are()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var created = await client.CreateImageAsync(new ImageCreate { Name = "a", Upload = new UploadRequest { Length = 10 } }, Stop);
        await using var stream = await Listener.OpenAsync(client, last: null, created.Image.Id);
        await library.MakeImageAsync(client, [1]);
        var told = await stream.UntilAsync(t => t.Progress is not null);
        Assert.Equal((created.Upload!.Transfer, 10L), (told[^1].Progress!.Id, told[^1].Progress!.Length));
        Assert.All(told, t => Assert.Equal(created.Image.Id, t.Event?.Image ?? t.Progress?.Image));
    }

    [Theory]
    [InlineData("0-0")]
    [InlineData("999999999-9")]
    [InlineData("yesterday")]
    public async Task Whoever_has_missed_too_much_is_told_to_look_anew(string last)
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        await using var stream = await Listener.OpenAsync(client, last);
        await library.MakeImageAsync(client, [1]);
        var told = await stream.UntilAsync(t => t.Event is { State: "active" });
        Assert.True(told[0].Word is StreamWord.Reset);
        Assert.DoesNotContain(told.Skip(1), t => t.Word is StreamWord.Reset);
    }

    [Fact]
    public async Task A_node_bears_so_many_listeners()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        library.Options.EventStreams = 0;
        try
        {
            var refused = await Assert.ThrowsAsync<LibraryClientException>(() => client.StreamEventsAsync([], null, Stop).FirstAsync(Stop).AsTask());
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "too-many-streams"), (refused.Status, refused.Code));

            // Who only follows a transfer is served all the same.
            var created = await client.CreateImageAsync(new ImageCreate { Name = "a", Upload = new UploadRequest { Length = 10 } }, Stop);
            var following = client.FollowTransferAsync(created.Upload!.Transfer, Stop).LastAsync(Stop);
            await client.CancelTransferAsync(created.Upload.Transfer, Stop);
            Assert.Equal("cancelled", (await following).State);
        }
        finally
        {
            library.Options.EventStreams = 200;
        }
    }

    [Fact]
    public async Task A_transfer_is_followed_by_the_stream_to_its_end()
    {
        using var client = library.ClientOf((await library.NewProjectAsync()).Member);
        var created = await client.CreateImageAsync(new ImageCreate { Name = "a", Upload = new UploadRequest { Length = 10 } }, Stop);
        var states = new List<string>();
        await foreach (var transfer in client.FollowTransferAsync(created.Upload!.Transfer, Stop))
        {
            if (states.Count == 0)
                await client.CancelTransferAsync(transfer.Id, Stop);
            states.Add(transfer.State);
        }

        Assert.Equal("cancelled", states[^1]);
    }

    /// <summary>A stream that is open, and what it told.</summary>
    private sealed class Listener : IAsyncDisposable
    {
        private readonly CancellationTokenSource _patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        private readonly IAsyncEnumerator<StreamedEvent> _events;
        private Task<bool> _next = Task.FromResult(false);

        private Listener(LibraryClient client, string? last, string[] images)
        {
            _patience.CancelAfter(Patience);
            _events = client.StreamEventsAsync(images, last, _patience.Token).GetAsyncEnumerator(_patience.Token);
        }

        public static async Task<Listener> OpenAsync(LibraryClient client, string? last = null, params string[] images)
        {
            var listener = new Listener(client, last, images);
            Assert.True(await listener._events.MoveNextAsync());
            Assert.Equal(StreamWord.Ready, listener._events.Current.Word);
            listener._next = listener._events.MoveNextAsync().AsTask();
            return listener;
        }

        public async Task<List<StreamedEvent>> UntilAsync(Func<StreamedEvent, bool> isLast)
        {
            var told = new List<StreamedEvent>();
            while (await _next)
            {
                told.Add(_events.Current);
                _next = _events.MoveNextAsync().AsTask();
                if (isLast(told[^1]))
                    return told;
            }

            throw new EndOfStreamException("The stream ended.");
        }

        public async ValueTask DisposeAsync()
        {
            await _patience.CancelAsync();
            try
            {
                await _next;
            }
            catch (OperationCanceledException)
            {
                // Nobody listens any more.
            }

            await _events.DisposeAsync();
            _patience.Dispose();
        }
    }
}
