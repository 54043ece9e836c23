using Vitrine.Access;
using Vitrine.Client;
using Vitrine.Events;
using Vitrine.Images;
using Vitrine.Limits;
using Vitrine.Nodes;
using Vitrine.Stores;
using Vitrine.Transfers;

namespace Vitrine.Server.Rest;

/// <summary>The domain's records as our wire spells them. Secrets have no place here.</summary>
internal static class WireRecords
{
    /// <param name="transfer">The transfer that brings the content, where the caller may know of it.</param>
    public static ImageRecord From(Image image, Transfer? transfer, IEnumerable<Replica> replicas) => new()
    {
        Id = image.Id.ToString(),
        Name = image.Name,
        Description = image.Description,
        Status = image.Status.Word(),
        Enabled = image.Enabled,
        Kind = image.Kind.Word(),
        Format = image.DiskFormat?.Word(),
        Container = image.ContainerFormat?.Word(),
        Architecture = image.Hardware.Architecture?.Name(),
        Platform = image.Hardware.Platform?.Word(),
        Os = image.Hardware.Os,
        Virtio = image.Hardware.VirtIo,
        Firmware = image.Hardware.Firmware?.Word(),
        EffectiveFirmware = ImageRules.FirmwareOf(image.Hardware).Word(),
        Csm = image.Hardware.Csm,
        BareMetal = image.Hardware.BareMetal,
        MinDisk = image.Hardware.MinDisk,
        MinMemory = image.Hardware.MinMemory,
        Visibility = image.Visibility.Word(),
        Owner = image.Owner.Value,
        Domain = image.Domain,
        Protected = image.Protected,
        Hidden = image.Hidden,
        AllZones = image.AllZones,
        Tags = [.. image.Tags],
        Properties = image.Properties,
        Size = image.Size,
        VirtualSize = image.Content?.VirtualSize,
        Sha256 = image.Content?.Digest.Hex,
        Md5 = image.Content?.Md5,
        Sha512 = image.Content?.Sha512,
        Source = image.SourceUrl,
        SourceFile = image.Content?.Source is { } source ? new SourceFileRecord(source.Digest.Hex, source.Size, source.Wrapper?.Word(), source.Format?.Word()) : null,
        Transfer = transfer is null ? null : From(transfer),
        Failure = image.Status is ImageStatus.Failed && transfer?.Failure is { } failure ? From(failure) : null,
        Replicas = [.. replicas.Select(r => new ReplicaRecord(r.Store, r.State.Word(), r.Size, r.UpdatedAt))],
        Warnings = ImageRules.WarningsFor(image),
        CreatedAt = image.CreatedAt,
        UpdatedAt = image.UpdatedAt,
    };

    /// <param name="wait">What keeps the transfer from beginning, where it was asked.</param>
    public static TransferRecord From(Transfer transfer, TransferWait? wait) => From(transfer) with { Waiting = wait?.Cause };

    public static TransferRecord From(Transfer transfer) => new()
    {
        Id = transfer.Id.ToString(),
        Image = transfer.Image.ToString(),
        Project = transfer.Project.Value,
        Kind = transfer.Kind.Word(),
        State = transfer.State.Word(),
        Step = transfer.Step,
        Store = transfer.Store,
        SourceStore = transfer.SourceStore,
        Source = transfer.SourceUrl,
        Checksum = transfer.Expected?.ToString(),
        Length = transfer.Length,
        Moved = transfer.Moved,
        Fetched = transfer.Fetched,
        Unpacked = transfer.Unpacked,
        Converted = transfer.Converted,
        Assembled = transfer.Assembled,
        Rate = Math.Round(transfer.Rate),
        SecondsLeft = transfer.TimeLeft is { } left ? Math.Round(left.TotalSeconds) : null,
        Attempt = transfer.Attempt,
        NextAttemptAt = transfer.NextAttemptAt,
        Failure = transfer.Failure is { } failure ? From(failure) : null,
        Notes = transfer.Notes,
        Node = transfer.NodeName,
        CreatedAt = transfer.CreatedAt,
        StartedAt = transfer.StartedAt,
        LastProgress = transfer.LastProgress,
        EndedAt = transfer.EndedAt,
    };

    public static EventRecord From(LibraryEvent one) => new()
    {
        Image = one.Image.ToString(),
        Transfer = one.Transfer?.ToString(),
        Project = one.Project.Value,
        State = one.State,
        Previous = one.Previous,
        Failure = one.Failure,
        At = one.At,
    };

    public static TransferLogRecord LogOf(TransferId transfer, IReadOnlyList<LibraryEvent> events) => new(
        transfer.ToString(), EventFeed.Lifetime.Days,
        [.. events.Select(e => new TransferLogEntry
        {
            At = e.At,
            State = e.State,
            Previous = e.Previous,
            Step = e.Step,
            Node = e.Node,
            Attempt = e.Attempt,
            Moved = e.Moved,
            Failure = e.Failure,
            Cause = e.Cause,
        })]);

    public static FailureRecord From(TransferFailure failure) =>
        new(failure.Code, failure.Step, failure.Cause, failure.Remedy, failure.Node, failure.At);

    /// <summary>Without what a scrub found, which is told of images.</summary>
    public static StoreOperationRecord From(StoreOperation operation) => new()
    {
        Id = operation.Id.ToString(),
        Store = operation.Store,
        Kind = operation.Kind.Word(),
        Sources = operation.Kind is StoreOperationKind.Sync ? operation.Sources : null,
        Move = operation.Moves,
        Images = operation.Images.IsEmpty ? null : [.. operation.Images.Select(i => i.ToString())],
        State = operation.State.Word(),
        Done = operation.Progress.Done,
        Total = operation.Progress.Total,
        Rate = operation.Rate,
        User = operation.User?.Value,
        Node = operation.NodeName,
        Collected = operation.Collected is { } collected ? new CollectionRecord(collected.Freed, collected.Moved, collected.Condemned) : null,
        Synced = operation.Synced is { } synced ? new SyncRecord(synced.Copied, synced.Bytes, synced.Failed) : null,
        CleanedUp = operation.CleanedUp is { } cleaned
            ? new CleanupRecord(cleaned.Removed, cleaned.Bytes, [.. cleaned.Kept.Select(k => new KeptReplicaRecord(k.Image.ToString(), k.Reason))])
            : null,
        Rebuilt = operation.Rebuilt is { } rebuilt
            ? new RebuildRecord(rebuilt.Restored, rebuilt.Known, rebuilt.Lost, rebuilt.Unreadable)
            : null,
        Checked = operation.Checked is { } found ? From(operation, found) : null,
        Failure = operation is { Failure: { } failure, EndedAt: { } endedAt }
            ? new FailureRecord(failure.Code, operation.Kind.Word(), failure.Cause, failure.Remedy, operation.NodeName, endedAt)
            : null,
        CreatedAt = operation.CreatedAt,
        StartedAt = operation.StartedAt,
        EndedAt = operation.EndedAt,
    };

    private static CheckRecord From(StoreOperation operation, CheckResult result)
    {
        var steps = result.Steps.Select(s => new CheckStepRecord(s.Name, s.Promise, Kept: true, Math.Round(s.Took.TotalMilliseconds, 1)));
        return result.Fault is { } fault
            ? new CheckRecord(
                result.IsReadOnly,
                [.. steps, new CheckStepRecord(fault.Step, fault.Promise, Kept: false, Milliseconds: null)],
                new FailureRecord(fault.Failure.Code, fault.Step, fault.Failure.Cause, fault.Failure.Remedy, operation.NodeName, operation.EndedAt ?? operation.CreatedAt))
            : new CheckRecord(result.IsReadOnly, [.. steps], Fault: null);
    }

    public static UploadRecord UploadOf(Transfer transfer) => new(
        transfer.Id.ToString(), $"{RestEndpoints.UploadsPath}/{transfer.Id}", transfer.Length ?? 0, transfer.Moved);

    public static ExplanationRecord From(TransferExplanation explanation) => new(
        From(explanation.Transfer), [.. explanation.Steps.Select(s => new StepRecord(s.Name, s.State))],
        explanation.Summary, explanation.Cause, explanation.Remedy);

    public static MemberRecord From(ImageMember member) =>
        new(member.Image.ToString(), member.Project.Value, member.Status.Word(), member.CreatedAt, member.UpdatedAt);

    public static NodeRecord From(NodeStanding standing) => new()
    {
        Name = standing.Node.Name,
        Zone = standing.Node.Zone,
        Roles = [.. standing.Node.Roles.Select(r => r.Word())],
        State = standing.State.Word(),
        Mode = standing.Node.Mode.Word(),
        Address = standing.Node.Address,
        Version = standing.Node.Version,
        Cores = standing.Node.Capacity.Cores,
        Memory = standing.Node.Capacity.Memory,
        TransferLimit = standing.TransferLimit,
        Transfers = standing.Load.Transfers,
        Operations = standing.Load.Operations,
        Stores = standing.Node.Stores,
        StartedAt = standing.Node.StartedAt,
        Heartbeat = standing.Node.Heartbeat,
        Warning = standing.Warning,
    };

    public static LimitList From(LibraryLimits limits) => new(
    [
        .. LimitNames.All.Select(n => new LimitRecord(n.Spelled(), limits[n], limits.Configured(n), !limits.IsConfigured(n), n.Meaning())),
    ]);

    public static ProbeRecord From(SourceProbe probe) => new(
        probe.FinalAddress, probe.Status, probe.Length, probe.ContentType, probe.CanResume, probe.Validator, probe.Certificate);

    public static DoctorRecord From(Diagnosis diagnosis) => new(
        diagnosis.Node, diagnosis.Verdict.Word(),
        [.. diagnosis.Findings.Select(f => new FindingRecord(f.Check, f.Verdict.Word(), f.Detail, f.Remedy))]);

    public static ExaminationRecord From(ExaminationStanding standing) => new()
    {
        Id = standing.Examination.Id.ToString(),
        Url = standing.Examination.Url,
        Over = standing.IsOver,
        Verdict = standing.Verdict.Word(),
        Nodes = [.. standing.Diagnoses.Select(From)],
        Awaited = standing.Awaited,
        Silent = standing.Silent,
        AskedAt = standing.Examination.AskedAt,
    };

    public static TokenRecord TokenOf(Login login, string identityUrl, string region) => new(login.Token, login.ExpiresAt, UserOf(login), ProjectOf(login), RolesOf(login))
    {
        IdentityUrl = identityUrl,
        Region = region,
    };

    public static MeRecord MeOf(Login login) => new(UserOf(login), ProjectOf(login), RolesOf(login), login.ExpiresAt);

    private static IdentityRecord UserOf(Login login) => new(login.User.Id.Value, login.User.Name, login.User.Domain);

    private static IdentityRecord? ProjectOf(Login login) => login.Scope is LoginScope.InProject scope
        ? new IdentityRecord(scope.Project.Id.Value, scope.Project.Name, scope.Project.Domain)
        : null;

    private static string[] RolesOf(Login login) => [.. login.Roles.Select(r => r.Name).Order(StringComparer.Ordinal)];
}
