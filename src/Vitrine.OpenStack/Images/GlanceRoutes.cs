using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Vitrine.OpenStack.Images;

/// <summary>A method of a resource, and who answers it.</summary>
internal sealed record GlanceMethod(string Name, Delegate Handler)
{
    /// <summary>Where Glance has another status for a failure here than everywhere else; null where it has not.</summary>
    public OtherAnswer? Other { get; private init; }

    public static GlanceMethod Get(Delegate handler) => new(HttpMethods.Get, handler);

    public static GlanceMethod Post(Delegate handler) => new(HttpMethods.Post, handler);

    public static GlanceMethod Put(Delegate handler) => new(HttpMethods.Put, handler);

    public static GlanceMethod Patch(Delegate handler) => new(HttpMethods.Patch, handler);

    public static GlanceMethod Delete(Delegate handler) => new(HttpMethods.Delete, handler);

    public GlanceMethod Answering<TFailure>(int status) where TFailure : LibraryException =>
        this with { Other = new OtherAnswer(typeof(TFailure), status) };
}

internal static class GlanceRoutes
{
    /// <summary>Maps the methods that a path has, and refuses all others in Glance's own form, HEAD among them.</summary>
    public static void MapResource(this IEndpointRouteBuilder routes, string path, params GlanceMethod[] methods)
    {
        foreach (var method in methods)
        {
            var route = routes.MapMethods(path, [method.Name], method.Handler);
            if (method.Other is { } other)
                route.WithMetadata(other);
        }

        var allowed = string.Join(", ", methods.Select(m => m.Name));
        routes.Map(path, IResult (HttpContext context) => Refuse(context, allowed));
    }

    /// <summary>A slash at the end asks for one of a collection without saying which: it is not found, and is not the collection.</summary>
    public static RouteGroupBuilder WithoutTrailingSlashes(this RouteGroupBuilder group) =>
        group.AddEndpointFilter((context, next) => context.HttpContext.Request.Path.Value!.EndsWith('/')
            ? throw GlanceRefusalException.NotFound("The resource could not be found.")
            : next(context));

    private static GlanceErrorAnswer Refuse(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return new GlanceErrorAnswer(
            StatusCodes.Status405MethodNotAllowed, $"The method {context.Request.Method} is not allowed for this resource; use {allowed}.");
    }
}
