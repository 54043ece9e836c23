using Vitrine.Client;
using Vitrine.Disks;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;
using Vitrine.Server.Exports;

namespace Vitrine.Server.Rest;

/// <summary>The guest's disk in an image, whatever its format: any range of it, and what is where in it.</summary>
internal static class DiskEndpoints
{
    private const int DefaultExtents = 1_000;
    private const int MostExtents = 10_000;

    public static void MapDisks(this IEndpointRouteBuilder api)
    {
        var disks = api.MapGroup("/images/{id}").WithTags("Disks");
        disks.MapMethods("/disk", [HttpMethods.Get, HttpMethods.Head], Read).WithName("ReadDisk")
            .WithSummary("Reads the disk as the guest sees it, whole or in ranges.")
            .Produces(StatusCodes.Status200OK, contentType: "application/octet-stream")
            .Produces(StatusCodes.Status206PartialContent, contentType: "application/octet-stream")
            .Produces(StatusCodes.Status304NotModified)
            .ProducesProblem(StatusCodes.Status416RangeNotSatisfiable);
        disks.MapGet("/disk/digest", Sum).WithName("SumDisk")
            .WithSummary("Computes the SHA-256 of the disk as the guest sees it, which is the same in every format.").Produces<DiskDigestRecord>();
        disks.MapGet("/extents", ListExtents).WithName("ListExtents")
            .WithSummary("Says which ranges of the disk hold data, and which read as zeros.").Produces<ExtentPage>();
        disks.MapPost("/exports", Export).WithName("ExportDisk")
            .WithSummary("Offers the disk as a block device (NBD, read-only) to whoever has the ticket that this answers.")
            .Accepts<ExportRequest>("application/json").Produces<ExportRecord>(StatusCodes.Status201Created);
    }

    private static async Task<IResult> Read(string id, HttpContext context, ImageDisks disks, CancellationToken cancellationToken)
    {
        var opened = await disks.OpenAsync(ImageEndpoints.IdOf(id), context.GetCaller(), cancellationToken);
        var digest = opened.Content.Digest.Hex;
        context.Response.Headers.ETag = opened.Content.Format is DiskFormat.Raw ? $"\"{digest}\"" : $"\"{digest}.disk\"";
        context.Response.Headers.CacheControl = "private, no-cache";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return await context.SendRangesAsync(new DiskContent(opened.Disk), cancellationToken);
    }

    private static async Task<IResult> Sum(string id, HttpContext context, ImageDisks disks, CancellationToken cancellationToken)
    {
        var opened = await disks.OpenAsync(ImageEndpoints.IdOf(id), context.GetCaller(), cancellationToken);
        await using var disk = opened.Disk;
        var digest = opened.Content.Format is DiskFormat.Raw
            ? opened.Content.Digest
            : await DiskDigest.ComputeAsync(disk, progress: null, cancellationToken);
        return TypedResults.Json(new DiskDigestRecord(disk.Length, digest.Hex), LibraryJson.Default.DiskDigestRecord);
    }

    private static async Task<IResult> Export(
        string id, HttpContext context, DiskTickets tickets, ExportService exports, CancellationToken cancellationToken)
    {
        var request = await context.Request.ReadAsync(LibraryJson.Default.ExportRequest, cancellationToken);
        var lifetime = request.Lifetime is { } seconds ? TimeSpan.FromSeconds(seconds) : DiskTickets.DefaultLifetime;
        var ticket = await tickets.IssueAsync(ImageEndpoints.IdOf(id), context.GetCaller(), lifetime, cancellationToken);
        var addresses = exports.AddressesOf(ticket, context.Request.Host.Host);
        return TypedResults.Json(
            new ExportRecord(ticket.Value, ticket.ExpiresAt, addresses), LibraryJson.Default.ExportRecord, statusCode: StatusCodes.Status201Created);
    }

    /// <param name="start">Where to begin, in bytes; 0 unless given.</param>
    /// <param name="length">How far to look, in bytes; to the disk's end unless given.</param>
    /// <param name="limit">The most extents in one answer.</param>
    private static async Task<IResult> ListExtents(
        string id, string? start, string? length, string? limit, HttpContext context, ImageDisks disks, CancellationToken cancellationToken)
    {
        var most = RestQuery.Number("limit", limit) ?? DefaultExtents;
        if (most is < 1 or > MostExtents)
            throw new InvalidFieldException("limit", $"must be from 1 to {MostExtents}");

        var (from, count) = (RestQuery.Number("start", start) ?? 0, RestQuery.Number("length", length) ?? long.MaxValue);
        var opened = await disks.OpenAsync(ImageEndpoints.IdOf(id), context.GetCaller(), cancellationToken);
        await using var disk = opened.Disk;
        if (from > disk.Length)
            throw new InvalidFieldException("start", $"must be from 0 to the length of the disk, {disk.Length}");

        var end = from + Math.Min(count, disk.Length - from);
        var extents = new List<ExtentRecord>();
        await foreach (var extent in disk.ListExtentsAsync(from, end - from, cancellationToken))
        {
            if (extents.Count == most)
                return Answer(next: extent.Start);

            extents.Add(new ExtentRecord(extent.Start, extent.Length, extent.Kind.Word()));
        }

        return Answer(next: null);

        IResult Answer(long? next) => TypedResults.Json(new ExtentPage(disk.Length, extents, next), LibraryJson.Default.ExtentPage);
    }
}
