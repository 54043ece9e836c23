namespace Vitrine.EndToEndTests;

/// <summary>Where the project lies, and what was built of it.</summary>
internal static class Checkout
{
    public static string Root { get; } = FindRoot();

    private static string Configuration => AppContext.BaseDirectory.Contains("/Release/", StringComparison.Ordinal) ? "Release" : "Debug";

    /// <summary>A program as it was built in the configuration of these tests.</summary>
    public static string Program(string project, string name) => Path.Combine(Root, "src", project, "bin", Configuration, "net10.0", name);

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Vitrine.slnx")))
            directory = directory.Parent ?? throw new InvalidOperationException("The tests do not run from a checkout.");
        return directory.FullName;
    }
}
