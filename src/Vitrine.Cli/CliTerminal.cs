using Spectre.Console;

namespace Vitrine.Cli;

/// <summary>Where the command line talks to: the process's own streams, or a test's.</summary>
internal sealed record CliTerminal
{
    public required TextReader In { get; init; }
    public required TextWriter Out { get; init; }
    public required TextWriter Error { get; init; }

    /// <summary>Opens standard output for bytes.</summary>
    public required Func<Stream> OpenBytes { get; init; }

    /// <summary>The value of an environment variable; null where there is none.</summary>
    public required Func<string, string?> Variable { get; init; }

    /// <summary>Somebody looks at the error stream as it is written.</summary>
    public required bool IsInteractive { get; init; }

    /// <summary>Where progress bars are drawn: beside the results, which may go into a file.</summary>
    public required IAnsiConsole Bars { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public static CliTerminal OfProcess() => new()
    {
        In = Console.In,
        Out = Console.Out,
        Error = Console.Error,
        OpenBytes = Console.OpenStandardOutput,
        Variable = Environment.GetEnvironmentVariable,
        IsInteractive = !Console.IsErrorRedirected,
        Bars = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }),
    };

    /// <summary>Asks for something that is not shown while it is typed.</summary>
    public string AskSecret(string question)
    {
        if (!IsInteractive || Console.IsInputRedirected)
            throw new CliException(ExitCodes.Usage, $"There is nobody to ask for the {question}.", "Give it on standard input with --password-stdin.");

        return Bars.Prompt(new TextPrompt<string>($"{question}:") { IsSecret = true, Mask = null });
    }
}
