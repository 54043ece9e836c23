using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Access;
using Vitrine.Client;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;

namespace Vitrine.Server.Rest;

/// <summary>The projects an image is shared with.</summary>
internal static class MemberEndpoints
{
    public static void MapMembers(this IEndpointRouteBuilder api)
    {
        var members = api.MapGroup("/images/{id}/members").WithTags("Members");
        members.MapGet("", List).WithName("ListMembers")
            .WithSummary("Lists the members of an image: all of them for its owner, the caller's own record for a member.").Produces<MemberList>();
        members.MapPut("/{project}", Put).WithName("PutMember")
            .WithSummary("Without a body, shares the image with a project; with a status, gives the project's answer to it.")
            .Accepts<MemberAnswer>(isOptional: true, "application/json").Produces<MemberRecord>();
        members.MapDelete("/{project}", Delete).WithName("DeleteMember").WithSummary("Takes the image back from a project.")
            .Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<JsonHttpResult<MemberList>> List(string id, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        var members = await library.ListMembersAsync(ImageEndpoints.IdOf(id), context.GetCaller(), cancellationToken);
        return TypedResults.Json(new MemberList([.. members.Select(WireRecords.From)]), LibraryJson.Default.MemberList);
    }

    private static async Task<JsonHttpResult<MemberRecord>> Put(
        string id, string project, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        var answer = context.Request.HasBody() ? (await context.Request.ReadAsync(LibraryJson.Default.MemberAnswer, cancellationToken)).Status : null;
        var (image, member, caller) = (ImageEndpoints.IdOf(id), new ProjectId(project), context.GetCaller());
        var record = answer is null
            ? await ShareAsync(library, image, member, caller, cancellationToken)
            : await library.AnswerAsync(image, member, EnumWords.Parse<MemberStatus>(answer, "status"), caller, cancellationToken);
        return TypedResults.Json(WireRecords.From(record), LibraryJson.Default.MemberRecord);
    }

    private static async Task<NoContent> Delete(
        string id, string project, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        await library.RemoveMemberAsync(ImageEndpoints.IdOf(id), new ProjectId(project), context.GetCaller(), cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>Putting what is there already changes nothing, as PUT promises.</summary>
    private static async Task<ImageMember> ShareAsync(
        ImageLibrary library, ImageId image, ProjectId project, Caller caller, CancellationToken cancellationToken)
    {
        try
        {
            return await library.AddMemberAsync(image, project, caller, cancellationToken);
        }
        catch (DuplicateMemberException)
        {
            return await library.GetMemberAsync(image, project, caller, cancellationToken);
        }
    }
}
