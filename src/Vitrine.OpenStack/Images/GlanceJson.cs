using System.Net.Mime;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Vitrine.OpenStack.Images;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(GlanceImage))]
[JsonSerializable(typeof(GlanceImageList))]
[JsonSerializable(typeof(GlanceMember))]
[JsonSerializable(typeof(GlanceMemberList))]
[JsonSerializable(typeof(GlanceImageTaskList))]
[JsonSerializable(typeof(GlanceTaskList))]
[JsonSerializable(typeof(GlanceTask))]
[JsonSerializable(typeof(GlanceImportInfo))]
[JsonSerializable(typeof(GlanceStoreList))]
[JsonSerializable(typeof(GlanceUsage))]
[JsonSerializable(typeof(GlanceCache))]
[JsonSerializable(typeof(GlanceVersionList))]
[JsonSerializable(typeof(GlanceError))]
internal sealed partial class GlanceJson : JsonSerializerContext
{
    /// <summary>An answer that is plainly JSON: clients compare the media type without parameters.</summary>
    public static JsonHttpResult<T> Answer<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) =>
        TypedResults.Json(value, type, MediaTypeNames.Application.Json, status);
}
