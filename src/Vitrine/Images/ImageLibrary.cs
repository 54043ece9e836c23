using Vitrine.Access;
using Vitrine.Quotas;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Images;

/// <summary>What users may ask of images: to be described, found, changed, shared and deleted.</summary>
/// <remarks>
/// An image that the caller may not see is not found. One that the caller sees but does not own is
/// <see cref="NotOwnerException"/> to change.
/// </remarks>
public sealed class ImageLibrary(
    IImageCatalogue images, ITransferCatalogue transfers, IReplicaCatalogue replicas, ICatalogue catalogue, ContentSweeper sweeper, TimeProvider time)
{
    private const int MaxCrossings = 10;

    /// <exception cref="ImageNotFoundException">There is none that the caller may know of.</exception>
    public async Task<Image> GetAsync(ImageId id, Caller caller, CancellationToken cancellationToken) =>
        await images.FindAsync(id, cancellationToken) is { Status: not ImageStatus.Deleted } image && await MaySeeAsync(image, caller, cancellationToken)
            ? image
            : throw new ImageNotFoundException(id.ToString());

    /// <summary>The same where nobody asks, but something that was granted before.</summary>
    internal async Task<Image> GetAsync(ImageId id, CancellationToken cancellationToken) =>
        await images.FindAsync(id, cancellationToken) is { Status: not ImageStatus.Deleted } image
            ? image
            : throw new ImageNotFoundException(id.ToString());

    /// <summary>One page of what the query's eyes see.</summary>
    public Task<IReadOnlyList<Image>> ListAsync(ImageQuery query, CancellationToken cancellationToken) => images.ListAsync(query, cancellationToken);

    /// <summary>Describes a new image, which has no content yet.</summary>
    /// <param name="id">Chosen by the creator; null to have one made.</param>
    /// <param name="owner">Another project than the caller's; for administrators.</param>
    /// <param name="describe">Fills in what the creator says.</param>
    public async Task<Image> CreateAsync(
        Caller caller, ImageId? id, ProjectId? owner, Func<Image, Image> describe, CancellationToken cancellationToken)
    {
        var image = Draft(caller, id, owner, describe);
        await catalogue.SaveAsync(new CatalogueChange { Image = image, Within = [QuotaResource.Images] }, cancellationToken);
        return image with { Version = 1 };
    }

    /// <summary>Changes what users may change: the description, the properties and who sees the image.</summary>
    /// <param name="condition">Throws where the image is not what the caller means to change; asked of what the change is made to.</param>
    public async Task<Image> UpdateAsync(
        ImageId id, Caller caller, Func<Image, Image> change, CancellationToken cancellationToken, Action<Image>? condition = null)
    {
        caller.RequireMember("change an image");
        return await ChangeAsync(id, caller, image =>
        {
            var next = image.IsQueued ? Normal(change(image)) : change(image);
            CheckChange(image, next, caller);
            return next == image ? image : next with { UpdatedAt = time.Now() };
        }, condition, cancellationToken);
    }

    /// <summary>Allows or forbids new uses of an active image.</summary>
    /// <param name="condition">As for <see cref="UpdateAsync"/>.</param>
    public async Task<Image> EnableAsync(
        ImageId id, bool enabled, Caller caller, CancellationToken cancellationToken, Action<Image>? condition = null)
    {
        caller.RequireMember(enabled ? "enable an image" : "disable an image");
        return await ChangeAsync(id, caller, image => image.Enable(enabled, time.Now()), condition, cancellationToken);
    }

    /// <summary>
    /// Deletes the image, and cancels the transfers that are bringing or copying its content. Space that no other image needs is freed at
    /// once, or by the next sweep where a store does not answer.
    /// </summary>
    /// <param name="condition">As for <see cref="UpdateAsync"/>.</param>
    /// <exception cref="ImageProtectedException">It is protected.</exception>
    public async Task DeleteAsync(ImageId id, Caller caller, CancellationToken cancellationToken, Action<Image>? condition = null)
    {
        caller.RequireMember("delete an image");
        for (var crossings = 0; ; crossings++)
        {
            var image = await GetOwnAsync(id, caller, cancellationToken);
            condition?.Invoke(image);
            var living = await transfers.ListAsync(
                new TransferQuery { Image = id, States = Transfer.LivingStates, Limit = int.MaxValue }, cancellationToken);
            var freed = await replicas.ListAsync([id], cancellationToken);
            try
            {
                await catalogue.SaveAsync(
                    new CatalogueChange
                    {
                        Image = image.Delete(time.Now()),
                        Transfers = [.. living.Select(t => t.Cancel(time.Now()))],
                        WithoutReplicasOf = id,
                    },
                    cancellationToken);
                await FreeAsync(freed);
                foreach (var staged in living.Where(t => t.IsStaged))
                    await sweeper.TryDiscardAsync(staged);
                return;
            }
            catch (ConcurrentChangeException) when (crossings < MaxCrossings)
            {
                // Its transfer stored its progress meanwhile: read again.
            }
        }
    }

    /// <summary>The members of an image that the caller may see: all of them for its owner, the caller's own record for a member.</summary>
    public async Task<IReadOnlyList<ImageMember>> ListMembersAsync(ImageId id, Caller caller, CancellationToken cancellationToken)
    {
        var image = await GetAsync(id, caller, cancellationToken);
        if (image.Visibility is not Visibility.Shared)
            throw new ImageNotSharedException(id);

        var members = await images.ListMembersAsync(id, cancellationToken);
        return Owns(image, caller) ? members : [.. members.Where(m => m.Project == caller.Project)];
    }

    /// <exception cref="MemberNotFoundException">The project is no member, or the caller may not know.</exception>
    public async Task<ImageMember> GetMemberAsync(ImageId id, ProjectId project, Caller caller, CancellationToken cancellationToken)
    {
        var image = await GetAsync(id, caller, cancellationToken);
        var member = Owns(image, caller) || project == caller.Project ? await images.FindMemberAsync(id, project, cancellationToken) : null;
        return member ?? throw new MemberNotFoundException(id, project);
    }

    /// <summary>Shares an image with a project, whose answer is pending then.</summary>
    public async Task<ImageMember> AddMemberAsync(ImageId id, ProjectId project, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("share an image");
        if (!IdentityIds.IsPlausible(project.Value))
            throw new InvalidFieldException("member", "is no project id");

        var image = await GetOwnAsync(id, caller, cancellationToken);
        if (image.Visibility is not Visibility.Shared)
            throw new ImageNotSharedException(id);
        if ((await images.ListMembersAsync(id, cancellationToken)).Count >= ImageRules.MaxMembers)
            throw new LimitExceededException("members", ImageRules.MaxMembers);

        var now = time.Now();
        var member = new ImageMember(id, project, MemberStatus.Pending, now, now);
        await images.AddMemberAsync(member, cancellationToken);
        return member;
    }

    /// <summary>The answer of a member to being shared an image; only the member itself, or an administrator, gives it.</summary>
    public async Task<ImageMember> AnswerAsync(ImageId id, ProjectId project, MemberStatus answer, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("answer for a member");
        var member = await GetMemberAsync(id, project, caller, cancellationToken);
        if (!caller.IsAdmin && project != caller.Project)
            throw new ForbiddenException("answer for another project", "only the member itself accepts or rejects an image");

        var answered = member with { Status = answer, UpdatedAt = time.Now() };
        await images.SaveMemberAsync(answered, cancellationToken);
        return answered;
    }

    /// <summary>Takes an image back from a project.</summary>
    public async Task RemoveMemberAsync(ImageId id, ProjectId project, Caller caller, CancellationToken cancellationToken)
    {
        caller.RequireMember("share an image");
        var image = await GetOwnAsync(id, caller, cancellationToken);
        if (image.Visibility is not Visibility.Shared)
            throw new ImageNotSharedException(id);
        if (!await images.DeleteMemberAsync(id, project, cancellationToken))
            throw new MemberNotFoundException(id, project);
    }

    /// <summary>The image, for who may change it.</summary>
    public async Task<Image> GetOwnAsync(ImageId id, Caller caller, CancellationToken cancellationToken)
    {
        var image = await GetAsync(id, caller, cancellationToken);
        return Owns(image, caller) ? image : throw new NotOwnerException(id);
    }

    /// <summary>A described image that is not stored yet.</summary>
    internal Image Draft(Caller caller, ImageId? id, ProjectId? owner, Func<Image, Image> describe)
    {
        caller.RequireMember("create an image");
        if (owner is not null && owner != caller.Project)
            caller.RequireAdmin("create an image for another project");

        var now = time.Now();
        var image = describe(new Image
        {
            Id = id ?? ImageId.New(),
            Owner = owner ?? caller.RequireProject(),
            Domain = caller.Domain,
            CreatedAt = now,
            UpdatedAt = now,
        });
        CheckVisibility(image, caller);
        return ImageRules.Check(Normal(image));
    }

    private async Task FreeAsync(IEnumerable<Replica> replicas)
    {
        foreach (var replica in replicas)
        {
            if (replica.Digest is { } digest)
                await sweeper.TryFreeAsync(replica.Store, digest);
        }
    }

    private static void CheckChange(Image image, Image next, Caller caller)
    {
        if (next.Visibility != image.Visibility)
            CheckVisibility(next, caller);
        if (next.Owner != image.Owner)
            caller.RequireAdmin("give an image to another project");
        if ((next.DiskFormat != image.DiskFormat || next.ContainerFormat != image.ContainerFormat) && !image.IsQueued)
            throw new ImageStatusException(image.Id, image.Status, ImageStatus.Queued);

        ImageRules.Check(next);
    }

    /// <summary>An iso is a system image of a kind of its own; who said "system" meant that.</summary>
    private static Image Normal(Image image) =>
        image is { Kind: ImageKind.System, DiskFormat: DiskFormat.Iso } ? image with { Kind = ImageKind.Iso }
        : image is { Kind: ImageKind.Iso, DiskFormat: null } ? image with { DiskFormat = DiskFormat.Iso }
        : image;

    private static void CheckVisibility(Image image, Caller caller)
    {
        if (image.Visibility is Visibility.Public)
            caller.RequireAdmin("publish an image");
    }

    private async Task<Image> ChangeAsync(
        ImageId id, Caller caller, Func<Image, Image> change, Action<Image>? condition, CancellationToken cancellationToken)
    {
        for (var crossings = 0; ; crossings++)
        {
            var image = await GetOwnAsync(id, caller, cancellationToken);
            condition?.Invoke(image);
            var next = change(image);
            if (next == image)
                return image;

            try
            {
                // A new owner gets all that the image has with it, and so must have room for it.
                IReadOnlyList<QuotaResource> within = next.Owner == image.Owner ? [] : Enum.GetValues<QuotaResource>();
                await catalogue.SaveAsync(new CatalogueChange { Image = next, Within = within }, cancellationToken);
                return next with { Version = next.Version + 1 };
            }
            catch (ConcurrentChangeException) when (crossings < MaxCrossings)
            {
                // The change is a function of what is there: apply it to what is there now.
            }
        }
    }

    private async Task<bool> MaySeeAsync(Image image, Caller caller, CancellationToken cancellationToken) =>
        Owns(image, caller)
        || image.Visibility is Visibility.Community
        || (image.Visibility is Visibility.Public && image.Domain == caller.Domain)
        || (image.Visibility is Visibility.Shared && caller.Project is { } project
            && await images.FindMemberAsync(image.Id, project, cancellationToken) is not null);

    private static bool Owns(Image image, Caller caller) => caller.IsAdmin || image.Owner == caller.Project;
}
