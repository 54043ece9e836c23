using System.CommandLine;

namespace Vitrine.Cli.Commands;

internal static class OpenrcCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var secret = new Option<bool>("--with-secret") { Description = "Print the secret too, so that the lines can be used without being asked." };
        var command = new Command("openrc", "Prints shell lines that point OpenStack's clients at the library.") { secret };
        command.Does(terminal, (run, _) =>
        {
            foreach (var line in LinesOf(run, run.Get(secret)))
                terminal.Out.WriteLine(line);
            return Task.FromResult(ExitCodes.Ok);
        });
        return command;
    }

    private static IEnumerable<string> LinesOf(Invocation run, bool withSecret)
    {
        var known = Session.Known(run.Settings, run.Address);
        yield return Export("OS_AUTH_URL", known.IdentityUrl ?? $"{run.Address.ToString().TrimEnd('/')}/identity/v3");
        yield return Export("OS_IDENTITY_API_VERSION", "3");
        yield return Export("OS_IMAGE_API_VERSION", "2");
        yield return Export("OS_INTERFACE", "public");
        yield return Export("OS_REGION_NAME", known.Region ?? "RegionOne");
        if (run.Settings.Authorities is { } authorities)
            yield return Export("OS_CACERT", authorities);

        var password = run.Terminal.Variable("VITRINE_PASSWORD");
        if (withSecret && password is null && run.Settings is { CredentialId: { } id, CredentialSecret: { } credential })
        {
            yield return Export("OS_AUTH_TYPE", "v3applicationcredential");
            yield return Export("OS_APPLICATION_CREDENTIAL_ID", id);
            yield return Export("OS_APPLICATION_CREDENTIAL_SECRET", credential);
            yield break;
        }

        var domain = run.Terminal.Variable("VITRINE_DOMAIN") ?? run.Settings.Domain;
        var project = run.Terminal.Variable("VITRINE_PROJECT") ?? run.Settings.Project ?? "admin";
        yield return Export("OS_PROJECT_NAME", project);
        yield return DomainLine("OS_PROJECT_DOMAIN", domain);
        if (withSecret && password is null)
        {
            yield return Export("OS_AUTH_TYPE", "v3token");
            yield return Export("OS_TOKEN", run.Settings.Token ?? throw new CliException(ExitCodes.Denied, "You are not logged in.", "Run: vitrine login URL"));
            yield break;
        }

        yield return Export("OS_AUTH_TYPE", "password");
        yield return Export("OS_USERNAME", run.Terminal.Variable("VITRINE_USER") ?? run.Settings.User ?? "admin");
        yield return DomainLine("OS_USER_DOMAIN", domain);
        yield return withSecret
            ? Export("OS_PASSWORD", password!)
            : "if [ -z \"$OS_PASSWORD\" ]; then printf 'Password: ' >&2; stty -echo; read -r OS_PASSWORD; stty echo; printf '\\n' >&2; export OS_PASSWORD; fi";
    }

    /// <summary>The default domain is known to clients by its name; of another one we have the id or the name that was given.</summary>
    private static string DomainLine(string variable, string? domain) =>
        domain is null or "default" ? Export($"{variable}_NAME", "Default")
        : domain.Length == 32 && domain.All(char.IsAsciiHexDigit) ? Export($"{variable}_ID", domain)
        : Export($"{variable}_NAME", domain);

    /// <summary>In single quotes a shell takes everything as it is, but for the quote itself.</summary>
    private static string Export(string name, string value) => $"export {name}='{value.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
