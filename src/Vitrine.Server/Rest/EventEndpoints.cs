using System.Text.Json;
using System.Threading.Channels;
using Vitrine.Access;
using Vitrine.Client;
using Vitrine.Events;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;

namespace Vitrine.Server.Rest;

/// <summary>A stream of what becomes of images and transfers, as the HTML standard has server-sent events.</summary>
/// <remarks>
/// Events named <c>image</c> and <c>transfer</c> have an id, from which a client goes on in another connection; <c>progress</c> has none, as the next
/// makes up for it; <c>ready</c> comes first, <c>reset</c> says that the client has missed some and must read the lists anew.
/// </remarks>
internal static class EventEndpoints
{
    private const string LastId = "Last-Event-ID";
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);
    private static readonly string[] Parameters = ["image", "project"];

    public static void MapEvents(this IEndpointRouteBuilder api) => api.MapGet("/events", Stream).WithTags("Events").WithName("StreamEvents")
        .WithSummary("Tells what becomes of images and transfers that the caller may see, as it happens.")
        .Produces(StatusCodes.Status200OK, contentType: "text/event-stream");

    private static async Task<IResult> Stream(
        HttpContext context, EventFeed feed, ImageLibrary library, IImageCatalogue images, ILogins logins, IHostApplicationLifetime server, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var filter = await ReadFilterAsync(context, library, images, cancellationToken);
        EventPosition? last = context.Request.Headers[LastId].ToString() is not { Length: > 0 } said ? null
            : EventPosition.TryParse(said, out var position) ? position : default(EventPosition);
        await using var subscription = await feed.SubscribeAsync(wantsProgress: true, cancellationToken);

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, server.ApplicationStopping);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no"; // nginx would keep events until it has a buffer full of them
        var telling = new EventStream(context, filter, subscription, new ListeningLogin(context.GetLogin(), logins, time), time);
        try
        {
            await telling.RunAsync(feed, last, ending.Token);
        }
        catch (ChannelClosedException)
        {
            await telling.ResetAsync(ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The client went away, or the node stops: it goes on elsewhere from the last id.
        }

        return Results.Empty;
    }

    private static async Task<EventFilter> ReadFilterAsync(
        HttpContext context, ImageLibrary library, IImageCatalogue images, CancellationToken cancellationToken)
    {
        var caller = context.GetCaller();
        foreach (var name in context.Request.Query.Keys.Except(Parameters, StringComparer.Ordinal))
            throw new InvalidFieldException(name, $"is no parameter here; there are {string.Join(", ", Parameters)}");

        var wanted = new HashSet<ImageId>();
        foreach (var id in context.Request.Query["image"])
            wanted.Add((await library.GetAsync(ImageEndpoints.IdOf(id ?? ""), caller, cancellationToken)).Id);

        var project = context.Request.Query["project"].ToString() is { Length: > 0 } text ? new ProjectId(text) : (ProjectId?)null;
        if (project is not null && project != caller.Project)
            caller.RequireAdmin("listen to another project");
        return new EventFilter(caller, wanted, project, images);
    }

    /// <summary>One client's stream.</summary>
    private sealed class EventStream(HttpContext context, EventFilter filter, EventSubscription subscription, ListeningLogin login, TimeProvider time)
    {
        public async Task RunAsync(EventFeed feed, EventPosition? last, CancellationToken cancellationToken)
        {
            await WriteAsync("event: ready\ndata: {}\n\n", cancellationToken);
            var told = subscription.Start;
            if (last is { } position)
            {
                var missed = await feed.FindSinceAsync(position, cancellationToken);
                if (missed is null)
                    await ResetAsync(cancellationToken);
                else
                {
                    await foreach (var one in missed.WithCancellation(cancellationToken))
                    {
                        await TellAsync(one, cancellationToken);
                        told = one.Position!.Value;
                    }
                }
            }

            while (await login.HoldsAsync(cancellationToken))
            {
                switch (await NextAsync(cancellationToken))
                {
                    case null:
                        await WriteAsync(":\n\n", cancellationToken);
                        break;
                    case { Event: { } one } when one.Position > told:
                        await TellAsync(one, cancellationToken);
                        break;
                    case { Progress: { } transfer } when filter.LetsThrough(transfer):
                        await WriteAsync(
                            $"event: progress\ndata: {JsonSerializer.Serialize(WireRecords.From(transfer), LibraryJson.Default.TransferRecord)}\n\n", cancellationToken);
                        break;
                }
            }
        }

        /// <returns>Null where nothing came for a while.</returns>
        private async Task<FeedItem?> NextAsync(CancellationToken cancellationToken)
        {
            using var quiet = new CancellationTokenSource(KeepAlive, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, quiet.Token);
            try
            {
                return await subscription.Items.ReadAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return null;
            }
        }

        private async Task TellAsync(LibraryEvent one, CancellationToken cancellationToken)
        {
            if (!await filter.LetsThroughAsync(one, cancellationToken))
                return;

            var data = JsonSerializer.Serialize(WireRecords.From(one), LibraryJson.Default.EventRecord);
            await WriteAsync($"id: {one.Position}\nevent: {(one.Transfer is null ? "image" : "transfer")}\ndata: {data}\n\n", cancellationToken);
        }

        /// <summary>What came between was missed: the client is to look for itself.</summary>
        public Task ResetAsync(CancellationToken cancellationToken) => WriteAsync("id:\nevent: reset\ndata: {}\n\n", cancellationToken);

        private async Task WriteAsync(string text, CancellationToken cancellationToken)
        {
            await context.Response.WriteAsync(text, cancellationToken);
            await context.Response.Body.FlushAsync(cancellationToken);
        }
    }
}
