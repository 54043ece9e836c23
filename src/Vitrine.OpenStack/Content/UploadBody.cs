using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Vitrine.OpenStack.Content;

/// <summary>The body of a request that brings an image.</summary>
public static class UploadBody
{
    /// <summary>
    /// The body, freed from the server's general limits of size and pace: how much may come and how long it may stand still is
    /// the library's own decision.
    /// </summary>
    /// <param name="idleTimeout">How long the client may send nothing before reading throws <see cref="UploadStalledException"/>.</param>
    public static Stream Open(HttpContext context, TimeSpan idleTimeout, TimeProvider time)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = null;

        return new IdleTimeoutStream(context.Request.BodyReader, idleTimeout, time);
    }
}

/// <summary>The client kept the connection and sent nothing for too long.</summary>
/// <remarks>A failure of the network to the domain, which ends the transfer as broken off.</remarks>
public sealed class UploadStalledException(TimeSpan idle)
    : IOException($"The upload stood still: no byte came for {idle.TotalSeconds:0} seconds.");
