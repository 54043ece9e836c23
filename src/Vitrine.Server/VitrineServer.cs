using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Vitrine.Nodes;
using Vitrine.OpenStack.Identity;
using Vitrine.OpenStack.Images;
using Vitrine.Server.Operations;
using Vitrine.Server.Rest;
using Vitrine.Server.Serving;
using Vitrine.Server.Tls;

namespace Vitrine.Server;

/// <summary>Puts one node together: the domain, what stands behind it, and the faces before it.</summary>
public static class VitrineServer
{
    // What is larger is content, whose endpoints lift the limit.
    private const long MaxDocumentSize = 1024 * 1024;

    /// <summary>
    /// Reads, in this order, <c>vitrine.json</c> of the data directory, the variables that begin with VITRINE_, and the
    /// command line; the last word counts.
    /// </summary>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { Args = args });
        Configure(builder.Configuration, args);
        var options = Composition.ReadOptions(builder.Configuration);
        var data = DataDirectory.Take(options);

        AddLogging(builder.Logging);
        builder.AddTelemetry();
        builder.WebHost.UseKestrel(kestrel => Listen(kestrel, options));
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, ReceiveBlocks>();
        builder.Services.AddRouting();
        builder.Services.AddSingleton(_ => data); // made by a factory, so that it is let go of with the server
        builder.Services.AddVitrine(builder.Configuration, options);
        builder.Services.AddKeystone();
        builder.Services.AddGlance();
        builder.Services.AddTls();
        builder.Services.AddMonitoring();
        builder.Services.AddRest();
        builder.Services.AddProblemDetails();
        builder.Services.AddOpenApi(description => description.ShouldInclude = operation => IsOurs(operation.RelativePath));
        builder.Services.AddSingleton<INodeCheck, DataDirectoryCheck>();

        var app = builder.Build();
        app.UseRequestIds();
        app.UseRestProblems();
        app.UseCatalogueFailures();
        app.UseUploadsFromPages();
        app.UseRouting();
        app.MapMonitoring();
        app.MapAuthority();
        app.MapUploads();
        app.MapUploadForms();
        if (options.ReadRoles().Contains(NodeRole.Api))
            MapFaces(app);
        return app;
    }

    private static void MapFaces(WebApplication app)
    {
        app.MapKeystone();
        app.MapGlance();
        app.MapRest();
        app.MapOpenApi("/api/v1/openapi.json");
    }

    /// <summary>OpenStack describes its own APIs.</summary>
    private static bool IsOurs(string? path) =>
        path is not null && (path.StartsWith("api/v1", StringComparison.Ordinal) || path.StartsWith("uploads", StringComparison.Ordinal));

    private static void Configure(ConfigurationManager configuration, string[] args)
    {
        var data = Environment.GetEnvironmentVariable("VITRINE_DATA") ?? new ServerOptions().Data;
        configuration.AddJsonFile(Path.Combine(Path.GetFullPath(data), "vitrine.json"), optional: true);
        configuration.AddEnvironmentVariables("VITRINE_");
        configuration.AddCommandLine(args, new Dictionary<string, string> { ["--roles"] = "Server:Roles" });
    }

    private static void AddLogging(ILoggingBuilder logging)
    {
        logging.AddJsonConsole(console =>
        {
            console.IncludeScopes = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
        });
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Quartz", LogLevel.Warning);
        logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information);

        // Says at every start that the keys lie unencrypted in the data directory, which only its owner can read.
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
    }

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = MaxDocumentSize;

        foreach (var address in options.Addresses)
        {
            Action<ListenOptions> configure = address.Scheme == Uri.UriSchemeHttps ? Encrypted : Plain;
            if (address.IsLoopback)
                kestrel.ListenLocalhost(address.Port, configure);
            else if (System.Net.IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip))
                kestrel.Listen(ip, address.Port, configure);
            else
                kestrel.ListenAnyIP(address.Port, configure);
        }
    }

    private static void Plain(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.UseFileSending();
    }

    private static void Encrypted(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.UseTls();
    }
}
