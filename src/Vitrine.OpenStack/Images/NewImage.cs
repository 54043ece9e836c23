using System.Text.Json;
using Vitrine.Access;
using Vitrine.Images;

namespace Vitrine.OpenStack.Images;

/// <summary>What <c>POST /v2/images</c> says of an image that is to be.</summary>
/// <param name="Id">Chosen by the client; null to have one made.</param>
/// <param name="Owner">Null for the client's own project.</param>
/// <param name="Describe">Fills in the rest.</param>
internal sealed record NewImage(ImageId? Id, ProjectId? Owner, Func<Image, Image> Describe)
{
    private const string IdName = "id";
    private const string OwnerName = "owner";

    public static NewImage Read(JsonElement body)
    {
        ImageId? id = GlanceBody.Find(body, IdName) is { } given ? ReadId(given) : null;
        ProjectId? owner = GlanceBody.Find(body, OwnerName) is { } named && GlanceBody.TextOrNull(named, OwnerName) is { } project
            ? new ProjectId(project)
            : null;
        if (owner is { } claimed && !IdentityIds.IsPlausible(claimed.Value))
            throw new InvalidFieldException(OwnerName, "is no project id");

        return new NewImage(id, owner, image => GlanceBody.Members(body)
            .Where(m => m.Name is not (IdName or OwnerName))
            .Aggregate(image with { Visibility = Visibility.Shared }, (described, m) => ImageAttributes.Set(described, m.Name, m.Value)));
    }

    private static ImageId ReadId(JsonElement value) => ImageId.TryParse(GlanceBody.Text(value, IdName), out var id)
        ? id
        : throw GlanceRefusalException.BadRequest("id: must be a UUID of 36 characters.");
}
