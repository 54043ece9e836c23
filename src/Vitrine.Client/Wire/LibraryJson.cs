using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Vitrine.Client;

/// <summary>The JSON of the library's own face.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, NumberHandling = JsonNumberHandling.Strict, PropertyNameCaseInsensitive = false)]
[JsonSerializable(typeof(TokenRequest))]
[JsonSerializable(typeof(TokenRecord))]
[JsonSerializable(typeof(MeRecord))]
[JsonSerializable(typeof(ImageRecord))]
[JsonSerializable(typeof(ImageCreate))]
[JsonSerializable(typeof(ImageCreated))]
[JsonSerializable(typeof(ImageChange))]
[JsonSerializable(typeof(ImagePage))]
[JsonSerializable(typeof(UploadRequest))]
[JsonSerializable(typeof(UploadRecord))]
[JsonSerializable(typeof(MemberRecord))]
[JsonSerializable(typeof(MemberAnswer))]
[JsonSerializable(typeof(MemberList))]
[JsonSerializable(typeof(TransferRecord))]
[JsonSerializable(typeof(TransferPage))]
[JsonSerializable(typeof(ExplanationRecord))]
[JsonSerializable(typeof(StoreList))]
[JsonSerializable(typeof(CopyRequest))]
[JsonSerializable(typeof(StoreChange))]
[JsonSerializable(typeof(RetiredReplicaList))]
[JsonSerializable(typeof(StoreReportRecord))]
[JsonSerializable(typeof(StoreOperationRequest))]
[JsonSerializable(typeof(StoreOperationRecord))]
[JsonSerializable(typeof(StoreOperationList))]
[JsonSerializable(typeof(ZoneList))]
[JsonSerializable(typeof(NodeList))]
[JsonSerializable(typeof(ExtentPage))]
[JsonSerializable(typeof(DiskDigestRecord))]
[JsonSerializable(typeof(ExportRequest))]
[JsonSerializable(typeof(ExportRecord))]
[JsonSerializable(typeof(ProbeRequest))]
[JsonSerializable(typeof(ProbeRecord))]
[JsonSerializable(typeof(DoctorRecord))]
[JsonSerializable(typeof(ProblemRecord))]
[JsonSerializable(typeof(JsonObject))]
public sealed partial class LibraryJson : JsonSerializerContext;
