using Vitrine.Access;

namespace Vitrine.Images;

/// <summary>Where facts about images are kept, to be asked; <see cref="ICatalogue"/> changes them.</summary>
/// <remarks>
/// What was committed is read at once by every node. Nothing here asks who may see an answer, except
/// <see cref="ListAsync"/>, whose query says it.
/// </remarks>
public interface IImageCatalogue
{
    /// <summary>The image with this id, deleted ones too; null where there never was one.</summary>
    Task<Image?> FindAsync(ImageId id, CancellationToken cancellationToken);

    /// <summary>The image of a project that has this <see cref="Image.SourceKey"/>.</summary>
    Task<Image?> FindBySourceAsync(ProjectId owner, string sourceKey, CancellationToken cancellationToken);

    /// <summary>One page of images that are not deleted, in the order of the query.</summary>
    Task<IReadOnlyList<Image>> ListAsync(ImageQuery query, CancellationToken cancellationToken);

    Task<ImageMember?> FindMemberAsync(ImageId image, ProjectId project, CancellationToken cancellationToken);

    /// <summary>The members in the order in which they were added.</summary>
    Task<IReadOnlyList<ImageMember>> ListMembersAsync(ImageId image, CancellationToken cancellationToken);

    /// <exception cref="DuplicateMemberException">The project is a member already.</exception>
    Task AddMemberAsync(ImageMember member, CancellationToken cancellationToken);

    /// <summary>Replaces the member's record; does nothing where there is none.</summary>
    Task SaveMemberAsync(ImageMember member, CancellationToken cancellationToken);

    /// <returns>False where there was no such member.</returns>
    Task<bool> DeleteMemberAsync(ImageId image, ProjectId project, CancellationToken cancellationToken);
}
