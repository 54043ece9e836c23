using System.Text.Json;
using Vitrine.Images;

namespace Vitrine.OpenStack.Images;

/// <summary>A list of changes to an image, in either of the two forms that Glance's clients send.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>2.0, an early draft of JSON Patch: <c>{"replace": "/name", "value": "x"}</c>.</item>
/// <item>2.1, RFC 6902 without move, copy and test: <c>{"op": "replace", "path": "/name", "value": "x"}</c>.</item>
/// </list>
/// Paths are JSON pointers (RFC 6901) of one step.
/// </remarks>
internal sealed class ImagePatch
{
    public const string MediaType20 = "application/openstack-images-v2.0-json-patch";
    public const string MediaType21 = "application/openstack-images-v2.1-json-patch";

    private static readonly string[] Operations = ["add", "replace", "remove"];

    private readonly IReadOnlyList<(string Operation, string Name, JsonElement Value)> _changes;

    private ImagePatch(IReadOnlyList<(string, string, JsonElement)> changes) => _changes = changes;

    /// <param name="draft">Whether the body is in the form of 2.0.</param>
    /// <exception cref="GlanceRefusalException">The body is no list of changes.</exception>
    public static ImagePatch Read(JsonElement body, bool draft)
    {
        if (body.ValueKind is not JsonValueKind.Array)
            throw GlanceRefusalException.BadRequest("The body must be a JSON list of changes.");

        return new ImagePatch([.. body.EnumerateArray().Select(change => ReadChange(change, draft))]);
    }

    /// <summary>The image with all the changes.</summary>
    public Image ApplyTo(Image image) => _changes.Aggregate(image, (changed, change) => Apply(changed, change.Operation, change.Name, change.Value));

    private static Image Apply(Image image, string operation, string name, JsonElement value)
    {
        if (operation != "add" && !ImageAttributes.Has(image, name))
            throw GlanceRefusalException.Conflict($"Property {name} does not exist.");

        // Adding what is there replaces it: the clients' library adds whatever it sets.
        return operation == "remove" ? ImageAttributes.Remove(image, name) : ImageAttributes.Set(image, name, value);
    }

    private static (string Operation, string Name, JsonElement Value) ReadChange(JsonElement change, bool draft)
    {
        if (change.ValueKind is not JsonValueKind.Object)
            throw GlanceRefusalException.BadRequest("Each change must be a JSON object.");

        var (operation, path) = draft ? ReadDraftOperation(change) : ReadOperation(change);
        var name = NameOf(path);
        if (operation == "remove")
            return (operation, name, default);

        return GlanceBody.Find(change, "value") is { } value
            ? (operation, name, value)
            : throw GlanceRefusalException.BadRequest($"The operation {operation} needs a member 'value'.");
    }

    private static (string Operation, string Path) ReadDraftOperation(JsonElement change)
    {
        var named = Operations.Select(o => (Name: o, Path: GlanceBody.Find(change, o))).Where(o => o.Path is not null).ToList();
        return named is [var operation]
            ? (operation.Name, GlanceBody.Text(operation.Path!.Value, operation.Name))
            : throw GlanceRefusalException.BadRequest("Each change must have exactly one member named add, remove or replace.");
    }

    private static (string Operation, string Path) ReadOperation(JsonElement change)
    {
        var operation = GlanceBody.Find(change, "op") is { } op ? GlanceBody.Text(op, "op") : null;
        if (!Operations.Contains(operation))
            throw GlanceRefusalException.BadRequest("Each change must have a member 'op' that is add, remove or replace.");

        return GlanceBody.Find(change, "path") is { } path
            ? (operation!, GlanceBody.Text(path, "path"))
            : throw GlanceRefusalException.BadRequest("Each change must have a member 'path'.");
    }

    /// <summary>RFC 6901, 4: <c>~1</c> is a slash and <c>~0</c> a tilde, decoded in this order; no other tilde stands alone.</summary>
    private static string NameOf(string path)
    {
        if (path.Length < 2 || path[0] != '/')
            throw GlanceRefusalException.BadRequest("A path must begin with a slash and name a property.");

        var steps = path[1..].Split('/');
        if (steps.Length > 1 && !(steps is ["locations", _]))
            throw GlanceRefusalException.BadRequest($"The path '{path}' is too deep: properties have no parts.");
        for (var i = steps[0].IndexOf('~', StringComparison.Ordinal); i >= 0; i = steps[0].IndexOf('~', i + 1))
        {
            if (i + 1 == steps[0].Length || steps[0][i + 1] is not ('0' or '1'))
                throw GlanceRefusalException.BadRequest($"In the path '{path}' a tilde must be followed by 0 or 1.");
        }

        return steps[0].Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
    }
}
