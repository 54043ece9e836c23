using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Vitrine.Cli;

/// <summary>Help under the name by which people call the command, whatever the file is called that runs it.</summary>
internal sealed class NamedHelp(HelpAction inner) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        using var text = new StringWriter();
        parseResult.InvocationConfiguration.Output = text;
        var code = inner.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        output.Write(text.ToString().Replace(RootCommand.ExecutableName, "vitrine", StringComparison.Ordinal));
        return code;
    }
}
