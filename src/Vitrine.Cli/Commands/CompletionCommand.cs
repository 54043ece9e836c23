using System.CommandLine;

namespace Vitrine.Cli.Commands;

internal static class CompletionCommand
{
    private const string Bash = """
        _vitrine() {
            local IFS=$'\n'
            COMPREPLY=( $(compgen -W "$(vitrine "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}") )
        }
        complete -o default -F _vitrine vitrine
        """;

    private const string Zsh = """
        #compdef vitrine
        _vitrine() {
            local -a found
            found=( "${(@f)$(vitrine "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}" )
            (( ${#found} )) && compadd -- "${found[@]}" || _files
        }
        compdef _vitrine vitrine
        """;

    private const string Fish = """
        complete -c vitrine -a '(vitrine "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'
        """;

    public static Command Make(CliTerminal terminal)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Prints what a shell needs to complete commands and names of images: eval \"$(vitrine completion bash)\"") { shell };
        command.Does(terminal, (run, _) =>
        {
            terminal.Out.WriteLine(run.Get(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return Task.FromResult(ExitCodes.Ok);
        });
        return command;
    }
}
