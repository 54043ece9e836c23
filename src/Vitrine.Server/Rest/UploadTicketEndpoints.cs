using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Client;
using Vitrine.OpenStack.Identity;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>Addresses to upload to for who has no login.</summary>
internal static class UploadTicketEndpoints
{
    public static void MapUploadTickets(this IEndpointRouteBuilder api)
    {
        var images = api.MapGroup("/images/{id}").WithTags("Uploads");
        images.MapPost("/upload-ticket", IssueTicket).WithName("IssueUploadTicket")
            .WithSummary("Gives an address to which whoever has it can send the content of the image's open upload, without a login.")
            .Accepts<UploadTicketRequest>("application/json").Produces<UploadTicketRecord>(StatusCodes.Status201Created);
    }

    private static async Task<JsonHttpResult<UploadTicketRecord>> IssueTicket(
        string id, HttpContext context, UploadTickets tickets, CancellationToken cancellationToken)
    {
        var said = await context.Request.ReadAsync(LibraryJson.Default.UploadTicketRequest, cancellationToken);
        var lifetime = said.Lifetime is { } seconds ? TimeSpan.FromSeconds(seconds) : UploadTickets.DefaultLifetime;
        var ticket = await tickets.IssueAsync(ImageEndpoints.IdOf(id), context.GetCaller(), lifetime, cancellationToken);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(
            new UploadTicketRecord(ticket.Transfer.ToString(), $"{RestEndpoints.UploadsPath}/{ticket.Value}", ticket.ExpiresAt),
            LibraryJson.Default.UploadTicketRecord, statusCode: StatusCodes.Status201Created);
    }
}
