using System.CommandLine;
using System.Net;
using Vitrine.Client;

namespace Vitrine.Cli.Commands;

internal static class LogoutCommand
{
    public static Command Make(CliTerminal terminal)
    {
        var command = new Command("logout", "Makes the token of the last login void, and forgets it.");
        command.Does(terminal, async (run, cancellationToken) =>
        {
            if (run.Settings.Token is not null)
                await RevokeAsync(run, cancellationToken);

            run.SettingsFile.Save(run.Settings with { Token = null, TokenExpiresAt = null, CredentialId = null, CredentialSecret = null });
            run.Say("Logged out.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task RevokeAsync(Invocation run, CancellationToken cancellationToken)
    {
        // Neither another token nor other credentials: the one that is forgotten is made void.
        var address = Session.AddressOf(run.Settings.Url, run.Terminal, run.Settings);
        using var client = new LibraryClient(
            address,
            new LibraryClientOptions { Token = run.Settings.Token, Authorities = Session.AuthoritiesOf(run.Settings.Authorities), Time = run.Terminal.Time });
        try
        {
            await client.LogOutAsync(cancellationToken);
        }
        catch (LibraryClientException failure) when (failure.Status is HttpStatusCode.Unauthorized)
        {
            // It held no more anyway.
        }
    }
}
