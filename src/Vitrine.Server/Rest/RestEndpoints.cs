using Vitrine.OpenStack.Identity;

namespace Vitrine.Server.Rest;

/// <summary>Our own face: <c>/api/v1</c>, and <c>/uploads</c>, which <see cref="UploadEndpoints"/> maps.</summary>
internal static class RestEndpoints
{
    public const string ApiPath = "/api/v1";
    public const string ImagesPath = ApiPath + "/images";
    public const string TransfersPath = ApiPath + "/transfers";
    public const string UploadsPath = "/uploads";

    public static void MapRest(this IEndpointRouteBuilder app)
    {
        var open = app.MapGroup(ApiPath).WithRestErrors();
        var api = open.MapGroup("").RequireLogin().RefuseIfMatchElsewhere();
        TokenEndpoints.MapTokens(open, api);
        api.MapImages();
        api.MapUploadTickets();
        api.MapContent();
        api.MapDisks();
        api.MapMembers();
        api.MapTransfers();
        api.MapOperations();
        api.MapStores();
        api.MapNodes();
        api.MapLimits();
        api.MapQuotas();
        api.MapEvents();
        api.MapUploadPartList();
        api.MapUploadFormGrants();
    }
}
