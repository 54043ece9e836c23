using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Vitrine.Access;

namespace Vitrine.OpenStack.Identity;

/// <summary>The login of a request, once it is known.</summary>
public sealed record CallerFeature(Login Login);

/// <summary>Finds out who asks, for every face that takes Keystone's tokens.</summary>
public static class KeystoneAuthentication
{
    public const string TokenHeader = "X-Auth-Token";

    private const string Bearer = "Bearer ";

    /// <summary>Lets nobody through whose token does not hold.</summary>
    /// <remarks>
    /// Filters run after parameters are bound. A handler that must not read a body for strangers takes the request itself and
    /// reads it inside.
    /// </remarks>
    public static TBuilder RequireLogin<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilter(async (context, next) =>
        {
            await context.HttpContext.LogInAsync(context.HttpContext.RequestAborted);
            return await next(context);
        });

    /// <summary>Holds the request's token, from <c>X-Auth-Token</c> or <c>Authorization: Bearer</c>, against identity.</summary>
    /// <exception cref="UnauthenticatedException">There is none, or it does not hold. The face answers in its own words.</exception>
    public static async Task<Login> LogInAsync(this HttpContext context, CancellationToken cancellationToken)
    {
        if (context.Features.Get<CallerFeature>() is { } known)
            return known.Login;

        var token = TokenOf(context.Request) ?? throw new UnauthenticatedException();
        var login = await context.RequestServices.GetRequiredService<ILogins>().ValidateAsync(token, cancellationToken);
        context.Features.Set(new CallerFeature(login));
        return login;
    }

    /// <exception cref="UnauthenticatedException">The request came in without <see cref="RequireLogin"/>, so nobody is known.</exception>
    public static Login GetLogin(this HttpContext context) =>
        context.Features.Get<CallerFeature>()?.Login ?? throw new UnauthenticatedException();

    /// <inheritdoc cref="GetLogin"/>
    public static Caller GetCaller(this HttpContext context) => context.GetLogin().Caller;

    private static string? TokenOf(HttpRequest request)
    {
        if (request.Headers[TokenHeader] is [{ Length: > 0 } token])
            return token;

        return request.Headers.Authorization is [{ } authorization] && authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? authorization[Bearer.Length..].Trim()
            : null;
    }
}
