using Vitrine.Formats;

namespace Vitrine.Cli.Disks;

/// <summary>The file that a command is to make, looked at before any work is done for it.</summary>
internal static class DiskOutput
{
    /// <exception cref="CliException">No file can be made there, or one is there that is not to be replaced.</exception>
    public static void Check(string path, bool mayReplace)
    {
        if (path == "-")
            return;
        if (Directory.Exists(path))
            throw new CliException(ExitCodes.Usage, $"{path} is a directory.", "Name the file to make in it.");
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory && !Directory.Exists(directory))
            throw new CliException(ExitCodes.Usage, $"There is no directory {directory}.", "Make it first, or name another file.");
        if (!FileContent.IsReplaceable(path))
            throw new CliException(ExitCodes.Usage, $"{path} is no plain file.", "Name another file, or write to standard output by the name -.");
        if (File.Exists(path) && !mayReplace)
            throw new CliException(ExitCodes.Usage, $"{path} is there already.", "Name another file, or replace it with --force.");
    }
}
