using Microsoft.Extensions.Options;
using Vitrine.Server;

try
{
    await using var server = VitrineServer.Build(args);
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
