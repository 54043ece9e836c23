using Vitrine.Client;

namespace Vitrine.Cli;

/// <summary>Images and transfers for people.</summary>
internal static class TransferViews
{
    public static void Write(TextWriter output, TransferRecord transfer) => TextTable.WriteFacts(
        output,
        ("id", transfer.Id),
        ("image", transfer.Image),
        ("kind", transfer.Kind),
        ("state", transfer.State),
        ("step", transfer.Step),
        ("store", transfer.Store),
        ("source", transfer.Source),
        ("source store", transfer.SourceStore),
        ("checksum", transfer.Checksum),
        ("moved", $"{Amounts.Bytes(transfer.Moved)} of {Amounts.Bytes(transfer.Length)} ({Amounts.Percent(transfer.Moved, transfer.Length)})"),
        ("unpacked", transfer.Unpacked > 0 ? Amounts.Bytes(transfer.Unpacked) : null),
        ("converted", transfer.Converted > 0 ? Amounts.Bytes(transfer.Converted) : null),
        ("rate", transfer.Rate >= 1 ? Amounts.Rate(transfer.Rate) : null),
        ("time left", transfer.SecondsLeft is { } left ? Amounts.Duration(TimeSpan.FromSeconds(left)) : null),
        ("attempt", $"{transfer.Attempt}"),
        ("next attempt", Time(transfer.NextAttemptAt)),
        ("failure", transfer.Failure is { } failure ? $"{failure.Code}: {failure.Cause}" : null),
        ("remedy", transfer.Failure?.Remedy),
        ("notes", string.Join(' ', transfer.Notes)),
        ("node", transfer.Node),
        ("created", Time(transfer.CreatedAt)),
        ("ended", Time(transfer.EndedAt)));

    public static void Write(TextWriter output, ImageRecord image) => TextTable.WriteFacts(
        output,
        ("id", image.Id),
        ("name", image.Name),
        ("description", image.Description),
        ("status", image.Enabled ? image.Status : $"{image.Status} (disabled)"),
        ("kind", image.Kind),
        ("format", image.Format),
        ("container", image.Container),
        ("size", image.Size is { } size ? $"{Amounts.Bytes(size)} ({size} bytes)" : null),
        ("virtual size", image.VirtualSize is { } disk ? $"{Amounts.Bytes(disk)} ({disk} bytes)" : null),
        ("architecture", image.Architecture),
        ("platform", image.Platform),
        ("os", image.Os),
        ("firmware", image.EffectiveFirmware),
        ("virtio", image.Virtio ? "on" : "off"),
        ("min disk", image.MinDisk > 0 ? $"{image.MinDisk} GiB" : null),
        ("min memory", image.MinMemory > 0 ? $"{image.MinMemory} MiB" : null),
        ("visibility", image.Visibility),
        ("owner", image.Owner),
        ("protected", image.Protected ? "yes" : null),
        ("all zones", image.AllZones ? "yes" : null),
        ("tags", string.Join(", ", image.Tags)),
        ("properties", string.Join(", ", image.Properties.Select(p => $"{p.Key}={p.Value}"))),
        ("sha256", image.Sha256),
        ("md5", image.Md5),
        ("sha512", image.Sha512),
        ("source", image.Source),
        ("source file", image.SourceFile is { } file ? $"{string.Join(", ", new[] { file.Wrapper, file.Format }.OfType<string>())}, {Amounts.Bytes(file.Size)} ({file.Size} bytes)" : null),
        ("source sha256", image.SourceFile?.Sha256),
        ("stores", string.Join(", ", image.Replicas.Select(r => r.State == "ready" ? r.Store : $"{r.Store} ({r.State})"))),
        ("transfer", image.Transfer is { } transfer ? $"{transfer.Id}, {transfer.State}, {Amounts.Percent(transfer.Moved, transfer.Length)}" : null),
        ("failure", image.Failure is { } failure ? $"{failure.Code}: {failure.Cause} {failure.Remedy}" : null),
        ("warnings", string.Join(' ', image.Warnings)),
        ("created", Time(image.CreatedAt)),
        ("updated", Time(image.UpdatedAt)));

    public static string? Time(DateTimeOffset? time) => time is { } known ? $"{known.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z" : null;

    /// <summary>One line that says where a transfer stands.</summary>
    public static string Line(TransferRecord transfer)
    {
        var state = transfer.Step.Length > 0 && !transfer.IsOver ? $"{transfer.State}, {transfer.Step}" : transfer.State;
        var line = $"{state}: {Amounts.Percent(transfer.Moved, transfer.Length)}, {Amounts.Bytes(transfer.Moved)} of {Amounts.Bytes(transfer.Length)}";
        if (transfer is { Step: "assembling", IsOver: false })
            line += $", {Amounts.Bytes(transfer.Assembled)} put together";
        if (transfer is { Step: "unpacking", IsOver: false })
            line += $", {Amounts.Bytes(transfer.Unpacked)} unpacked";
        if (transfer is { Step: "converting", IsOver: false })
            line += $", {Amounts.Bytes(transfer.Converted)} converted";
        if (transfer.Rate >= 1)
            line += $", {Amounts.Rate(transfer.Rate)}";
        if (transfer.SecondsLeft is { } left)
            line += $", {Amounts.Duration(TimeSpan.FromSeconds(left))} left";
        return transfer is { State: "retrying", Failure: { } failure } ? $"{line}; {failure.Cause}" : line;
    }
}
