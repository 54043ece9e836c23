using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Vitrine.ApiTests.Glance;

/// <summary>Who asks. All but the stranger and the admin are of one project, which is "ours" below.</summary>
public enum Who
{
    Stranger,
    Reader,
    Member,

    /// <summary>Of another project: the role counts everywhere.</summary>
    Admin,
}

/// <summary>Whose the image or the namespace is, as our project sees it. The stranger's project has none of them and is given none.</summary>
public enum What
{
    /// <summary>Ours, and shared with a project that nobody here is of.</summary>
    Own,

    /// <summary>Shared with us, who took it.</summary>
    Accepted,

    /// <summary>Shared with us, who have not answered.</summary>
    Pending,

    Public,
    Community,
    Private,
}

/// <summary>Some projects with an image of each kind and a namespace of each, which are made anew where a request changed them.</summary>
/// <remarks>In a library of their own, as some of it is everybody's to see.</remarks>
public sealed class RightsScene : IAsyncLifetime
{
    /// <summary>The one tag, property and object that each namespace has; images have the tag, too.</summary>
    public const string Thing = "thing";

    public const string ResourceType = "OS::Rights::Test";

    private readonly ConcurrentDictionary<What, string> _images = [];
    private readonly ConcurrentDictionary<What, string> _spaces = [];
    private TestProject? _ours;
    private TestProject? _owners;
    private TestProject? _strangers;

    public static IReadOnlyList<What> Images { get; } = Enum.GetValues<What>();

    /// <summary>Namespaces are not shared with single projects.</summary>
    public static IReadOnlyList<What> Spaces { get; } = [What.Own, What.Public, What.Private];

    internal LibraryHost Host { get; } = new();

    private TestProject Ours => Begun(_ours);

    private TestProject Owners => Begun(_owners);

    private TestProject Strangers => Begun(_strangers);

    /// <summary>The member of <see cref="What.Own"/>.</summary>
    private string OtherMember { get; } = Guid.NewGuid().ToString("N");

    public async ValueTask InitializeAsync()
    {
        await Host.InitializeAsync();
        _ours = await Host.NewProjectAsync(CancellationToken.None);
        _owners = await Host.NewProjectAsync(CancellationToken.None);
        _strangers = await Host.NewProjectAsync(CancellationToken.None);
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    internal GlanceCaller As(Who who) => new(Host, who switch
    {
        Who.Stranger => Strangers.Member,
        Who.Reader => Ours.Reader,
        Who.Member => Ours.Member,
        _ => Strangers.Admin,
    });

    internal async Task<string> ImageAsync(What what) =>
        _images.TryGetValue(what, out var image) ? image : _images[what] = await MakeImageAsync(what);

    internal async Task<string> SpaceAsync(What what) =>
        _spaces.TryGetValue(what, out var space) ? space : _spaces[what] = await MakeSpaceAsync(what);

    /// <summary>What was changed is not used again.</summary>
    internal void Forget(What what)
    {
        _images.TryRemove(what, out _);
        _spaces.TryRemove(what, out _);
    }

    /// <summary>Sends a request whose path and body have places for what they are about.</summary>
    /// <param name="what">Decides of what <paramref name="subject"/> is: which member it is shared with.</param>
    /// <param name="subject">The image or the namespace.</param>
    internal Task<GlanceReply> SendAsync(GlanceCaller caller, GlanceRoute route, What what, string subject)
    {
        var path = $"/v2{route.Path}"
            .Replace("{id}", subject, StringComparison.Ordinal)
            .Replace("{space}", subject, StringComparison.Ordinal)
            .Replace("{member}", what is What.Own ? OtherMember : Ours.Id.Value, StringComparison.Ordinal)
            .Replace("{store}", LibraryHost.OtherStoreName, StringComparison.Ordinal)
            .Replace("{type}", ResourceType, StringComparison.Ordinal)
            .Replace("{tag}", Thing, StringComparison.Ordinal)
            .Replace("{name}", route.Path.StartsWith("/schemas/metadefs", StringComparison.Ordinal) ? "namespace"
                : route.Path.StartsWith("/schemas", StringComparison.Ordinal) ? "image" : Thing, StringComparison.Ordinal);
        if (route.Body is null)
            return caller.SendAsync(route.Method, path, content: null);

        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(route.Body
            .Replace("SPACE", subject, StringComparison.Ordinal)
            .Replace("NEW", Guid.NewGuid().ToString("N"), StringComparison.Ordinal)
            .Replace("OTHERS", Owners.Id.Value, StringComparison.Ordinal)));
        content.Headers.ContentType = new MediaTypeHeaderValue(
            route.Method == "PATCH" ? GlanceCaller.Patch21
            : path.EndsWith("/file", StringComparison.Ordinal) || path.EndsWith("/stage", StringComparison.Ordinal) ? "application/octet-stream"
            : "application/json");
        return caller.SendAsync(route.Method, path, content);
    }

    private async Task<string> MakeImageAsync(What what)
    {
        var owner = new GlanceCaller(Host, what is What.Own ? Ours.Member : Owners.Admin);
        var visibility = what switch
        {
            What.Public => "public",
            What.Community => "community",
            What.Private => "private",
            _ => "shared",
        };
        var image = await owner.CreateActiveAsync([1, 2, 3], $$""" "visibility": "{{visibility}}", "tags": ["{{Thing}}"] """);
        if (visibility == "shared")
        {
            var member = what is What.Own ? OtherMember : Ours.Id.Value;
            Assert.Equal(HttpStatusCode.OK, (await owner.PostAsync($"/v2/images/{image}/members", $$"""{"member":"{{member}}"}""")).Status);
            if (what is What.Accepted)
                await As(Who.Member).PutAsync($"/v2/images/{image}/members/{member}", """{"status":"accepted"}""");
        }

        return image;
    }

    private async Task<string> MakeSpaceAsync(What what)
    {
        var owner = new GlanceCaller(Host, what is What.Own ? Ours.Admin : Owners.Admin);
        var space = $"Rights-{Guid.NewGuid():N}";
        var visibility = what is What.Public ? "public" : "private";
        var made = await owner.PostAsync("/v2/metadefs/namespaces", $$$"""
            {"namespace": "{{{space}}}", "visibility": "{{{visibility}}}", "tags": [{"name": "{{{Thing}}}"}],
             "properties": {"{{{Thing}}}": {"title": "T", "type": "string"}}, "objects": [{"name": "{{{Thing}}}"}],
             "resource_type_associations": [{"name": "{{{ResourceType}}}"}]}
            """);
        Assert.Equal(HttpStatusCode.Created, made.Status);
        return space;
    }

    private static TestProject Begun(TestProject? project) => project ?? throw new InvalidOperationException("The test has not begun.");
}
