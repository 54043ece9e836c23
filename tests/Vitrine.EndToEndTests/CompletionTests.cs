namespace Vitrine.EndToEndTests;

/// <summary>The command's words in a real shell.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("vitrine ima", "image")]
    [InlineData("vitrine image pu", "pull push")]
    [InlineData("vitrine image import --kin", "--kind")]
    [InlineData("vitrine image import --kind ", "iso system volume")]
    public async Task Bash_completes(string line, string expected)
    {
        var program = Checkout.Program("Vitrine.Cli", "vitrine");
        var script = $$"""
            PATH={{Path.GetDirectoryName(program)}}:$PATH
            source <(vitrine completion bash)
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}}
            read -ra COMP_WORDS <<<"$COMP_LINE"
            [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
            COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
            _vitrine
            printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' '
            """;

        var completed = (await Command.RunAsync("bash", ["-c", script])).Succeeded();

        Assert.Equal(expected, completed.Trim());
    }
}
