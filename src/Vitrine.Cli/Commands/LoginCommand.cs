using System.CommandLine;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class LoginCommand
{
    private static readonly Uri DefaultAddress = new("http://127.0.0.1:8080");

    public static Command Make(CliTerminal terminal)
    {
        var url = new Argument<string?>("URL") { Description = "The library's address. Default: that of the last login, else http://127.0.0.1:8080.", Arity = ArgumentArity.ZeroOrOne };
        var user = new Option<string>("--user", "-u") { Description = "The user's name; asked for where it is not given.", HelpName = "NAME" };
        var project = new Option<string>("--project", "-p") { Description = "The project to work in. Default: the user's own.", HelpName = "NAME" };
        var domain = new Option<string>("--domain") { Description = "The domain of user and project.", HelpName = "NAME" };
        var stdin = new Option<bool>("--password-stdin") { Description = "Read the password, or the secret, from standard input." };
        var credential = new Option<string>("--credential") { Description = "Log in by an application credential, which lasts longer than a token.", HelpName = "ID" };
        var trust = new Option<string>("--fingerprint")
        {
            Description = "Trust the library's own authority, if its SHA-256 is this; the server logs it at its start.",
            HelpName = "SHA256",
        };
        var command = new Command("login", "Logs in, and remembers it for the commands that follow.") { url, user, project, domain, stdin, credential, trust };
        command.Does(terminal, async (run, cancellationToken) =>
        {
            var address = AddressOf(run, run.Get(url));
            WarnIfOpen(run, address);
            var authorities = run.Get(trust) is { } fingerprint
                ? await TrustAsync(run, address, fingerprint, cancellationToken)
                : run.Get(GlobalOptions.Authorities) ?? terminal.Variable("VITRINE_CACERT");
            var request = run.Get(credential) is { } id
                ? new TokenRequest { ApplicationCredential = new ApplicationCredentialRequest { Id = id, Secret = SecretOf(run, "Secret", run.Get(stdin)) } }
                : new TokenRequest
                {
                    User = run.Get(user) ?? terminal.Variable("VITRINE_USER") ?? AskUser(run),
                    Project = run.Get(project) ?? terminal.Variable("VITRINE_PROJECT"),
                    Domain = run.Get(domain) ?? terminal.Variable("VITRINE_DOMAIN"),
                    Password = SecretOf(run, "Password", run.Get(stdin)),
                };
            return await LogInAsync(run, address, authorities, request, cancellationToken);
        });
        return command;
    }

    /// <summary>Keeps the authority beside the settings.</summary>
    /// <returns>Where.</returns>
    private static async Task<string> TrustAsync(Invocation run, Uri address, string fingerprint, CancellationToken cancellationToken)
    {
        var pem = await PublishedAuthority.FetchAsync(address, fingerprint, cancellationToken);
        SettingsFile.MakeFolder(run.SettingsFile.Folder);
        var path = Path.Combine(run.SettingsFile.Folder, $"{address.Host}-{address.Port}.pem");
        await File.WriteAllTextAsync(path, pem, cancellationToken);
        return path;
    }

    private static async Task<int> LogInAsync(
        Invocation run, Uri address, string? authorities, TokenRequest request, CancellationToken cancellationToken)
    {
        using var client = new LibraryClient(address, new LibraryClientOptions { Authorities = Session.AuthoritiesOf(authorities), Time = run.Terminal.Time });
        var token = await client.LogInAsync(request, cancellationToken);
        run.SettingsFile.Save(new Settings
        {
            Url = address.ToString(),
            Token = token.Token,
            TokenExpiresAt = token.ExpiresAt,
            CredentialId = request.ApplicationCredential?.Id,
            CredentialSecret = request.ApplicationCredential?.Secret,
            Authorities = authorities is null ? null : Path.GetFullPath(authorities),
            IdentityUrl = token.IdentityUrl,
            Region = token.Region,
            User = token.User.Name,
            Project = token.Project?.Name,
            Domain = token.User.Domain,
        });

        var me = new MeRecord(token.User, token.Project, token.Roles, token.ExpiresAt);
        run.Print(me, LibraryJson.Default.MeRecord, output => output.WriteLine(
            $"Logged in to {address} as {token.User.Name}, {(token.Project is { } p ? $"project {p.Name}" : "without a project")}, until {token.ExpiresAt:u}."));
        return ExitCodes.Ok;
    }

    private static Uri AddressOf(Invocation run, string? argument)
    {
        var known = argument ?? run.Get(GlobalOptions.Server) ?? run.Terminal.Variable("VITRINE_URL") ?? run.Settings.Url;
        return known is null ? DefaultAddress : Session.AddressOf(known, run.Terminal, run.Settings);
    }

    private static void WarnIfOpen(Invocation run, Uri address)
    {
        if (address.Scheme == "http" && !address.IsLoopback)
            run.Say($"Warning: the way to {address.Host} is not encrypted; whoever listens reads the password.");
    }

    private static string AskUser(Invocation run)
    {
        if (!run.Terminal.IsInteractive)
            throw new CliException(ExitCodes.Usage, "Nobody says which user.", "Give --user NAME.");

        run.Terminal.Error.Write("User: ");
        return run.Terminal.In.ReadLine() is { Length: > 0 } name ? name : throw new CliException(ExitCodes.Usage, "A user has a name.");
    }

    private static string SecretOf(Invocation run, string what, bool stdin)
    {
        if (stdin)
            return run.Terminal.In.ReadLine() is { Length: > 0 } line ? line : throw new CliException(ExitCodes.Usage, "Standard input is empty.");

        return run.Terminal.Variable("VITRINE_PASSWORD") ?? run.Terminal.AskSecret(what);
    }
}
