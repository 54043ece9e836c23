namespace Vitrine.Cli;

/// <summary>What the process ends with; docs/cli.md promises these to scripts.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;
    public const int Failure = 1;
    public const int Usage = 2;
    public const int NotFound = 3;

    /// <summary>Not logged in, or not allowed.</summary>
    public const int Denied = 4;

    public const int TransferFailed = 5;

    /// <summary>Of <c>convert</c>: the file is not safe.</summary>
    public const int RefusedContent = 6;

    /// <summary>Of <c>inspect</c>, which is about nothing but the verdict, and whose own failures are all <see cref="Failure"/>.</summary>
    public const int UnsafeVerdict = 2;

    /// <inheritdoc cref="UnsafeVerdict"/>
    public const int UnknownVerdict = 3;

    /// <summary>128 and the number of SIGINT, as shells have it.</summary>
    public const int Interrupted = 130;
}

/// <summary>The command line itself finds that it cannot go on.</summary>
/// <param name="exitCode">One of <see cref="ExitCodes"/>.</param>
internal sealed class CliException(int exitCode, string message, string? remedy = null) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
    public string? Remedy { get; } = remedy;
}
