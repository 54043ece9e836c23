using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Vitrine.Access;
using Vitrine.Images;
using Vitrine.OpenStack.Identity;

namespace Vitrine.OpenStack.Images;

/// <summary>The projects an image is shared with.</summary>
internal static class MemberEndpoints
{
    public static async Task<JsonHttpResult<GlanceMemberList>> List(
        string id, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        var members = await library.ListMembersAsync(ImageEndpoints.IdOf(id), context.GetCaller(), cancellationToken);
        return GlanceJson.Answer(
            new GlanceMemberList([.. members.Select(GlanceMember.From)], "/v2/schemas/members"), GlanceJson.Default.GlanceMemberList);
    }

    public static async Task<JsonHttpResult<GlanceMember>> Show(
        string id, string member, HttpContext context, ImageLibrary library, CancellationToken cancellationToken) =>
        Answer(await library.GetMemberAsync(ImageEndpoints.IdOf(id), new ProjectId(member), context.GetCaller(), cancellationToken));

    /// <summary>Answered with 200, as in Glance, although something is made.</summary>
    public static async Task<JsonHttpResult<GlanceMember>> Add(
        string id, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var project = new ProjectId(Required(body.RootElement, "member"));
        return Answer(await library.AddMemberAsync(ImageEndpoints.IdOf(id), project, context.GetCaller(), cancellationToken));
    }

    public static async Task<JsonHttpResult<GlanceMember>> Decide(
        string id, string member, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        using var body = await GlanceBody.ReadObjectAsync(context.Request, cancellationToken);
        var word = Required(body.RootElement, "status");
        if (!EnumWords.TryParse<MemberStatus>(word, out var answer) || answer.Word() != word)
            throw GlanceRefusalException.BadRequest($"status: must be one of {string.Join(", ", Enum.GetValues<MemberStatus>().Select(s => s.Word()))}.");

        return Answer(await library.AnswerAsync(
            ImageEndpoints.IdOf(id), new ProjectId(member), answer, context.GetCaller(), cancellationToken));
    }

    public static async Task<NoContent> Remove(
        string id, string member, HttpContext context, ImageLibrary library, CancellationToken cancellationToken)
    {
        await library.RemoveMemberAsync(ImageEndpoints.IdOf(id), new ProjectId(member), context.GetCaller(), cancellationToken);
        return TypedResults.NoContent();
    }

    private static JsonHttpResult<GlanceMember> Answer(ImageMember member) =>
        GlanceJson.Answer(GlanceMember.From(member), GlanceJson.Default.GlanceMember);

    private static string Required(JsonElement body, string name) => GlanceBody.Find(body, name) is { } value
        ? GlanceBody.Text(value, name)
        : throw GlanceRefusalException.BadRequest($"The body needs a member '{name}'.");
}
