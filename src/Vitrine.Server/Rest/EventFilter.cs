using Vitrine.Access;
using Vitrine.Events;
using Vitrine.Images;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>What of the feed one client wants and may hear.</summary>
/// <param name="wanted">None for all images.</param>
/// <param name="project">Null for every project's that the caller may see.</param>
internal sealed class EventFilter(Caller caller, IReadOnlySet<ImageId> wanted, ProjectId? project, IImageCatalogue images)
{
    public bool LetsThrough(Transfer transfer) => IsWanted(transfer.Image, transfer.Project) && Owns(transfer.Project);

    /// <remarks>Who else sees an image is what was so when the event was written, except that of its members: there the present counts.</remarks>
    public async Task<bool> LetsThroughAsync(LibraryEvent one, CancellationToken cancellationToken) =>
        IsWanted(one.Image, one.Project)
        && (Owns(one.Project)
            || one.Visibility is Visibility.Community
            || (one.Visibility is Visibility.Public && one.Domain == caller.Domain)
            || (one.Visibility is Visibility.Shared && caller.Project is { } member
                && await images.FindMemberAsync(one.Image, member, cancellationToken) is not null));

    private bool IsWanted(ImageId image, ProjectId owner) => (wanted.Count == 0 || wanted.Contains(image)) && (project is null || project == owner);

    private bool Owns(ProjectId owner) => caller.IsAdmin || owner == caller.Project;
}
