using System.Net;
using Microsoft.AspNetCore.WebUtilities;
using Vitrine.Sources.Outgoing;
using Vitrine.Transfers;

namespace Vitrine.Sources.Http;

/// <summary>What goes wrong while HTTP is spoken, as failures that a user understands.</summary>
internal static class HttpFailures
{
    /// <summary>The number and the standard's own phrase for it; the phrase that came could say anything.</summary>
    public static string Told(HttpStatusCode status) => $"{(int)status} {ReasonPhrases.GetReasonPhrase((int)status)}".TrimEnd();

    public static SourceException OfStatus(HttpExchange exchange) => exchange.Status is >= (HttpStatusCode)200 and < (HttpStatusCode)300
        ? new(SourceFault.Status, $"{exchange.Target.Host} answered {Told(exchange.Status)}, which brings no file.", mayPass: false)
        : new(SourceFault.Status, $"{exchange.Target.Host} answered {Told(exchange.Status)}.", MayPass(exchange.Status));

    /// <summary>The answer did not come to its body.</summary>
    public static SourceException OfAnswer(OutgoingTarget target, Exception fault) => fault switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } =>
            new(SourceFault.Broken, $"{target.Host} sent more headers than are read.", mayPass: false),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } =>
            new(SourceFault.Broken, $"{target.Host} sent an answer that is not HTTP.", mayPass: false),
        _ => new(SourceFault.Broken, $"{target.Host} cut the connection before it answered.", mayPass: true),
    };

    private static bool MayPass(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or (HttpStatusCode)425 or HttpStatusCode.TooManyRequests || (int)status is >= 500 and < 600;
}
