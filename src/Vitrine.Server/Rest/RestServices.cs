using Microsoft.AspNetCore.Server.Kestrel.Core;
using Vitrine.Client;
using Vitrine.Nodes;

namespace Vitrine.Server.Rest;

internal static class RestServices
{
    /// <summary>Adds what the endpoints of <see cref="RestEndpoints.MapRest"/> call besides the domain.</summary>
    public static IServiceCollection AddRest(this IServiceCollection services)
    {
        services.AddSingleton<IHttpContextFactory, TicketHiding>();
        services.AddCors();
        services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestHeadersTotalSize = UploadPartEndpoints.MostHeaders);
        services.AddSingleton<Cursors>();
        services.AddSingleton<ImageRecords>();
        services.AddSingleton<StoreSurvey>();
        services.AddSingleton<StoreReports>();
        services.AddSingleton(provider =>
            provider.GetRequiredService<IConfiguration>().GetSection("Doctor").Get<DoctorOptions>() ?? new DoctorOptions());

        // For the description of the face, which is made from the application's options.
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, LibraryJson.Default));
        return services;
    }
}
