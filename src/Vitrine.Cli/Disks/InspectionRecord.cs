using System.Text.Json;
using System.Text.Json.Serialization;
using Vitrine.Formats;

namespace Vitrine.Cli.Disks;

/// <summary>What <c>vitrine inspect</c> found, for programs.</summary>
/// <param name="Verdict"><c>safe</c>, <c>unsafe</c> or <c>unknown</c>.</param>
/// <param name="Feature">What is not safe, as <c>qcow2-backing-file</c>.</param>
/// <param name="Size">Of the file, in bytes.</param>
/// <param name="DiskSize">Of the guest's disk, in bytes.</param>
/// <param name="Label">The volume label of an ISO 9660 medium.</param>
internal sealed record InspectionRecord(
    string Verdict, string? Feature, string? Reason, string? Format, string? Container, long Size, long? DiskSize, string? Label, BootRecord? Boot,
    string? DiskSha256)
{
    public static InspectionRecord Of(DiskReport report, string? diskSha256) => new(
        report.Safety.Word(), report.Feature, report.Reason, report.Verdict?.Format.Word(), report.Verdict?.Container.Word(), report.Size, report.DiskSize,
        report.Verdict?.VolumeLabel,
        report.Boot is { } boot
            ? new BootRecord(boot.SupportsBios, boot.SupportsUefi, boot.MbrCode, boot.Gpt, boot.EfiSystemPartition, boot.ElToritoBios, boot.ElToritoUefi)
            : null,
        diskSha256);
}

/// <summary>What speaks for the disk being started, and by which firmware.</summary>
internal sealed record BootRecord(bool Bios, bool Uefi, bool MbrCode, bool Gpt, bool EfiSystemPartition, bool ElToritoBios, bool ElToritoUefi);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(InspectionRecord))]
internal sealed partial class InspectionJson : JsonSerializerContext;
