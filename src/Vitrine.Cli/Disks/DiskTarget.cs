using System.CommandLine;
using Vitrine.Disks;
using Vitrine.Formats;
using Vitrine.Images;

namespace Vitrine.Cli.Disks;

/// <summary>The options by which a user names the format that is to be made.</summary>
internal sealed class DiskTarget
{
    private static readonly DiskFormat[] Written = [DiskFormat.Raw, DiskFormat.Qcow2, DiskFormat.Vmdk, DiskFormat.Vhd, DiskFormat.Vhdx];

    private readonly Option<string> _format = new("--format", "-f") { HelpName = "FORMAT" };
    private readonly Option<string> _variant = new("--variant") { Description = "A kind of the format: dynamic or fixed for vhd.", HelpName = "KIND" };
    private readonly Option<bool> _compress = new("--compress", "-c") { Description = "Compress the parts of a qcow2." };

    public DiskTarget(string description)
    {
        _format.Description = description;
        _format.AcceptOnlyFromAmong([.. Written.Select(f => f.Word())]);
    }

    public void AddTo(Command command)
    {
        command.Add(_format);
        command.Add(_variant);
        command.Add(_compress);
    }

    /// <summary>What the user asked for; null where nothing was.</summary>
    public ConversionTarget? Of(Invocation run) => run.Get(_format) is { } format
        ? Checked(new ConversionTarget(EnumWords.Parse<DiskFormat>(format, "format"), run.Get(_variant), run.Get(_compress)))
        : run.Has(_variant) || run.Has(_compress)
            ? throw new CliException(ExitCodes.Usage, "--variant and --compress need a --format.")
            : null;

    /// <summary>The same, or else what the name of the output says.</summary>
    public ConversionTarget Of(Invocation run, string output) => run.Get(_format) is not null
        ? Of(run)!
        : Checked(new ConversionTarget(FormatOf(output), run.Get(_variant), run.Get(_compress)));

    private static ConversionTarget Checked(ConversionTarget target)
    {
        try
        {
            DiskFormats.CheckTarget(target);
            return target;
        }
        catch (InvalidFieldException refused)
        {
            throw new CliException(ExitCodes.Usage, $"--{refused.Field} {refused.Reason}.");
        }
        catch (LibraryException refused)
        {
            throw new CliException(ExitCodes.Usage, refused.Message);
        }
    }

    private static DiskFormat FormatOf(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".raw" or ".img" => DiskFormat.Raw,
        ".qcow2" => DiskFormat.Qcow2,
        ".vmdk" => DiskFormat.Vmdk,
        ".vhd" or ".vpc" => DiskFormat.Vhd,
        ".vhdx" => DiskFormat.Vhdx,
        _ => throw new CliException(ExitCodes.Usage, $"The name {path} does not say which format is to be made.", "Add --format."),
    };
}
