using System.Globalization;
using Vitrine.Client;

namespace Vitrine.Cli;

/// <summary>Stores for people.</summary>
internal static class StoreViews
{
    public static void Write(TextWriter output, StoreRecord store, IReadOnlyList<StoreOperationRecord> operations)
    {
        TextTable.WriteFacts(
            output,
            ("name", store.Name),
            ("description", store.Description),
            ("zone", store.Zone),
            ("kind", store.Kind),
            ("default", store.IsDefault ? "yes" : "no"),
            ("mode", store.Mode),
            ("converts", store.Convert is { Count: > 0 } rules ? string.Join(", ", rules.Select(r => $"{r.Key} to {r.Value}")) : null),
            ("copies by", store.SyncAddress),
            ("replicates to", store.ReplicatesTo is { Count: > 0 } targets ? string.Join(", ", targets) : null),
            ("health", store.Healthy switch { true => "healthy", false => store.Problem ?? "unhealthy", null => "unknown" }),
            ("images", $"{store.Images}"),
            ("size of images", Amounts.Bytes(store.LogicalBytes)),
            ("to clean up", store.RetiredImages > 0 ? $"{store.RetiredImages} images that moved away, {Amounts.Bytes(store.RetiredBytes)}" : null),
            ("free", $"{Amounts.Bytes(store.Free)} of {Amounts.Bytes(store.Total)}"));
        if (operations.Count == 0)
            return;

        output.WriteLine();
        TextTable.Write(
            output,
            ["OPERATION", "KIND", "STATE", "DONE", "RESULT", "CREATED"],
            operations.Select(o => (IReadOnlyList<string>)
                [o.Id, o.Kind, o.State, Amounts.Percent(o.Done, o.Total), ResultOf(o), TransferViews.Time(o.CreatedAt)!]));
    }

    public static void Write(TextWriter output, StoreReportRecord report, bool byProject)
    {
        output.WriteLine(report.Ratio is { } ratio
            ? string.Create(CultureInfo.InvariantCulture, $"Store {report.Store} ({report.Kind}): {Amounts.Bytes(report.Logical)} of images in {Amounts.Bytes(report.Stored)}, {ratio:0.00} to 1")
            : $"Store {report.Store} ({report.Kind}) is empty");
        output.WriteLine();
        TextTable.Write(
            output,
            ["KEPT", "BYTES", "OF ALL", "FOR"],
            new[]
            {
                Part("unique", report.Unique, "one content each"),
                Part("shared", report.Shared, "several contents, kept once"),
                Part("metadata", report.Metadata, "knowing what is made of what"),
                Part("staged", report.Staged, "transfers under way"),
                Part("collectable", report.Collectable, "nobody; a collection frees it"),
                Part("unreadable", report.Unreadable, "nobody knows, as something is damaged; a scrub names it"),
                Part("in all", report.Stored, "all images"),
            }.Where(part => report.Unreadable > 0 || part[0] != "unreadable"));
        output.WriteLine();
        if (byProject)
            TextTable.Write(
                output,
                ["PROJECT", "IMAGES", "SIZE", "UNIQUE", "SHARED"],
                report.Projects.Select(p => (IReadOnlyList<string>)
                    [p.Project, $"{p.Images}", Amounts.Bytes(p.Logical), Amounts.Bytes(p.Unique), Amounts.Bytes(p.Shared)]));
        else
            TextTable.Write(output, ["IMAGE", "PROJECT", "SIZE", "UNIQUE", "SHARED", "STORES"], report.Contents.SelectMany(RowsOf));

        IReadOnlyList<string> Part(string name, long bytes, string meaning) => [name, Amounts.Bytes(bytes), Amounts.Percent(bytes, report.Stored), meaning];
    }

    /// <summary>What came of an operation that is done: a line, and one for each fault.</summary>
    public static void WriteResult(TextWriter output, StoreOperationRecord operation)
    {
        if (operation.Checked is { } found)
            TextTable.Write(
                output,
                ["STEP", "HOLDS", "TOOK", "WHAT"],
                found.Steps.Select(s => (IReadOnlyList<string>)
                    [s.Name, s.Kept ? "yes" : "no", s.Milliseconds is { } took ? string.Create(CultureInfo.InvariantCulture, $"{took:0.0} ms") : "", s.Promise]));
        output.WriteLine($"Store {operation.Store}: {ResultOf(operation)}");
        foreach (var fault in operation.Scrubbed?.Faults ?? [])
        {
            var images = fault.Contents.SelectMany(c => c.Images).Select(NameOf).ToList();
            output.WriteLine($"{fault.What} is damaged or missing; images concerned: {(images.Count > 0 ? string.Join(", ", images) : "none")}");
        }

        foreach (var kept in operation.CleanedUp?.Kept ?? [])
            output.WriteLine($"Image {kept.Image} stays: {kept.Reason}");
    }

    private static string ResultOf(StoreOperationRecord operation) => operation switch
    {
        { Failure: { } failure } => failure.Code,
        { Collected: { } collected } =>
            $"{Amounts.Bytes(collected.Freed)} freed, {Amounts.Bytes(collected.Moved)} moved, {Amounts.Bytes(collected.Condemned)} to be freed later",
        { Scrubbed: { } scrubbed } => $"{Amounts.Bytes(scrubbed.Bytes)} read, {scrubbed.Faults.Count} faults"
            + (scrubbed.Repairing > 0 ? $", {scrubbed.Repairing} images are copied anew from other stores" : ""),
        { Synced: { } synced } => $"{synced.Copied} images copied, {Amounts.Bytes(synced.Bytes)}, {synced.Failed} failed",
        { Rebuilt: { } rebuilt } =>
            $"{rebuilt.Restored} images restored, {rebuilt.Known} known, {rebuilt.Lost} without content, {rebuilt.Unreadable} not readable",
        { CleanedUp: { } cleaned } => $"{cleaned.Removed} images removed, {Amounts.Bytes(cleaned.Bytes)}, {cleaned.Kept.Count} kept",
        { Checked: { Fault: { } fault } } => $"{fault.Step} failed: {fault.Code}",
        { Checked: { } found } => found.ReadOnly ? $"{found.Steps.Count} steps, all well; only reads, as the store takes no new content" : $"{found.Steps.Count} steps, all well",
        _ => "",
    };

    private static IEnumerable<IReadOnlyList<string>> RowsOf(ContentUseRecord content)
    {
        IReadOnlyList<string> amounts = [Amounts.Bytes(content.Logical), Amounts.Bytes(content.Unique), Amounts.Bytes(content.Shared)];
        return content.Images.Count == 0
            ? [["(deleted)", "", .. amounts, ""]]
            : content.Images.Select(i => (IReadOnlyList<string>)[i.Name ?? i.Id, i.Project, .. amounts, $"{i.Replicas}"]);
    }

    private static string NameOf(ContentImageRecord image) =>
        image.Name is { } name ? $"{string.Concat(name.Select(c => char.IsControl(c) ? '·' : c))} ({image.Id})" : image.Id;
}
