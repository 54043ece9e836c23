using System.Diagnostics;

namespace Vitrine.Testing;

/// <summary>Runs the scripts under tests/servers, which start and stop real servers.</summary>
internal static class ServerScript
{
    /// <summary>Starts a server that is stopped when this process is gone, even where it is killed.</summary>
    /// <returns>What the script says of it.</returns>
    public static async Task<Dictionary<string, string>> StartAsync(string script, params string[] arguments) =>
        (await RunAsync(script, [.. arguments, "--while", Environment.ProcessId.ToString()]))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2))
            .ToDictionary(parts => parts[0], parts => parts[1].Trim('\''));

    /// <exception cref="InvalidOperationException">It failed; the message says why.</exception>
    public static async Task<string> RunAsync(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(FindServers(), script), arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{script} failed: {await errors}");
    }

    private static string FindServers()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Vitrine.slnx")))
            directory = directory.Parent ?? throw new InvalidOperationException("The tests run outside of the repository.");

        return Path.Combine(directory.FullName, "tests", "servers");
    }
}
