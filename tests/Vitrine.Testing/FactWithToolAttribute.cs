using System.Runtime.CompilerServices;
using Xunit;

namespace Vitrine.Testing;

/// <summary>Skips where a tool is missing, and fails instead where TESTS_MAY_NOT_SKIP is set, as it is in CI.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactWithToolAttribute : FactAttribute
{
    public FactWithToolAttribute(string tool, [CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        Skip = Requirement.Tool(tool);
    }
}

/// <summary>The same for tests that have a table of cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TheoryWithToolAttribute : TheoryAttribute
{
    public TheoryWithToolAttribute(string tool, [CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        Skip = Requirement.Tool(tool);
    }
}

/// <summary>Skips where file systems may not be mounted, and fails instead where TESTS_MAY_NOT_SKIP is set.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactWithMountAttribute : FactAttribute
{
    public FactWithMountAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        Skip = Requirement.Mount();
    }
}

/// <summary>What a test needs of the machine, and why it is skipped where that is missing.</summary>
internal static class Requirement
{
    private static readonly Lazy<bool> CanMount = new(TinyDisk.CanMount);

    public static string? Tool(string tool) => Met(IsOnPath(tool), $"{tool} is not installed");

    public static string? Mount() => Met(CanMount.Value, "file systems may not be mounted here");

    private static string? Met(bool isMet, string otherwise) =>
        isMet || Environment.GetEnvironmentVariable("TESTS_MAY_NOT_SKIP") is not null ? null : otherwise;

    private static bool IsOnPath(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(d => File.Exists(Path.Combine(d, tool)));
}
