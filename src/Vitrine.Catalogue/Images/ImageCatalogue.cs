using System.Data.Common;
using Dapper;
using Vitrine.Access;
using Vitrine.Catalogue.Database;
using Vitrine.Catalogue.Stores;
using Vitrine.Images;

namespace Vitrine.Catalogue.Images;

/// <summary>Images and their members in the database.</summary>
/// <param name="few">See <see cref="ImageProspect"/>.</param>
internal sealed class ImageCatalogue(CatalogueDatabase database, int few = ImageProspect.Few) : IImageCatalogue
{
    private static readonly UniqueRule OneMembership =
        new("image_members_pkey", "image_members.image, image_members.project");

    private readonly string _selection = WholeImageRow.Selection(database.Dialect);

    public async Task<Image?> FindAsync(ImageId id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<WholeImageRow>(new CommandDefinition(
            $"select {_selection} from images where id = @id",
            new { id = id.ToString() }, cancellationToken: cancellationToken));
        return row?.ToImage();
    }

    public async Task<Image?> FindBySourceAsync(ProjectId owner, string sourceKey, CancellationToken cancellationToken)
    {
        if (!Stored.CanHold(owner.Value))
            return null;

        await using var connection = await database.OpenAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<WholeImageRow>(new CommandDefinition(
            $"""
            select {_selection} from images
            where owner = @owner and source_hash = @hash and status <> 'failed' and status <> 'deleted'
            """,
            new { owner = owner.Value, hash = ImageRow.HashSource(sourceKey) }, cancellationToken: cancellationToken));
        return row?.ToImage();
    }

    public async Task<IReadOnlyList<Image>> ListAsync(ImageQuery query, CancellationToken cancellationToken)
    {
        if (!ImageFilters.CanMatch(query))
            return [];

        await using var connection = await database.OpenAsync(cancellationToken);
        var prospect = await ImageProspect.OfAsync(query, few, database.Dialect, connection, cancellationToken);
        var listing = new ImageListing(query, prospect, database.Dialect);
        if (prospect.Candidates is { Count: 0 } || listing.Statement is null)
            return [];

        var rows = await connection.QueryAsync<WholeImageRow>(
            new CommandDefinition(listing.Statement, listing.Values, cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToImage())];
    }

    public async Task<ImageMember?> FindMemberAsync(ImageId image, ProjectId project, CancellationToken cancellationToken)
    {
        if (!Stored.CanHold(project.Value))
            return null;

        await using var connection = await database.OpenAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<MemberRow>(new CommandDefinition(
            $"select {Row<MemberRow>.Columns} from image_members where image = @image and project = @project",
            new { image = image.ToString(), project = project.Value }, cancellationToken: cancellationToken));
        return row?.ToMember();
    }

    public async Task<IReadOnlyList<ImageMember>> ListMembersAsync(ImageId image, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var rows = await connection.QueryAsync<MemberRow>(new CommandDefinition(
            $"select {Row<MemberRow>.Columns} from image_members where image = @image order by position",
            new { image = image.ToString() }, cancellationToken: cancellationToken));
        return [.. rows.Select(row => row.ToMember())];
    }

    public async Task AddMemberAsync(ImageMember member, CancellationToken cancellationToken)
    {
        try
        {
            await database.WriteAsync(
                (_, transaction) => AddMemberAsync(MemberRow.From(member), transaction, cancellationToken), cancellationToken);
        }
        catch (DbException error) when (database.Dialect.Breaks(error, OneMembership))
        {
            throw new DuplicateMemberException(member.Image, member.Project);
        }
    }

    public Task SaveMemberAsync(ImageMember member, CancellationToken cancellationToken) => database.WriteAsync(
        (connection, transaction) => connection.ExecuteAsync(new CommandDefinition(
            $"update image_members set {Row<MemberRow>.Assignments} where image = @Image and project = @Project; {DescriptionCatalogue.DescribeAnew}",
            MemberRow.From(member), transaction, cancellationToken: cancellationToken)),
        cancellationToken);

    public async Task<bool> DeleteMemberAsync(ImageId image, ProjectId project, CancellationToken cancellationToken) =>
        Stored.CanHold(project.Value) && await database.WriteAsync(
            async (connection, transaction) => await connection.ExecuteAsync(new CommandDefinition(
                "delete from image_members where image = @Image and project = @Project",
                new { Image = image.ToString(), Project = project.Value }, transaction, cancellationToken: cancellationToken)) > 0
                && await connection.ExecuteAsync(new CommandDefinition(
                    DescriptionCatalogue.DescribeAnew, new { Image = image.ToString() }, transaction, cancellationToken: cancellationToken)) > 0,
            cancellationToken);

    private async Task AddMemberAsync(MemberRow row, DbTransaction transaction, CancellationToken cancellationToken)
    {
        // The lock keeps the image from being deleted in between, and puts members that are added at once in one order.
        var connection = transaction.Connection!;
        var found = await connection.ExecuteScalarAsync<int?>(new CommandDefinition(
            $"select 1 from images where id = @Image and status <> 'deleted' {database.Dialect.ForUpdate}",
            row, transaction, cancellationToken: cancellationToken));
        if (found is null)
            throw new ImageNotFoundException(row.Image);

        await MemberRow.InsertAsync(row, transaction, cancellationToken);
    }
}
