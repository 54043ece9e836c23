using System.Data.Common;
using Dapper;
using Vitrine.Catalogue.Database;
using Vitrine.Images;

namespace Vitrine.Catalogue.Images;

/// <summary>Stores one image, its tags and its properties, as part of a transaction.</summary>
internal sealed class ImageWriting(DbTransaction transaction, CancellationToken cancellationToken)
{
    public static readonly UniqueRule OneId = new("images_pkey", "images.id");
    public static readonly UniqueRule OneSource = new("images_source", "images.owner, images.source_hash");

    private static readonly string Insert =
        $"insert into images ({Row<ImageRow>.Columns}) values ({Row<ImageRow>.Parameters})";

    private static readonly string Update =
        $"update images set {Row<ImageRow>.Assignments} where id = @Id and version = @Version - 1";

    /// <exception cref="ConcurrentChangeException">The stored image has another version.</exception>
    public async Task SaveAsync(Image image)
    {
        var isNew = image.Version == 0;
        var stored = await ExecuteAsync(isNew ? Insert : Update, ImageRow.From(image));
        if (stored == 0)
            throw new ConcurrentChangeException($"Image {image.Id}");

        if (image.Status is ImageStatus.Deleted)
            await ForgetAsync(image);
        else
            await SaveLabelsAsync(image, isNew);
    }

    private async Task ForgetAsync(Image image)
    {
        var id = new { id = image.Id.ToString() };
        await ExecuteAsync("delete from image_tags where image = @id", id);
        await ExecuteAsync("delete from image_properties where image = @id", id);
        await ExecuteAsync("delete from image_members where image = @id", id);
    }

    // Most changes of an image leave its labels as they are, and reading them is cheaper than writing them again.
    private async Task SaveLabelsAsync(Image image, bool isNew)
    {
        var id = image.Id.ToString();
        var tags = isNew ? [] : await ReadTagsAsync(id);
        if (!tags.SetEquals(image.Tags))
            await ReplaceTagsAsync(id, image);

        var properties = isNew ? [] : await ReadPropertiesAsync(id);
        if (!properties.SetEquals(image.Properties))
            await ReplacePropertiesAsync(id, image);
    }

    private async Task<HashSet<string>> ReadTagsAsync(string id) =>
    [
        .. await transaction.Connection!.QueryAsync<string>(
            Command("select tag from image_tags where image = @id", new { id })),
    ];

    private async Task<HashSet<KeyValuePair<string, string>>> ReadPropertiesAsync(string id) =>
    [
        .. await transaction.Connection!.QueryAsync<KeyValuePair<string, string>>(
            Command("select name as key, value from image_properties where image = @id", new { id })),
    ];

    private async Task ReplaceTagsAsync(string id, Image image)
    {
        await ExecuteAsync("delete from image_tags where image = @id", new { id });
        await ExecuteAsync(
            "insert into image_tags (image, tag) values (@id, @tag)",
            image.Tags.Select(tag => new { id, tag }));
    }

    private async Task ReplacePropertiesAsync(string id, Image image)
    {
        await ExecuteAsync("delete from image_properties where image = @id", new { id });
        await ExecuteAsync(
            "insert into image_properties (image, name, value) values (@id, @Key, @Value)",
            image.Properties.Select(property => new { id, property.Key, property.Value }));
    }

    private Task<int> ExecuteAsync(string statement, object values) =>
        transaction.Connection!.ExecuteAsync(Command(statement, values));

    private CommandDefinition Command(string statement, object values) =>
        new(statement, values, transaction, cancellationToken: cancellationToken);
}
