using Microsoft.Extensions.Options;
using Vitrine.Server;
using Vitrine.Server.Operations;

try
{
    await using var server = VitrineServer.Build(args);
    StopLimit.Watch(server.Lifetime, server.Services.GetRequiredService<ServerOptions>().StopTimeout);
    await server.RunAsync();
    return 0;
}
catch (OptionsValidationException faults)
{
    foreach (var fault in faults.Failures)
        await Console.Error.WriteLineAsync($"vitrine-server: {fault}");
    return 2;
}
catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or Vitrine.LibraryException)
{
    await Console.Error.WriteLineAsync($"vitrine-server: {failure.Message} {failure.InnerException?.Message}".TrimEnd());
    return 1;
}
