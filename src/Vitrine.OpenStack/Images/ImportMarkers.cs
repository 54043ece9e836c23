using Vitrine.Images;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.OpenStack.Images;

/// <summary>The properties by which Glance's clients follow an import, as there is no other way to from the image.</summary>
/// <remarks>
/// As clients see them: while it runs, the task and the stores that are still to receive the content; then the stores that are
/// still to and those that failed, both empty after success. After a failure the image is queued again, and the store that
/// failed is named. An image that is being copied stays active.
/// </remarks>
internal static class ImportMarkers
{
    private const string Task = "os_glance_import_task";
    private const string Importing = "os_glance_importing_to_stores";
    private const string Failed = "os_glance_failed_import";

    /// <summary>Whether the image's transfer has to be looked at.</summary>
    public static bool NeedTransfer(Image image) => image is { Status: ImageStatus.Failed, Transfer: not null };

    public static IEnumerable<(string Name, string Value)> Of(Image image, IReadOnlyCollection<Replica> replicas, Transfer? transfer) => image switch
    {
        { Status: ImageStatus.Importing } =>
            [(Task, image.Transfer?.ToString() ?? ""), (Importing, StoresOf(replicas, ReplicaState.Receiving)), (Failed, "")],
        { Status: ImageStatus.Active } when image.SourceUrl is not null || replicas.Count > 1 =>
            [(Importing, StoresOf(replicas, ReplicaState.Receiving)), (Failed, StoresOf(replicas, ReplicaState.Failed))],
        { Status: ImageStatus.Failed } when transfer is { Kind: TransferKind.Import } => [(Importing, ""), (Failed, transfer.Store)],
        _ => [],
    };

    public static string StoresOf(IEnumerable<Replica> replicas, ReplicaState state) =>
        string.Join(',', replicas.Where(r => r.State == state).Select(r => r.Store).Order(StringComparer.Ordinal));
}
