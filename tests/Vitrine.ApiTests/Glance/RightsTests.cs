using System.Net;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Vitrine.ApiTests.Glance;

/// <summary>The status that somebody is due at something.</summary>
/// <param name="done">That of a request that is allowed.</param>
internal delegate int Rule(Who who, What what, int done);

/// <summary>A request of Glance's face, and who may make it.</summary>
/// <param name="Path">As it is mapped, below the version.</param>
/// <param name="Done">The status where it is allowed; another than success where the state of what we made stands in its way.</param>
internal sealed record GlanceRoute(string Method, string Path, Rule Rule, int Done, string? Body = null)
{
    public bool IsOfImage => Path.Contains("{id}", StringComparison.Ordinal) && !Path.StartsWith("/tasks", StringComparison.Ordinal);

    public bool IsOfSpace => Path.Contains("{space}", StringComparison.Ordinal);

    public override string ToString() => $"{Method} {Path} {Body}".TrimEnd();
}

/// <summary>Who may do what: each request by everybody that there is, at everything that it can be about.</summary>
public sealed class RightsTests(RightsScene scene) : IClassFixture<RightsScene>
{
    private const string Namespaces = "/metadefs/namespaces";
    private const string Space = $"{Namespaces}/{{space}}";

    private static readonly GlanceRoute[] Matrix =
    [
        new("GET", "/images", Everybody, 200),
        new("POST", "/images", Members, 201, "{}"),
        new("POST", "/images", Admins, 201, """{"visibility":"public"}"""),
        new("POST", "/images", Admins, 201, """{"owner":"OTHERS"}"""),
        new("GET", "/images/{id}", Everybody, 200),
        new("PATCH", "/images/{id}", Owner, 200, """[{"op":"add","path":"/name","value":"b"}]"""),
        new("PATCH", "/images/{id}", Admins, 200, """[{"op":"replace","path":"/owner","value":"NEW"}]"""),
        new("PATCH", "/images/{id}", Admins, 200, """[{"op":"replace","path":"/visibility","value":"public"}]"""),
        new("DELETE", "/images/{id}", Owner, 204),
        new("GET", "/images/{id}/file", Members, 200),
        new("PUT", "/images/{id}/file", Owner, 409, "bytes"),
        new("PUT", "/images/{id}/stage", Owner, 409, "bytes"),
        new("POST", "/images/{id}/import", Owner, 409, """{"method":{"name":"web-download","uri":"http://127.0.0.1:1/"}}"""),
        new("POST", "/images/{id}/import", Owner, 409, """{"method":{"name":"glance-direct"}}"""),
        new("POST", "/images/{id}/import", Owner, 202, """{"method":{"name":"copy-image"},"stores":["slow"]}"""),
        new("POST", "/images/{id}/import", Owner, 409,
            """{"method":{"name":"glance-download","glance_region":"Nowhere","glance_image_id":"0192f0c1-2d3e-7a4b-8c5d-6e7f80910213"}}"""),
        new("PUT", "/images/{id}/tags/{tag}", Owner, 204),
        new("DELETE", "/images/{id}/tags/{tag}", Owner, 204),
        new("POST", "/images/{id}/actions/deactivate", Owner, 204),
        new("POST", "/images/{id}/actions/reactivate", Owner, 204),
        new("GET", "/images/{id}/members", EverybodyIfShared, 200),
        new("POST", "/images/{id}/members", OwnerOfShared, 200, """{"member":"NEW"}"""),
        new("GET", "/images/{id}/members/{member}", OwnerOrMemberItself, 200),
        new("PUT", "/images/{id}/members/{member}", MemberItself, 200, """{"status":"accepted"}"""),
        new("DELETE", "/images/{id}/members/{member}", OwnerOfShared, 204),
        new("GET", "/images/{id}/tasks", Everybody, 200),
        new("GET", "/tasks", Admins, 200),
        new("GET", "/tasks/{id}", Admins, 404),
        new("GET", "/info/import", Everybody, 200),
        new("GET", "/info/stores", Everybody, 200),
        new("GET", "/info/stores/detail", Admins, 200),
        new("GET", "/info/usage", Everybody, 200),
        new("DELETE", "/stores/{store}/{id}", Owner, 404),
        new("GET", "/cache", Admins, 200),
        new("DELETE", "/cache", Admins, 204),
        new("PUT", "/cache/{id}", Admins, 404),
        new("DELETE", "/cache/{id}", Admins, 204),
        new("GET", "/schemas/{name}", Everybody, 200),
        new("GET", "/schemas/metadefs/{name}", Everybody, 200),

        new("GET", "/metadefs/resource_types", Everybody, 200),
        new("GET", Namespaces, Everybody, 200),
        new("POST", Namespaces, Admins, 201, """{"namespace":"NEW"}"""),
        new("GET", Space, Everybody, 200),
        new("PUT", Space, Admins, 200, """{"namespace":"SPACE"}"""),
        new("DELETE", Space, Admins, 204),
        new("GET", $"{Space}/properties", Everybody, 200),
        new("POST", $"{Space}/properties", Admins, 201, """{"name":"NEW","title":"T","type":"string"}"""),
        new("DELETE", $"{Space}/properties", Admins, 204),
        new("GET", $"{Space}/properties/{{name}}", Everybody, 200),
        new("PUT", $"{Space}/properties/{{name}}", Admins, 200, """{"name":"thing","title":"U","type":"string"}"""),
        new("DELETE", $"{Space}/properties/{{name}}", Admins, 204),
        new("GET", $"{Space}/objects", Everybody, 200),
        new("POST", $"{Space}/objects", Admins, 201, """{"name":"NEW"}"""),
        new("DELETE", $"{Space}/objects", Admins, 204),
        new("GET", $"{Space}/objects/{{name}}", Everybody, 200),
        new("PUT", $"{Space}/objects/{{name}}", Admins, 200, """{"name":"thing","description":"d"}"""),
        new("DELETE", $"{Space}/objects/{{name}}", Admins, 204),
        new("GET", $"{Space}/tags", Everybody, 200),
        new("POST", $"{Space}/tags", Admins, 201, """{"tags":[{"name":"NEW"}]}"""),
        new("DELETE", $"{Space}/tags", Admins, 204),
        new("GET", $"{Space}/tags/{{tag}}", Everybody, 200),
        new("POST", $"{Space}/tags/{{tag}}", Admins, 409),
        new("PUT", $"{Space}/tags/{{tag}}", Admins, 200, """{"name":"NEW"}"""),
        new("DELETE", $"{Space}/tags/{{tag}}", Admins, 204),
        new("GET", $"{Space}/resource_types", Everybody, 200),
        new("POST", $"{Space}/resource_types", Admins, 201, """{"name":"OS::Rights::NEW"}"""),
        new("DELETE", $"{Space}/resource_types/{{type}}", Admins, 204),
    ];

    public static TheoryData<string> Routes => [.. Matrix.Select(route => route.ToString())];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Everybody_gets_the_answer_due(string name)
    {
        var route = Matrix.Single(r => r.ToString() == name);
        await Task.WhenAll(WhatOf(route).Select(what => EverybodyGetsTheAnswerDueAsync(route, what)));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Nobody_gets_in(string name)
    {
        var route = Matrix.Single(r => r.ToString() == name);
        var what = What.Public;
        var subject = await SubjectAsync(route, what);
        foreach (var token in (string?[])[null, "garbage"])
            Assert.Equal(HttpStatusCode.Unauthorized, (await scene.SendAsync(new GlanceCaller(scene.Host, token), route, what, subject)).Status);
    }

    [Fact]
    public void Every_route_that_is_mapped_has_its_rights_here()
    {
        const string Prefix = "/image/{version}";
        var mapped = scene.Host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith(Prefix, StringComparison.Ordinal))
            .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [])
                .Select(method => $"{method} {endpoint.RoutePattern.RawText![Prefix.Length..]}"));
        Assert.Equal(mapped.Order(StringComparer.Ordinal), Matrix.Select(r => $"{r.Method} {r.Path}").Distinct().Order(StringComparer.Ordinal));
    }

    // Which of the images are found by somebody who asks for all that there are.
    [Theory]
    [InlineData(Who.Stranger, "visibility=all", new[] { What.Public, What.Community })]
    [InlineData(Who.Reader, "visibility=all", new[] { What.Own, What.Accepted, What.Public, What.Community })]
    [InlineData(Who.Member, "visibility=all", new[] { What.Own, What.Accepted, What.Public, What.Community })]
    [InlineData(Who.Member, "visibility=shared&member_status=all", new[] { What.Own, What.Accepted, What.Pending })]
    [InlineData(Who.Stranger, "visibility=shared&member_status=all", new What[0])]
    [InlineData(Who.Stranger, "visibility=private", new What[0])]
    [InlineData(Who.Member, "visibility=private", new What[0])]
    [InlineData(
        Who.Admin, "visibility=all", new[] { What.Own, What.Accepted, What.Pending, What.Public, What.Community, What.Private })]
    public async Task A_list_shows_what_is_due(Who who, string query, What[] due)
    {
        var listed = new List<What>();
        foreach (var what in RightsScene.Images)
        {
            var image = await scene.ImageAsync(what);
            if ((await scene.As(who).GetAsync($"/v2/images?{query}&id={image}")).Each("images", "id").Contains(image))
                listed.Add(what);
        }

        Assert.Equal(due, listed);
    }

    [Theory]
    [InlineData(Who.Stranger, new[] { What.Public })]
    [InlineData(Who.Reader, new[] { What.Own, What.Public })]
    [InlineData(Who.Member, new[] { What.Own, What.Public })]
    [InlineData(Who.Admin, new[] { What.Own, What.Public, What.Private })]
    public async Task A_list_of_namespaces_shows_what_is_due(Who who, What[] due)
    {
        var spaces = new Dictionary<string, What>();
        foreach (var what in RightsScene.Spaces)
            spaces[await scene.SpaceAsync(what)] = what;

        var listed = (await scene.As(who).GetAsync("/v2/metadefs/namespaces?limit=1000&sort_dir=desc")).Each("namespaces", "namespace");
        Assert.Equal(due, listed.Where(spaces.ContainsKey).Select(name => spaces[name]).Order());
    }

    private async Task EverybodyGetsTheAnswerDueAsync(GlanceRoute route, What what)
    {
        foreach (var who in Enum.GetValues<Who>())
        {
            var subject = await SubjectAsync(route, what);
            var reply = await scene.SendAsync(scene.As(who), route, what, subject);
            var due = route.Rule(who, what, route.Done);
            if (!Sees(who, what) && (route.IsOfImage || route.IsOfSpace))
                await TellsNothingAsync(who, what, route, reply, subject);
            else
                Assert.True(due == (int)reply.Status, $"{who} at {what}: {due} is due and not {(int)reply.Status}: {reply.BodyText}");
            if (reply.Status < HttpStatusCode.BadRequest && route.Method != "GET")
                scene.Forget(what);
        }
    }

    /// <summary>What somebody may not see answers to the letter like what is not there.</summary>
    private async Task TellsNothingAsync(Who who, What what, GlanceRoute route, GlanceReply reply, string subject)
    {
        var missing = route.IsOfImage ? Guid.NewGuid().ToString() : $"Rights-{Guid.NewGuid():N}";
        var other = await scene.SendAsync(scene.As(who), route, what, missing);
        Assert.Equal(other.Status, reply.Status);
        Assert.Equal(
            other.BodyText.Replace(missing, "SUBJECT", StringComparison.Ordinal), reply.BodyText.Replace(subject, "SUBJECT", StringComparison.Ordinal));

        // Who may do nothing of the kind is told so, whether it is there or not.
        if (who is not Who.Reader || reply.Status is not HttpStatusCode.Forbidden)
            Assert.Equal(HttpStatusCode.NotFound, reply.Status);
    }

    private Task<string> SubjectAsync(GlanceRoute route, What what) =>
        route.IsOfImage ? scene.ImageAsync(what) : route.IsOfSpace ? scene.SpaceAsync(what) : Task.FromResult(Guid.NewGuid().ToString());

    private static IReadOnlyList<What> WhatOf(GlanceRoute route) =>
        route.IsOfImage ? RightsScene.Images : route.IsOfSpace ? RightsScene.Spaces : [What.Own];

    private static bool Sees(Who who, What what) => who switch
    {
        Who.Admin => true,
        Who.Stranger => what is What.Public or What.Community,
        _ => what is not What.Private,
    };

    private static bool Owns(Who who, What what) => who is Who.Admin || (who is Who.Member && what is What.Own);

    private static bool IsShared(What what) => what is What.Own or What.Accepted or What.Pending;

    // The rules are of what is seen; of the rest, TellsNothingAsync says what is due.

    private static int Everybody(Who who, What what, int done) => done;

    private static int Members(Who who, What what, int done) => who is Who.Reader ? 403 : done;

    private static int Admins(Who who, What what, int done) => who is Who.Admin ? done : 403;

    private static int Owner(Who who, What what, int done) => Owns(who, what) ? done : 403;

    private static int EverybodyIfShared(Who who, What what, int done) => IsShared(what) ? done : 403;

    private static int OwnerOfShared(Who who, What what, int done) => Owns(who, what) && IsShared(what) ? done : 403;

    /// <summary>Our readers may look at the members of our images, too.</summary>
    private static int OwnerOrMemberItself(Who who, What what, int done) => IsShared(what) ? done : 404;

    private static int MemberItself(Who who, What what, int done) => who switch
    {
        Who.Reader => 403,
        _ when !IsShared(what) => 404,
        Who.Admin => done,
        _ => what is What.Own ? 403 : done,
    };
}
