using System.Net;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Vitrine.OpenStack.Identity;

namespace Vitrine.OpenStack.Images;

/// <summary>An error as Glance writes it: in the form that the Accept header prefers, and as plain text where it names none of ours.</summary>
internal sealed class GlanceErrorAnswer(int status, string message) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        var title = TitleOf(status);
        response.StatusCode = status;
        if (status == StatusCodes.Status401Unauthorized)
            response.Headers.WWWAuthenticate =
                httpContext.RequestServices.GetRequiredService<ServiceCatalogue>().Challenge(httpContext.Request);
        if (status == StatusCodes.Status408RequestTimeout)
            response.Headers.Connection = "close"; // what else would still come is of no use

        var (type, body) = Render(FormOf(httpContext.Request), title);
        var bytes = Encoding.UTF8.GetBytes(body);
        response.ContentType = type;
        response.ContentLength = bytes.Length;
        await response.Body.WriteAsync(bytes, httpContext.RequestAborted);
    }

    private (string Type, string Body) Render(Form form, string title) => form switch
    {
        // Both forms carry a template's traces; clients show the message as it is, tags and all.
        Form.Json => (
            MediaTypeNames.Application.Json,
            JsonSerializer.Serialize(new GlanceError($"{message}<br /><br />\n\n\n", $"{status} {title}", title), GlanceJson.Default.GlanceError)),
        Form.Html => (
            "text/html; charset=UTF-8",
            $"""
            <html>
             <head>
              <title>{status} {title}</title>
             </head>
             <body>
              <h1>{status} {title}</h1>
              {WebUtility.HtmlEncode(message)}<br /><br />



             </body>
            </html>
            """),
        _ => ("text/plain; charset=UTF-8", $"{status} {title}\n\n{message}\n\n   "),
    };

    private static Form FormOf(HttpRequest request)
    {
        // An empty header is how newer clients send data. They show their users what is wrong from JSON alone.
        if (request.Headers.Accept is [""])
            return Form.Json;

        var accepted = MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var list) ? list : [];
        var types = accepted.Where(t => t.Quality is not 0).Select(t => t.MediaType.Value).ToList();
        if (types.Exists(t => t is MediaTypeNames.Application.Json or "application/*"))
            return Form.Json;

        return types.Exists(t => t is MediaTypeNames.Text.Html or "text/*" or "*/*") ? Form.Html : Form.Text;
    }

    private static string TitleOf(int status) => status switch
    {
        StatusCodes.Status413PayloadTooLarge => "Request Entity Too Large",
        StatusCodes.Status416RangeNotSatisfiable => "Requested Range Not Satisfiable",
        _ => ReasonPhrases.GetReasonPhrase(status),
    };

    private enum Form
    {
        Text,
        Html,
        Json,
    }
}

internal sealed record GlanceError(string Message, string Code, string Title);
